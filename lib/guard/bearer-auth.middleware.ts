import { Injectable, type NestMiddleware } from '@nestjs/common';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { runForRequest } from '../auth-info/current-request.js';
import { withdrawAdmission } from '../auth-info/request-auth.js';
import { refusalResponse } from '../challenge/refusal-response.js';
import { writeRefusal } from '../challenge/write-refusal.js';
import { nodeRequestOf, type PlatformResponse, takeResponse } from '../platform/node-message.js';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { ResourcePaths } from '../resource-metadata/resource-paths.js';
import { GuardReport } from './guard-report.js';
import { type AuthenticatedRequest, RequestAuthenticator } from './request-authenticator.js';

/** A Node request, with what frameworks add to it. */
type MiddlewareRequest = IncomingMessage & Pick<AuthenticatedRequest, 'body' | 'originalUrl'>;

/**
 * {@link BearerAuthGuard} for what no Nest guard covers: routes that a library mounts on the platform, or an Express
 * handler of your own.
 *
 * Answers refusals itself, with the same status, headers and body as the guard. The scopes of the called tool are decided
 * on where the body has been parsed before; otherwise only the token and the scopes of the resource are.
 *
 * With several resources, the one whose path the request is at or below is meant.
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
export class BearerAuthMiddleware implements NestMiddleware<MiddlewareRequest, ServerResponse> {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly paths: ResourcePaths,
    private readonly authenticator: RequestAuthenticator,
    private readonly report: GuardReport,
  ) {}

  /** @throws {@link McpAuthConfigError} when the request's path belongs to none of several resources */
  use(request: MiddlewareRequest, response: ServerResponse, next: () => void): void {
    const target = request.originalUrl ?? request.url ?? '';
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
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
  ): void {
    const { requiredScopes, resource: identifier } = resource.options;
    const refusal = refusalResponse(failure, { metadataUrl: resource.metadataUrl, requiredScopes });
    const auth = withdrawAdmission(request);
    this.report.refused({ failure, status: refusal.status, resource: identifier, auth, request });
    writeRefusal(takeResponse(response), refusal);
  }
}
