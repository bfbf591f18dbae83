import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { isLoopbackHost, parseUrl } from '../options/url-rules.js';

/** Networks that are not on the public internet, as IANA lists them: this host, private, link-local, reserved. */
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
 * Returns whether a URL's host is a private address or a name for this machine.
 *
 * It checks the host as the URL parser prints it. So every spelling of an IPv4 address (decimal, octal, hexadecimal,
 * shortened) is the same, and so is an IPv4 address mapped into IPv6. **No name is resolved**: any other host name counts
 * as public, and a name that changes its address between two requests is not noticed. If that matters, configure a
 * `fetch` that connects only to public addresses.
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
 * Returns what is wrong with a private address in a fetched document, or undefined if it is allowed.
 *
 * A private address is allowed if the server is private too: its issuer, or the address that the document was fetched
 * from. Configured metadata may name any address.
 *
 * @param address - the address that requests will go to, a valid URL
 * @param url - the address that the document was fetched from, or undefined for configured metadata
 * @param issuer - the issuer of the document
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
