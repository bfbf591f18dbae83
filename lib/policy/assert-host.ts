import { RequestOriginRejectedError } from '../errors/rejection.errors.js';
import { parseHost } from '../options/origin-rules.js';
import { headerValues, type OriginRequest } from './header-values.js';

/** The allowed hosts in canonical form: `host` for every port, `host:port` for one. @internal */
export type HostRules = ReadonlySet<string>;

/**
 * Rejects a request that is not for an allowed host. This stops DNS rebinding: a page whose name an attacker resolves to
 * this machine still sends that name as Host.
 *
 * `:authority` of HTTP/2 counts as Host. Two Host lines, or a Host and another `:authority`, are always rejected, because
 * a proxy may have read the other one. A missing Host, which only HTTP/1.0 allows, is rejected if there are rules. A Host
 * without a port stands for 80 and 443, because the scheme is not known behind a proxy. `X-Forwarded-Host`, `Forwarded`
 * and the request target are not read.
 *
 * @param rules - undefined if any host is allowed
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
  if (authorities.length + hosts.length < 2) return authorities[0] ?? hosts[0];
  const isSame = authorities[0]?.toLowerCase() === hosts[0]?.toLowerCase();
  if (authorities.length > 1 || hosts.length > 1 || !isSame)
    throw new RequestOriginRejectedError('duplicate_host');
  return authorities[0];
}

function isAllowed(value: string, rules: HostRules): boolean {
  const parts = parseHost(value);
  if (!parts) return false;
  const { host, port } = parts;
  const ports = port === '' ? ['80', '443'] : [port];
  return rules.has(host) || ports.some((each) => rules.has(`${host}:${each}`));
}
