import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import { assertHost, type HostRules } from './assert-host.js';
import { assertOrigin, originRules, type OriginRules } from './assert-origin.js';
import type { OriginRequest } from './header-values.js';

type Allowed = Pick<ResolvedProtectedResourceOptions, 'allowedOrigins' | 'allowedHosts'>;

/**
 * Where requests for one resource may come from. Asked before credentials are looked for.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http | MCP, Streamable HTTP}
 * @internal
 */
export class RequestOriginPolicy {
  private readonly origins: OriginRules;
  private readonly hosts: HostRules | undefined;

  constructor({ allowedOrigins, allowedHosts }: Allowed) {
    this.origins = originRules(allowedOrigins);
    this.hosts = allowedHosts && new Set(allowedHosts);
  }

  /**
   * Decides on Host, then on Origin.
   *
   * @returns the allowed origin as sent, for CORS headers; undefined where none was sent
   * @throws {@link RequestOriginRejectedError}
   */
  check(request: OriginRequest): string | undefined {
    this.checkHost(request);
    return assertOrigin(request, this.origins);
  }

  /**
   * Decides on Host alone, for documents that pages of any origin may read.
   *
   * @throws {@link RequestOriginRejectedError} `host` or `duplicate_host`
   */
  checkHost(request: OriginRequest): void {
    assertHost(request, this.hosts);
  }
}

const policies = new WeakMap<Allowed, RequestOriginPolicy>();

/** The policy of a resource, made once. @internal */
export function policyOf(resource: Allowed): RequestOriginPolicy {
  let policy = policies.get(resource);
  if (!policy) policies.set(resource, (policy = new RequestOriginPolicy(resource)));
  return policy;
}
