import { Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { RequestContext } from '../request/request-context.js';
import type { Rejection } from '../rejection/decision-report.js';
import { Rejections } from '../rejection/rejections.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { CredentialsRejectedError, MessageRejectedError } from '../errors/rejection.errors.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { operationsOf } from '../mcp/operations.js';
import { beforeOperations, filterRequests, type McpStrategy, onStrategy } from '../platform/mcp-nest.js';
import { nodeResponseOf, type PlatformRequest, type PlatformResponse } from '../platform/node-message.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { ResourcePaths } from '../resource/resource-paths.js';
import { AccessGrants } from '../response/access-grants.js';
import { rejectedCall } from './rejected-call.js';
import { RequestFilter } from './request-filter.js';

/** The parts of a platform's request that are read. */
interface HandedRequest {
  readonly originalUrl?: string | undefined;
  readonly url?: string | undefined;
  readonly body?: unknown;
}

const REACHED = 'A request reached a transport of @rekog/mcp-nest without authentication';

/** The kind of these log lines. */
const KIND = 'unguarded transport';

const NOT_AUTHENTICATED =
  `${REACHED} and was rejected; add @UseGuards(BearerAuthGuard) to the route that hands it over, or @SkipBearerAuth() ` +
  'if the route is open to everybody';

const UNKNOWN_RESOURCE =
  `${REACHED}, at a path of no protected resource; add @UseGuards(BearerAuthGuard) and @ProtectedResource() to the route ` +
  'that hands it over';

const UNKNOWN_VERSION =
  'is of a version of @rekog/mcp-nest whose operations cannot be checked; use a version that nestjs-mcp-auth supports';

/**
 * Checks at run time that no handler of @rekog/mcp-nest runs for an HTTP request that this package has not checked, whatever
 * its route. Its HTTP transport answers such a request with 401. On another HTTP transport, the operation is a JSON-RPC error.
 * The guard checks local calls, such as over stdio.
 *
 * @internal
 */
@Injectable()
export class TransportCheck {
  constructor(
    modules: ModulesContainer,
    private readonly resources: ProtectedResourceRegistry,
    private readonly paths: ResourcePaths,
    private readonly rejections: Rejections,
    private readonly filter: RequestFilter,
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly grants: AccessGrants,
    private readonly log: RateLimitedLogger,
  ) {
    onStrategy(modules, (strategy) => {
      this.check(strategy);
    });
  }

  /** @throws {@link McpAuthConfigError} if the operations of the strategy cannot be checked */
  private check(strategy: McpStrategy): void {
    for (const transport of strategy.options.transports) {
      filterRequests(transport, (request, response) => {
        const context = RequestContext.find(request);
        if (context?.isDecided) {
          this.grants.grant(context, request, nodeResponseOf(response as PlatformResponse));
          return true;
        }
        this.reject(request as PlatformRequest, response as PlatformResponse);
        return false;
      });
    }
    const isChecked = beforeOperations(strategy, (transport, rawRequest, message) => {
      const context = this.assertDecided(transport, rawRequest, message);
      const resource = context?.resource;
      if (!resource) return;
      if (!context.authentication) this.assertOpen(context, resource, message);
      if (this.handlerScopes.hasOwners) this.assertOwned(context, resource, message, strategy);
    });
    if (isChecked) return;
    throw new McpAuthConfigError([{ path: strategy.constructor.name, message: UNKNOWN_VERSION }]);
  }

  private reject(request: HandedRequest & PlatformRequest, response: PlatformResponse): void {
    const known = this.resourceOf(request);
    this.log.write('warn', KIND, known ? NOT_AUTHENTICATED : UNKNOWN_RESOURCE);
    if (!known) {
      this.rejections.answer(new Error(REACHED), this.resources.first(), request, response);
      return;
    }
    this.filter.findResource(known, request, response, (resource) => {
      this.rejections.answer(new CredentialsRejectedError('missing_token'), resource, request, response);
    });
  }

  private resourceOf({ originalUrl, url = '' }: HandedRequest): ProtectedResource | undefined {
    const all = this.resources.all();
    return this.paths.find(originalUrl ?? url) ?? (all.length === 1 ? all[0] : undefined);
  }

  /** Returns the request in whose course an operation runs; the operation belongs to it, as everywhere in this package. */
  private assertDecided(
    transport: unknown,
    rawRequest: unknown,
    message: unknown,
  ): RequestContext | undefined {
    const given = typeof rawRequest === 'object' && rawRequest !== null ? rawRequest : undefined;
    if (given === undefined && transport !== 'streamable-http') return undefined;
    const context = RequestContext.current() ?? RequestContext.find(given);
    if (context?.isDecided) return context;
    this.log.write('warn', KIND, NOT_AUTHENTICATED);
    const resource = (given && this.resourceOf(given)) ?? this.resources.first();
    throw this.rejectMessage(401, new CredentialsRejectedError('missing_token'), resource, {
      ...{ request: given, body: message, auth: undefined },
    });
  }

  /**
   * Checks again what the option `anonymousMethods` opens: the application may have changed the body since the guard checked it,
   * and handlers without a guard of their own run for any body.
   */
  private assertOpen(context: RequestContext, resource: ProtectedResource, message: unknown): void {
    const { anonymousMethods, allowAnonymous } = resource.options;
    const isOpenRoute = allowAnonymous || context.response?.authorized.allowsAnonymous === true;
    if (anonymousMethods.length === 0 || isOpenRoute) return;
    const isOpen = operationsOf(message).every((operation) =>
      this.handlerScopes.allowsAnonymous(operation, resource),
    );
    if (!isOpen)
      throw this.rejectMessage(401, new CredentialsRejectedError('missing_token'), resource, {
        ...{ request: context.request, body: message, auth: undefined },
      });
  }

  /**
   * Checks the resource now, because only now it is known which of several servers with handlers of one name runs the
   * operation.
   */
  private assertOwned(
    context: RequestContext,
    resource: ProtectedResource,
    message: unknown,
    { transportId }: McpStrategy,
  ): void {
    const isOwned = operationsOf(message).every((operation) =>
      this.handlerScopes.belongsTo(operation, resource, transportId),
    );
    const { request, authentication } = context;
    if (!isOwned)
      throw this.rejectMessage(403, new MessageRejectedError('other_resource'), resource, {
        ...{ request, body: message, auth: authentication?.auth },
      });
  }

  /** Reports that one message of a request is rejected, and returns the error that answers it. */
  private rejectMessage(
    status: number,
    failure: Error,
    resource: ProtectedResource,
    rejected: Pick<Rejection, 'request' | 'body' | 'auth'>,
  ): Error {
    this.rejections.tell(failure, resource, { ...rejected, isPartial: true });
    return rejectedCall(status, failure);
  }
}
