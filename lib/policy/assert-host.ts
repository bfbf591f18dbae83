import { RequestOriginRejectedError } from '../errors/rejection.errors.js';
import { parseHost } from '../options/origin-rules.js';
import { headerValues, type OriginRequest } from './header-values.js';

/** What a `Host` is compared with, in canonical form: `host` for every port, `host:port` for one. @internal */
export type HostRules = ReadonlySet<string>;

/**
 * Decides whether a request is addressed to an allowed host. A page whose name an attacker has resolved to this machine
 * (DNS rebinding) still sends that name.
 *
 * `:authority` of HTTP/2 counts as Host. Two Host lines, or a Host beside another `:authority`, are rejected even where
 * hosts are not looked at, for a proxy may have read the other one. A missing Host, which only HTTP/1.0 may have, is
 * rejected where hosts are looked at. A Host without a port is on 80 or 443, as the scheme is not known behind a proxy.
 * `X-Forwarded-Host`, `Forwarded` and the target of the request are not looked at.
 *
 * @param rules - undefined where any host will do
 * @throws {@link RequestOriginRejectedError} `duplicate_host` or `host`, and nothing else
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 | RFC 9112 section 3.2}
 * @internal
 */
export function assertHost(request: OriginRequest, rules: HostRules | undefined): void {
  const host = onlyHost(request);
  if (rules && (host === undefined || !isAllowed(host, rules))) throw new RequestOriginRejectedError('host');
}

function onlyHost(request: OriginRequest): string | undefined {
  const authorities = headerValues(request, ':authority');
  const hosts = headerValues(request, 'host');
  const [authority, host] = [authorities[0] ?? hosts[0], hosts[0] ?? authorities[0]];
  const isSame = authority === host || authority?.toLowerCase() === host?.toLowerCase();
  if (authorities.length > 1 || hosts.length > 1 || !isSame)
    throw new RequestOriginRejectedError('duplicate_host');
  return authority;
}

function isAllowed(value: string, rules: HostRules): boolean {
  const parts = parseHost(value);
  if (!parts) return false;
  const { host, port } = parts;
  const ports = port === '' ? ['80', '443'] : [port];
  return rules.has(host) || ports.some((each) => rules.has(`${host}:${each}`));
}
