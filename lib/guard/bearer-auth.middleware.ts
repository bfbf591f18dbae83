import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { runForRequest } from '../auth-info/current-request.js';
import { withdrawAdmission } from '../auth-info/request-auth.js';
import { corsHeaders } from '../challenge/cors-headers.js';
import { isJsonRpcRefusal, requestIdOf } from '../challenge/refusal-body.js';
import { refusalResponse } from '../challenge/refusal-response.js';
import { writeRefusal } from '../challenge/write-refusal.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { policyOf } from '../origin/request-origin-policy.js';
import {
  nodeRequestOf,
  nodeResponseOf,
  type PlatformResponse,
  takeResponse,
} from '../platform/node-message.js';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { requestPath } from '../resource-metadata/resource-metadata-url.js';
import { ResourcePaths } from '../resource-metadata/resource-paths.js';
import { GuardReport } from './guard-report.js';
import { type AuthenticatedRequest, RequestAuthenticator } from './request-authenticator.js';

/** What functions in requirements would be told. A middleware knows no handler, so none asks for scopes of its own. */
const CALL = { kind: 'route', name: 'middleware', method: '', arguments: {} } as const;

/**
 * {@link BearerAuthGuard} for what no Nest guard covers: routes that a library mounts on the platform, or an Express
 * handler of your own.
 *
 * Answers refusals itself, with the same status, headers and body as the guard. The scopes of the called tool are decided
 * on where the body has been parsed before; otherwise only the token and the scopes of the resource are.
 *
 * With several resources, the one whose path the request is at or below is meant. The metadata documents of resources
 * stay open, also where it stands before all routes.
 *
 * @example
 * ```ts
 * consumer.apply(BearerAuthMiddleware).forRoutes('reports');
 *
 * const bearerAuth = app.get(BearerAuthMiddleware);
 * app.use('/reports', (req, res, next) => bearerAuth.use(req, res, next), reports);
 * ```
 * @publicApi
 */
@Injectable()
export class BearerAuthMiddleware implements NestMiddleware<IncomingMessage, ServerResponse> {
  /** @internal */
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly paths: ResourcePaths,
    private readonly authenticator: RequestAuthenticator,
    private readonly report: GuardReport,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /**
   * Lets a request through, or answers it.
   *
   * @throws {@link McpAuthConfigError} when the request's path belongs to none of several resources
   */
  use(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    // Routers cut off the path that they have matched.
    const target = (request as AuthenticatedRequest).originalUrl ?? request.url ?? '';
    if (this.resources.documentAt(requestPath(target))) {
      next();
      return;
    }
    const resource = this.paths.find(target) ?? this.resources.require(undefined, 'BearerAuthMiddleware');
    if (this.admitsOrigin(resource, request, response)) this.authenticate(resource, request, response, next);
  }

  /**
   * Decides on Host alone, for a document that is for pages of any origin.
   *
   * @param resources - those that the document is for; one that allows the host is enough
   * @returns false where the request has been answered
   * @internal
   */
  admitsHost(
    resources: readonly KnownResource[],
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
  ): boolean {
    const refusals: [KnownResource, unknown][] = [];
    for (const resource of resources) {
      try {
        policyOf(resource.options).checkHost(request);
        return true;
      } catch (failure) {
        refusals.push([resource, failure]);
      }
    }
    const [first] = refusals;
    if (!first) return true;
    this.refuse(first[1], first[0], request, response);
    return false;
  }

  /**
   * Decides on Origin and Host, and says in the response what a page of an allowed origin may read.
   *
   * @returns the allowed origin, or true where there is none; false where the request has been answered
   * @internal
   */
  admitsOrigin(
    resource: KnownResource,
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
  ): string | boolean {
    try {
      const origin = policyOf(resource.options).check(request);
      if (origin === undefined) return true;
      for (const [name, value] of Object.entries(corsHeaders(origin)))
        nodeResponseOf(response).setHeader(name, value);
      return origin;
    } catch (failure) {
      this.refuse(failure, resource, request, response);
      return false;
    }
  }

  /**
   * @param isLast - whether handlers come next, and no body parser of the platform
   * @internal
   */
  authenticate(
    resource: KnownResource,
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
    next: () => void,
    isLast = false,
  ): void {
    const refuse = (failure: unknown): void => {
      this.refuse(failure, resource, request, response);
    };
    const goOn = (): void => {
      runForRequest(nodeRequestOf(request), next);
    };
    let pending: Promise<void> | undefined;
    try {
      const { allowAnonymous } = resource.options;
      const node = nodeResponseOf(response);
      // Spelled out: to spread a constant into it takes the engine longer than all else here.
      const rules = {
        resource,
        requirements: [],
        call: CALL,
        allowsAnonymous: allowAnonymous,
        isLast,
        response: node,
      };
      pending = this.authenticator.admit(request, rules);
    } catch (failure) {
      refuse(failure);
      return;
    }
    if (pending) pending.then(goOn, refuse);
    else goOn();
  }

  private refuse(
    failure: unknown,
    resource: KnownResource,
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
  ): void {
    const id = isJsonRpcRefusal(failure, this.options) ? requestIdOf(request.body) : null;
    const refusal = refusalResponse(failure, resource, this.options, id);
    const { status } = refusal;
    const auth = withdrawAdmission(request);
    this.report.refused({ failure, status, resource: resource.options.resource, auth, request });
    const node = takeResponse(response);
    // Something else may have answered while the token was verified, such as a time limit.
    if (!node.headersSent) writeRefusal(node, refusal);
  }
}
