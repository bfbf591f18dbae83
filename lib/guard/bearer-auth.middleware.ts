import { Injectable, type NestMiddleware } from '@nestjs/common';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { admissionOf } from '../auth-info/request-auth.js';
import { runForRequest } from '../auth-info/auth-context.js';
import { refusalResponse } from '../challenge/refusal-response.js';
import { writeRefusal } from '../challenge/write-refusal.js';
import { nodeRequestOf, type PlatformResponse, takeResponse } from '../platform/node-message.js';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { requestPath } from '../resource-metadata/resource-metadata-url.js';
import { ResourcePaths } from '../resource-metadata/resource-paths.js';
import { GuardReport } from './guard-report.js';
import { type AuthenticatedRequest, RequestAuthenticator } from './request-authenticator.js';

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
    this.protect(resource, request, response, next);
  }

  /** @internal */
  protect(
    resource: KnownResource,
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
    next: () => void,
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
      pending = this.authenticator.admit(request, { resource, scopes: [], allowsAnonymous: allowAnonymous });
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
    request: object,
    response: PlatformResponse,
  ): void {
    const { requiredScopes, resource: identifier } = resource.options;
    const refusal = refusalResponse(failure, { metadataUrl: resource.metadataUrl, requiredScopes });
    const auth = admissionOf(request)?.auth;
    this.report.refused({ failure, status: refusal.status, resource: identifier, auth });
    const node = takeResponse(response);
    // Something else may have answered while the token was verified, such as a time limit.
    if (!node.headersSent) writeRefusal(node, refusal);
  }
}
