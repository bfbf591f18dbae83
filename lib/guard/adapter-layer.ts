import { Inject, Injectable, type MiddlewareConsumer } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { runForRequest } from '../auth-info/current-request.js';
import { admissionOf, makeRoom, presentCaller, undecidedOf } from '../auth-info/request-auth.js';
import { preflightResponse } from '../challenge/cors-headers.js';
import { refusalResponse } from '../challenge/refusal-response.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { hasUnreadMessage } from '../mcp/unread-body.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { policyOf } from '../origin/request-origin-policy.js';
import {
  addBeforeMiddleware,
  addBeforePlatform,
  addHook,
  hasRequestsOfItsOwn,
  type Hook,
  type PlatformRequest,
} from '../platform/hooks.js';
import { coverSubtrees } from '../platform/middleware-routes.js';
import { nodeRequestOf, type PlatformResponse, takeResponse } from '../platform/node-message.js';
import { keepPeeked } from '../platform/peek-json.js';
import { correctPreflights, type PreflightAnswer } from '../platform/preflights.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { ResourcePaths } from '../resource-metadata/resource-paths.js';
import { WellKnownResponder } from '../resource-metadata/well-known.responder.js';
import { BearerAuthMiddleware } from './bearer-auth.middleware.js';

/**
 * What stands before all routes of the application, those that libraries mount on the platform included: every request
 * is tied to {@link AuthContext}, requests to a protected resource's path come from where they may, preflights and
 * whatever does not read a metadata document are answered and, with `earlyAuthentication`, requests to a protected
 * resource are authenticated before their body is read.
 *
 * It is put on the platform as soon as there is one: before what an application adds after `NestFactory.create()`.
 *
 * @internal
 */
@Injectable()
export class AdapterLayer {
  /** @throws {@link McpAuthConfigError} when requests to resources cannot be told apart before they are routed */
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly paths: ResourcePaths,
    private readonly responder: WellKnownResponder,
    private readonly middleware: BearerAuthMiddleware,
    private readonly handlerScopes: HandlerScopeRegistry,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {
    const problems = options.earlyAuthentication ? paths.problems() : [];
    if (problems.length > 0) throw new McpAuthConfigError(problems);
    // A testing module makes its providers before it has a platform.
    const adapter = host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter) this.installFirst();
    else
      host.init$.subscribe(() => {
        // An application may have none at all.
        if (host.httpAdapter as object | null) this.installFirst();
      });
  }

  /**
   * Meets requests again once bodies are read, before routes. To be called between the two: when Nest configures
   * middleware. The application's own gets to cover what is below its paths then.
   */
  installAfterBodies(consumer: MiddlewareConsumer): void {
    coverSubtrees(consumer, BearerAuthMiddleware);
    const { httpAdapter } = this.host;
    if (hasRequestsOfItsOwn(httpAdapter)) return;
    addBeforePlatform(httpAdapter, makeRoom);
    addHook(httpAdapter, 'preHandler', this.again);
  }

  private installFirst(): void {
    const { httpAdapter } = this.host;
    correctPreflights(
      httpAdapter,
      (request) => this.responder.earlyResponse(request) ?? this.preflightAnswer(request),
    );
    addHook(httpAdapter, 'onRequest', this.first);
    if (this.options.earlyAuthentication) addBeforeMiddleware(httpAdapter, this.first);
    // Fastify knows its time by its name. At once, as a plugin takes over the hooks that are there when it is registered.
    if (hasRequestsOfItsOwn(httpAdapter)) addHook(httpAdapter, 'preHandler', this.again);
  }

  private readonly first: Hook = (request, response, next) => {
    runForRequest(nodeRequestOf(request), () => {
      this.receive(request, response, next);
    });
  };

  /**
   * A parser of the application may have left the request's context, and a middleware knows Node's request only. What a
   * request asks for is known in full now, so its scopes are decided on again: with `earlyAuthentication`, and behind a middleware that met it before.
   */
  private readonly again: Hook = (request, response, next) => {
    runForRequest(nodeRequestOf(request), () => {
      keepPeeked(request);
      const admission = admissionOf(request);
      if (admission) presentCaller(request, admission.auth);
      const resource = this.options.earlyAuthentication ? this.resourceOf(request) : undecidedOf(request);
      if (resource) this.middleware.authenticate(resource, request, response, next, true);
      else next();
    });
  };

  private readonly receive: Hook = (request, response, next) => {
    if (!this.middleware.admitsTarget(request.url ?? '', request, response)) return;
    if (!this.middleware.admitsHost(this.responder.resourcesAt(request), request, response)) return;
    if (this.responder.respondEarly(request, response)) return;
    const resource = this.resourceOf(request);
    if (!resource) {
      next();
      return;
    }
    const origin = this.middleware.admitsOrigin(resource, request, response);
    if (origin === false) return;
    if (typeof origin === 'string' && isPreflight(request)) answerPreflight(origin, request, response);
    else if (this.options.earlyAuthentication)
      this.middleware.authenticate(resource, request, response, () => {
        this.readMessage(resource, request, response, next);
      });
    else next();
  };

  /**
   * Routes that a library has mounted stand before the application's body parsers on Express, and handlers among the
   * middleware stand before them on Fastify, so that {@link again} does not meet their requests. What a request asks for is
   * decided on now then. Only for who has been let in, and where MCP handlers are declared.
   */
  private readMessage(
    resource: KnownResource,
    request: PlatformRequest,
    response: PlatformResponse,
    next: (error?: unknown) => void,
  ): void {
    const { decides, needsBodies } = this.handlerScopes;
    // On Fastify only what no guard of Nest decides on again is worth reading a body twice.
    const isRead = hasRequestsOfItsOwn(this.host.httpAdapter) ? needsBodies : decides;
    if (isRead && hasUnreadMessage(request)) this.middleware.decide(resource, request, response, next, next);
    else next();
  }

  /** What a preflight to a resource is answered with, where the application's own CORS setting has answered already. */
  private preflightAnswer(request: PlatformRequest): PreflightAnswer | undefined {
    const resource = isPreflight(request) ? this.resourceOf(request) : undefined;
    if (!resource) return undefined;
    try {
      const origin = policyOf(resource.options).check(request);
      return origin === undefined ? undefined : preflightFor(origin, request);
    } catch (failure) {
      return refusalResponse(failure, resource, this.options);
    }
  }

  private resourceOf({ url = '' }: PlatformRequest): KnownResource | undefined {
    return this.paths.isWellKnown(url) ? undefined : this.paths.find(url);
  }
}

function isPreflight({ method, headers }: PlatformRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function preflightFor(origin: string, { headers }: PlatformRequest): PreflightAnswer {
  return preflightResponse(origin, headers['access-control-request-headers']);
}

function answerPreflight(origin: string, request: PlatformRequest, response: PlatformResponse): void {
  const { status, headers } = preflightFor(origin, request);
  takeResponse(response).writeHead(status, headers).end();
}
