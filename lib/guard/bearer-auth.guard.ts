import { type CanActivate, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { type ServerResponse } from 'node:http';
import { isMcpCall, localCallOf } from '../auth-info/local-call.js';
import { admissionOf, requestOf, withdrawAdmission } from '../auth-info/request-auth.js';
import { type BearerException } from '../challenge/bearer.exception.js';
import { completeCors } from '../challenge/cors-headers.js';
import { refuse } from '../challenge/refuse.js';
import { CredentialsRefusedError } from '../errors/refusal.errors.js';
import { recordDenial } from '../exchange/step-up.js';
import { IMPORTED_MODULE, IS_BEARER_AUTH_GUARD, MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import {
  type KnownResource,
  type ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { isOfMessage } from '../platform/mcp-nest.js';
import { nodeResponseOf, type PlatformResponse } from '../platform/node-message.js';
import { policyOf } from '../origin/request-origin-policy.js';
import { GuardReport } from './guard-report.js';
import { LocalAuthenticator } from './local-authenticator.js';
import { refuseCall } from './refused-call.js';
import { NO_ARGUMENTS } from '../mcp/operations.js';
import { type ScopedCall, type ScopeRequirement } from '../mcp/scope-requirement.js';
import { type CalledHandler } from './admission-rules.js';
import { type AuthenticatedRequest, RequestAuthenticator } from './request-authenticator.js';
import { type RouteFacts, RouteFactsReader } from './route-facts.js';

/**
 * Admits requests that carry a good access token for the route's protected resource, with the scopes that the
 * route and, on an MCP endpoint, the called operation need. Everything else is answered as RFC 6750 says.
 *
 * The order: decide on Origin and Host, extract the token, verify it, decide on issuer, audience and time, then on scopes,
 * before any handler runs. The caller is then in `req.auth`. On an MCP handler the guard looks at the HTTP request behind
 * it, which must have been admitted at its own route; without one the handler runs for callers of the option `stdio`, and
 * for those that a transport of the application vouches for, and else it does not run.
 *
 * Works with `@UseGuards()` on a class or method, as `APP_GUARD`, and by `app.useGlobalGuards()`. To change what it
 * looks at, extend it and override `getRequest`, `getResponse` or `getRequiredScopes`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 | RFC 6750 section 3}
 * @publicApi
 */
@Injectable()
@SetMetadata(IS_BEARER_AUTH_GUARD, true)
export class BearerAuthGuard implements CanActivate {
  private readonly routes = new RouteFactsReader();

  // Injected into properties, so that a class that extends the guard may have a constructor of its own.
  @Inject(IMPORTED_MODULE) private readonly resources!: ProtectedResourceRegistry;
  @Inject() private readonly reflector!: Reflector;
  @Inject() private readonly adapterHost!: HttpAdapterHost;
  @Inject() private readonly authenticator!: RequestAuthenticator;
  @Inject() private readonly localCallers!: LocalAuthenticator;
  @Inject() private readonly report!: GuardReport;
  @Inject(MCP_AUTH_OPTIONS) private readonly options!: ResolvedMcpAuthOptions;

  /** Decides at once where nobody has to be asked: on a token that is remembered, and without one. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const route = this.routes.of(context, this.reflector);
    if (route.isSkipped) return true;
    const resource = this.getResource(context, route);
    try {
      const pending = this.decide(context, route, resource);
      if (pending === undefined) return true;
      return pending.then(
        () => true,
        (failure: unknown) => {
          throw this.refuse(context, resource, failure);
        },
      );
    } catch (failure) {
      const exception = this.refuse(context, resource, failure);
      if (isMcpCall(context) && this.getRequest(context) === undefined) return refuseCall(exception, failure);
      throw exception;
    }
  }

  /** The HTTP request that is decided on. Override it for a context type that Nest does not know. */
  protected getRequest(context: ExecutionContext): object | undefined {
    return requestOf(context);
  }

  /** The response that gets the challenge; undefined where a handler is called within another request. */
  protected getResponse(context: ExecutionContext): unknown {
    return context.getType() === 'http' ? context.switchToHttp().getResponse<unknown>() : undefined;
  }

  /** What the handler itself needs, beside the scopes of the resource and of what the body asks for. */
  protected getRequiredScopes(context: ExecutionContext): readonly ScopeRequirement[] {
    return this.routes.of(context, this.reflector).requirements;
  }

  private getResource(context: ExecutionContext, route: RouteFacts): KnownResource {
    if (context.getType() === 'http' || route.resourceName !== undefined) {
      return (route.resource ??= this.resources.require(route.resourceName, route.where));
    }
    return admissionOf(this.getRequest(context))?.resource ?? this.resources.first();
  }

  private decide(
    context: ExecutionContext,
    route: RouteFacts,
    resource: KnownResource,
  ): Promise<void> | undefined {
    const request = this.getRequest(context);
    if (!request) {
      this.decideOnLocalCall(context, route);
      return undefined;
    }
    const allowsAnonymous = route.allowsAnonymous || resource.options.allowAnonymous;
    // Within another request, that one must have been let in at its own route: it is not authenticated here.
    const isUndecided = context.getType() !== 'http' && admissionOf(request)?.resource !== resource;
    if (isUndecided && !allowsAnonymous) throw new CredentialsRefusedError('missing_token');
    // Within another request that one's origin counts, which was decided on at its own route.
    if (context.getType() === 'http') this.checkOrigin(context, request as AuthenticatedRequest, resource);
    const requirements = this.getRequiredScopes(context);
    const call = callOf(context, route, requirements);
    const isLast = context.getType() === 'http';
    const response = isLast ? this.nodeResponse(context) : undefined;
    const handler = isLast ? undefined : calledHandler(context, route, call);
    const { mayStream } = route;
    const rules = { resource, requirements, call, handler, allowsAnonymous, isLast, response, mayStream };
    return this.authenticator.admit(request as AuthenticatedRequest, rules);
  }

  /** Without an HTTP request: only where the transport says that there is none. */
  private decideOnLocalCall(context: ExecutionContext, route: RouteFacts): void {
    const local = localCallOf(context);
    if (!local) throw new CredentialsRefusedError('missing_token');
    const requirements = this.getRequiredScopes(context);
    this.localCallers.admit(local, { route, requirements, call: callOf(context, route, requirements) });
  }

  private nodeResponse(context: ExecutionContext): ServerResponse | undefined {
    const response = this.getResponse(context);
    return typeof response === 'object' && response !== null
      ? nodeResponseOf(response as PlatformResponse)
      : undefined;
  }

  private checkOrigin(
    context: ExecutionContext,
    request: AuthenticatedRequest,
    { options }: KnownResource,
  ): void {
    const origin = policyOf(options).check(request);
    const response = this.getResponse(context) as { getHeader?(name: string): unknown } | undefined;
    if (origin === undefined || !response) return;
    const { httpAdapter } = this.adapterHost;
    const node = this.nodeResponse(context);
    completeCors(origin, {
      get: (name) => response.getHeader?.(name),
      set: (name, value) => {
        httpAdapter.setHeader(response, name, value);
        // What answers on Node's response itself knows nothing of the headers of Fastify's.
        if (node && node !== response) node.setHeader(name, value);
      },
    });
  }

  private refuse(context: ExecutionContext, resource: KnownResource, failure: unknown): BearerException {
    const request = this.getRequest(context);
    const exception = refuse(failure, {
      resource,
      options: this.options,
      adapter: this.adapterHost.httpAdapter,
      response: this.getResponse(context),
      body: () => (request as Partial<AuthenticatedRequest> | undefined)?.body,
    });
    // What is called within a request is refused alone: others may run in the same one. Its answer says why.
    const isWhole = request !== undefined && context.getType() === 'http';
    if (!isWhole && recordDenial(request, failure)) return exception;
    const auth = isWhole ? withdrawAdmission(request) : admissionOf(request)?.auth;
    const status = exception.getStatus();
    this.report.refused({ failure, status, resource: resource.options.resource, auth, request });
    return exception;
  }
}

/**
 * What functions are told. A handler within another request has been given its arguments already; one of a resource, the
 * URI among them.
 */
function callOf(
  context: ExecutionContext,
  { call }: RouteFacts,
  requirements: readonly ScopeRequirement[],
): ScopedCall {
  // Nobody else asks.
  if (!requirements.some((requirement) => typeof requirement === 'function')) return call;
  const type = context.getType<string>();
  if (type === 'http') {
    const { method = '' } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    return { ...call, method };
  }
  if (type !== 'rpc') return call;
  const given = context.switchToRpc().getData<ScopedCall['arguments'] | undefined>() ?? NO_ARGUMENTS;
  if (call.kind !== 'resource') return { ...call, arguments: given };
  return typeof given['uri'] === 'string' ? { ...call, name: given['uri'] } : call;
}

function calledHandler(context: ExecutionContext, route: RouteFacts, call: ScopedCall): CalledHandler {
  const carrier: unknown =
    context.getType<string>() === 'rpc' ? context.switchToRpc().getContext() : undefined;
  const message = isOfMessage(carrier, call) ? carrier : undefined;
  return { name: route.call.name, message, invocation: context.getArgs() };
}
