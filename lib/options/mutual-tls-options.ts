import { BlockList, isIP } from 'node:net';
import { Check, CheckOptional, CheckOptionalObject } from './check.decorator.js';
import { isBoolean, isListOf, isOneOf, isText, type Problem } from './value-rules.js';

/** The forms in which proxies pass a certificate on. @publicApi */
export type CertificateHeaderFormat = 'url-encoded-pem' | 'xfcc' | 'rfc9440';

/** @internal */
export const isHeaderName: Problem = (value) =>
  isText(value) ??
  (/^[\w!#$%&'*+.^`|~-]+$/.test(value as string) ? undefined : 'must be the name of a header');

/** An address of a proxy, or a range of addresses. @internal */
export const isProxyRange: Problem = (value) => {
  const [address = '', prefix, ...more] = typeof value === 'string' ? value.split('/') : [];
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0 || more.length > 0) return 'must be an IP address, or a range such as 10.0.0.0/8';
  if (/^::ffff:/i.test(address)) return 'must be written as an IPv4 address, without "::ffff:"';
  return prefix === undefined ? undefined : rangeProblem(address, family, prefix);
};

function rangeProblem(address: string, family: number, prefix: string): string | undefined {
  const problem = prefixProblem(prefix, family === 4 ? 32 : 128);
  if (problem !== undefined || family === 4 || !hasEveryIpv4(address, Number(prefix))) return problem;
  return 'must not include every IPv4 address';
}

/** Node compares IPv4 addresses with ranges of IPv6, in which they begin with `::ffff:`. */
function hasEveryIpv4(address: string, prefix: number): boolean {
  const range = new BlockList();
  range.addSubnet(address, prefix, 'ipv6');
  return range.check('0.0.0.0') && range.check('255.255.255.255');
}

/** A range of all addresses would trust every client. */
function prefixProblem(prefix: string, longest: number): string | undefined {
  const isLength = /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= longest;
  return isLength ? undefined : `must have a prefix of 1 to ${String(longest)} bits`;
}

/** A header with the client's certificate, which a proxy sets that ends the TLS connection. @publicApi */
export class CertificateHeaderOptions {
  /** The name of the header, in any letter case. */
  @Check(isHeaderName) readonly name!: string;

  /**
   * - `url-encoded-pem`: one certificate as PEM, percent-encoded; `$ssl_client_escaped_cert` of nginx
   * - `xfcc`: `x-forwarded-client-cert` of Envoy, with one element that has `Cert` or `Hash`
   * - `rfc9440`: `Client-Cert` of RFC 9440, DER in base64 between colons
   */
  @Check(isOneOf('url-encoded-pem', 'xfcc', 'rfc9440')) readonly format!: CertificateHeaderFormat;

  /**
   * The addresses of the proxies, or ranges of them. The header of any other peer is ignored. The address is that of the TCP
   * connection: forwarding headers do not count. Each proxy must replace the header of its clients.
   */
  @Check(isListOf(isProxyRange, { nonEmpty: true })) readonly trustedProxies!: readonly string[];
}

/**
 * Tokens that are bound to the client's TLS certificate.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3 | RFC 8705 section 3}
 * @publicApi
 */
export class MutualTlsOptions {
  /**
   * Whether tokens that are bound to no certificate are rejected.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly required?: boolean = false;

  /**
   * Reads the certificate from a header if a proxy ends the TLS connection. Connections of other peers are still looked at.
   *
   * @defaultValue none: the certificate of the TLS connection
   */
  @CheckOptionalObject(() => CertificateHeaderOptions) readonly certificateHeader?: CertificateHeaderOptions;
}

/** Writes the short forms of the option out. @internal */
export function writtenOutMutualTls(given: unknown): unknown {
  if (given === false) return undefined;
  return given === true ? {} : given;
}
