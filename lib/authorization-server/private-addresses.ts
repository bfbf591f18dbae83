import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { isLoopbackHost, parseUrl } from '../options/url-rules.js';

/** Networks that are nobody's on the internet, as IANA lists them: this host, private, link-local, reserved. */
const PRIVATE_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];

/** As above, and the forms that carry an IPv4 address to a translator: NAT64, Teredo, 6to4. */
const PRIVATE_IPV6 = [
  ...['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/32', '2001:db8::/32', '2002::/16'],
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
];

const blocked = new BlockList();
for (const network of PRIVATE_IPV4) blocked.addSubnet(...parts(network), 'ipv4');
for (const network of PRIVATE_IPV6) blocked.addSubnet(...parts(network), 'ipv6');

/**
 * Tells whether a URL's host is an address, or a name for this machine, that is not on the public internet.
 *
 * Judges the host as the URL parser prints it, so every spelling of an IPv4 address (decimal, octal, hexadecimal,
 * shortened) is the same, and so is an IPv4 address mapped into IPv6. **No name is resolved**: a host name counts as
 * public wherever it points to, and a name that changes its address between two requests is not noticed. Where that
 * matters, give a `fetch` that connects to public addresses only.
 *
 * @internal
 */
export function hasPrivateHost(url: string): boolean {
  const host = parseUrl(url)?.hostname.replace(/\.$/, '') ?? '';
  if (isLoopbackHost(host) || host.endsWith('.localhost')) return true;
  const address = host.replace(/^\[|\]$/g, '');
  if (isIPv6(address)) return blocked.check(address, 'ipv6');
  return isIPv4(address) && blocked.check(address, 'ipv4');
}

/**
 * Says what is wrong with an address in a fetched document that points this package into the private network, or
 * undefined where nothing is: the server is there itself, as its issuer, or the address that its document was
 * configured to come from, is private too. Metadata given by hand may name any address.
 *
 * @param address - what requests will go to, in right form
 * @param url - where the document was fetched, or undefined for metadata given by hand
 * @param issuer - whose document it is
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-7.7 | RFC 9728 section 7.7}
 * @internal
 */
export function privateAddressProblem(
  address: string,
  url: string | undefined,
  issuer: string,
): string | undefined {
  if (url === undefined || hasPrivateHost(url) || hasPrivateHost(issuer)) return undefined;
  return hasPrivateHost(address) ? 'is a private address while the issuer is a public one' : undefined;
}

function parts(network: string): [address: string, prefix: number] {
  const [address = '', prefix] = network.split('/');
  return [address, Number(prefix)];
}
