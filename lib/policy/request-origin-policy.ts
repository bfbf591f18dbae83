import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import { assertHost, type HostRules } from './assert-host.js';
import { assertOrigin, originRules, type OriginRules } from './assert-origin.js';
import type { OriginRequest } from './header-values.js';

type Allowed = Pick<ResolvedProtectedResourceOptions, 'allowedOrigins' | 'allowedHosts'>;

/**
 * Checks Host and Origin of requests for one resource. It runs before credentials are read.
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
   * Checks Host, then Origin.
   *
   * @returns the allowed origin as sent, for CORS headers; undefined if none was sent
   * @throws {@link RequestOriginRejectedError}
   */
  check(request: OriginRequest): string | undefined {
    this.checkHost(request);
    return assertOrigin(request, this.origins);
  }

  /**
   * Checks only Host, for documents that pages of any origin may read.
   *
   * @throws {@link RequestOriginRejectedError} `host` or `duplicate_host`
   */
  checkHost(request: OriginRequest): void {
    assertHost(request, this.hosts);
  }
}

const policies = new WeakMap<Allowed, RequestOriginPolicy>();

/** Returns the policy of a resource, made once. @internal */
export function policyOf(resource: Allowed): RequestOriginPolicy {
  let policy = policies.get(resource);
  if (!policy) policies.set(resource, (policy = new RequestOriginPolicy(resource)));
  return policy;
}
