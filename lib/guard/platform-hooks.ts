import { Inject, Injectable, type MiddlewareConsumer } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RequestContext } from '../request/request-context.js';
import { preflightResponse } from '../rejection/cors-headers.js';
import { Rejections } from '../rejection/rejections.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { hasUnreadMessage } from '../mcp/unread-body.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { policyOf } from '../policy/request-origin-policy.js';
import {
  addBeforeMiddleware,
  correctPreflights,
  isFastify,
  type PreflightAnswer,
} from '../platform/fastify.js';
import { addHook } from '../platform/http-adapter.js';
import { coverSubtrees } from '../platform/nest-middleware.js';
import {
  type Hook,
  type PlatformRequest,
  type PlatformResponse,
  takeResponse,
} from '../platform/node-message.js';
import { keepPeeked } from '../platform/peek-json.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { ResourcePaths } from '../resource/resource-paths.js';
import { WellKnownResponder } from '../resource/well-known.responder.js';
import { AccessGrants } from '../response/access-grants.js';
import { BearerAuthMiddleware } from './bearer-auth.middleware.js';
import { RequestFilter } from './request-filter.js';
import { TenantRequests } from './tenant-requests.js';

/**
 * Handles every request before all routes, including those that libraries mount on the platform:
 *
 * - runs the request in its context, so that {@link AuthContext} finds the caller
 * - checks Host and Origin at a protected resource's path
 * - answers preflights, and requests for a metadata document that do not read it
 * - with `earlyAuthentication`, authenticates requests to a resource before their body is read
 *
 * The hooks are installed as soon as there is a platform: before everything that an application adds after
 * `NestFactory.create()`.
 *
 * @internal
 */
@Injectable()
export class PlatformHooks {
  /** @throws {@link McpAuthConfigError} if requests to resources cannot be distinguished before they are routed */
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly paths: ResourcePaths,
    private readonly responder: WellKnownResponder,
    private readonly filter: RequestFilter,
    private readonly rejections: Rejections,
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly grants: AccessGrants,
    private readonly tenants: TenantRequests,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'earlyAuthentication'>,
  ) {
    const problems = options.earlyAuthentication ? paths.problems() : [];
    if (problems.length > 0) throw new McpAuthConfigError(problems);
    // A testing module creates its providers before it has a platform.
    const adapter = host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter) this.installFirst();
    else
      host.init$.subscribe(() => {
        // An application may have no platform at all.
        if (host.httpAdapter as object | null) this.installFirst();
      });
  }

  /**
   * Handles requests again after bodies are read, before routes. Call it between the two: when Nest configures middleware. It
   * also makes the application's {@link BearerAuthMiddleware} cover the paths below its own.
   */
  installAfterBodies(consumer: MiddlewareConsumer): void {
    coverSubtrees(consumer, BearerAuthMiddleware);
    const { httpAdapter } = this.host;
    if (isFastify(httpAdapter)) return;
    addHook(httpAdapter, 'preHandler', this.preHandler);
  }

  private installFirst(): void {
    const { httpAdapter } = this.host;
    correctPreflights(
      httpAdapter,
      (request) => this.responder.earlyResponse(request) ?? this.preflightAnswer(request),
    );
    addHook(httpAdapter, 'onRequest', this.onRequest);
    if (this.options.earlyAuthentication) addBeforeMiddleware(httpAdapter, this.onRequest);
    // Fastify orders hooks by name. Installed at once, because a plugin inherits the hooks that exist when it is registered.
    if (isFastify(httpAdapter)) addHook(httpAdapter, 'preHandler', this.preHandler);
  }

  private readonly onRequest: Hook = (request, response, next) => {
    this.grants.see(request);
    RequestContext.run(request, () => {
      this.receive(request, response, next);
    });
  };

  /** Authorizes requests that were authenticated before their body was read. */
  private readonly preHandler: Hook = (request, response, next) => {
    // Again: a parser of the application may have left the course of the request.
    RequestContext.run(request, () => {
      const context = RequestContext.find(request);
      keepPeeked(request);
      // A middleware has only Node's request.
      if (context?.authentication) context.present(request);
      const declared = this.options.earlyAuthentication ? this.resourceOf(request) : context?.awaitsBody;
      if (!declared) next();
      else
        this.filter.findResource(declared, request, response, (resource) => {
          this.filter.authorize(resource, request, response, next);
        });
    });
  };

  private receive(
    request: PlatformRequest,
    response: PlatformResponse,
    next: (error?: unknown) => void,
  ): void {
    if (!this.filter.checkTarget(request.url ?? '', request, response)) return;
    if (!this.filter.checkHost(this.responder.resourcesAt(request), request, response)) return;
    if (this.responder.respondEarly(request, response)) return;
    const declared = this.resourceOf(request);
    if (!declared) {
      next();
      return;
    }
    const enter = (resource: ProtectedResource): void => {
      this.enter(resource, request, response, next);
    };
    if (this.options.earlyAuthentication) this.filter.findResource(declared, request, response, enter);
    // The guard rejects the request if it covers the route: other routes may have the form of a template too.
    else
      this.filter.findResource(declared, request, response, enter, () => {
        next();
      });
  }

  private enter(
    resource: ProtectedResource,
    request: PlatformRequest,
    response: PlatformResponse,
    next: (error?: unknown) => void,
  ): void {
    const origin = this.filter.checkOrigin(resource, request, response);
    if (origin === false) return;
    if (typeof origin === 'string' && isPreflight(request))
      answerPreflight(origin, request, response, resource);
    else if (this.options.earlyAuthentication) this.authenticate(resource, request, response, next);
    else next();
  }

  /**
   * On Express, routes that a library mounts run before the application's body parsers. On Fastify, handlers in the middleware
   * run before them. So {@link preHandler} does not get their requests. Their body is read now, if MCP handlers are declared
   * and the caller has a valid token, or if it says whether the request needs one.
   */
  private authenticate(
    resource: ProtectedResource,
    request: PlatformRequest,
    response: PlatformResponse,
    next: (error?: unknown) => void,
  ): void {
    if (!hasUnreadMessage(request)) {
      this.filter.authorize(resource, request, response, next);
      return;
    }
    // On Fastify a body is read twice, so only if no guard of Nest authorizes it again.
    const isRead =
      !isFastify(this.host.httpAdapter) &&
      (this.handlerScopes.decides || resource.options.policy !== undefined);
    if (isRead || this.filter.mustRead(resource, request))
      this.filter.readAndAuthorize(resource, request, response, next, next);
    else this.filter.authorizeUnread(resource, request, response, next);
  }

  /** Returns the answer to a preflight to a resource, if the application's own CORS setting has answered already. */
  private preflightAnswer(
    request: PlatformRequest,
  ): PreflightAnswer | undefined | Promise<PreflightAnswer | undefined> {
    const declared = isPreflight(request) ? this.resourceOf(request) : undefined;
    if (declared?.options.tenants === undefined) return declared && this.preflightOf(declared, request);
    return this.preflightOfTenant(declared, request);
  }

  private async preflightOfTenant(
    declared: ProtectedResource,
    request: PlatformRequest,
  ): Promise<PreflightAnswer | undefined> {
    try {
      const resource = await this.tenants.resourceOf(RequestContext.of(request), request, declared);
      return this.preflightOf(resource, request);
    } catch (failure) {
      // As for other requests: the route may be none of a tenant.
      return this.options.earlyAuthentication
        ? this.rejections.response(failure, declared, undefined)
        : undefined;
    }
  }

  private preflightOf(resource: ProtectedResource, request: PlatformRequest): PreflightAnswer | undefined {
    try {
      const origin = policyOf(resource.options).check(request);
      return origin === undefined ? undefined : preflightFor(origin, request, resource);
    } catch (failure) {
      return this.rejections.response(failure, resource, undefined);
    }
  }

  private resourceOf({ url = '' }: PlatformRequest): ProtectedResource | undefined {
    return this.paths.isWellKnown(url) ? undefined : this.paths.find(url);
  }
}

function isPreflight({ method, headers }: PlatformRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function preflightFor(
  origin: string,
  { headers }: PlatformRequest,
  { options }: ProtectedResource,
): PreflightAnswer {
  return preflightResponse(origin, headers['access-control-request-headers'], options.apiKeys?.header);
}

function answerPreflight(
  origin: string,
  request: PlatformRequest,
  response: PlatformResponse,
  resource: ProtectedResource,
): void {
  const { status, headers } = preflightFor(origin, request, resource);
  takeResponse(response).writeHead(status, headers).end();
}
