import { type CanActivate, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import { isMcpCall, localCallOf } from '../request/local-call.js';
import { RequestContext } from '../request/request-context.js';
import { requestOf } from '../request/request-of.js';
import type { BearerException } from '../rejection/bearer.exception.js';
import { CredentialsRejectedError } from '../errors/rejection.errors.js';
import { recordDenial } from '../response/step-up.js';
import { IMPORTED_MODULE, IS_BEARER_AUTH_GUARD } from '../mcp-auth.constants.js';
import type { HandlerPlan } from '../mcp/handler-plan.js';
import type { ScopeRequirement } from '../mcp/scope-requirement.js';
import { after } from '../platform/after.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { allowOrigin, nodeResponseIn } from './allow-origin.js';
import { callOf, handlerDemandOf, rejectedCallIn } from './handler-call.js';
import { isBearerAuthGuard } from './is-bearer-auth-guard.js';
import { rejectCall } from './rejected-call.js';
import type { ParsedRequest } from './request-authorizer.js';
import type { RequestServices } from './request-services.js';
import { ofTenant } from './tenant-requests.js';

type GuardedRequest = ParsedRequest & object;

/**
 * Authenticates requests by access token for the route's protected resource, and authorizes them by scopes. The needed scopes
 * are those of the route and, on an MCP endpoint, of the called operation. All other requests are answered as RFC 6750
 * specifies.
 *
 * The order: check Origin and Host, extract the token, verify it, check issuer, audience and time, then scopes, before any
 * handler runs. The caller is then in `req.auth`. On an MCP handler the guard checks the HTTP request behind it, which must
 * have been authenticated at its own route. Without an HTTP request, the handler runs only for callers of the option `stdio`,
 * and for those that a transport of the application vouches for.
 *
 * Works with `@UseGuards()` on a class or method, as `APP_GUARD`, and by `app.useGlobalGuards()`. To change the guard's input,
 * extend it and override `getRequest`, `getResponse` or `getRequiredScopes`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 | RFC 6750 section 3}
 * @publicApi
 */
@Injectable()
@SetMetadata(IS_BEARER_AUTH_GUARD, true)
export class BearerAuthGuard implements CanActivate {
  // Injected into properties, so that a subclass may have a constructor of its own.
  @Inject(IMPORTED_MODULE) private readonly services!: RequestServices;
  @Inject() private readonly adapterHost!: HttpAdapterHost;

  /** Returns a boolean, not a promise, for a cached token and without one, because nothing needs to be awaited. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const route = this.services.plans.of(context.getClass(), context.getHandler());
    if (route.isSkipped) return true;
    const request = this.getRequest(context) as GuardedRequest | undefined;
    const declared = this.resourceFor(context, route, request);
    if (declared.options.tenants === undefined || request === undefined)
      return this.check(context, route, request, declared);
    const entry = {
      // A handler within another request: that request was checked at its own route, which is of no tenant of the template.
      request: context.getType() === 'http' ? request : undefined,
      check: (resource: ProtectedResource) => this.check(context, route, request, resource),
      reject: (failure: unknown) => this.reject(context, route, request, declared, failure),
    };
    return this.services.tenants.check(declared, entry);
  }

  private check(
    context: ExecutionContext,
    route: HandlerPlan,
    request: GuardedRequest | undefined,
    resource: ProtectedResource,
  ): boolean | Promise<boolean> {
    try {
      const pending = this.decide(context, route, request, resource);
      if (pending === undefined) return true;
      return pending.then(
        () => true,
        (failure: unknown) => {
          return this.rejected(context, route, request, resource, failure);
        },
      );
    } catch (failure) {
      return this.rejected(context, route, request, resource, failure);
    }
  }

  /** @throws the rejection; a promise of it for a call of an MCP handler without an HTTP request */
  private rejected(
    context: ExecutionContext,
    route: HandlerPlan,
    request: GuardedRequest | undefined,
    resource: ProtectedResource,
    failure: unknown,
  ): Promise<never> {
    const exception = this.reject(context, route, request, resource, failure);
    if (request === undefined && isMcpCall(context)) return rejectCall(exception, failure);
    throw exception;
  }

  /** Returns the HTTP request to check. Override it for a context type that Nest does not know. */
  protected getRequest(context: ExecutionContext): object | undefined {
    return requestOf(context);
  }

  /** Returns the response that gets the challenge; undefined if a handler is called within another request. */
  protected getResponse(context: ExecutionContext): unknown {
    return context.getType() === 'http' ? context.getArgByIndex<unknown>(1) : undefined;
  }

  /** Returns what the handler itself needs, in addition to the scopes of the resource and of the operations in the body. */
  protected getRequiredScopes(context: ExecutionContext): readonly ScopeRequirement[] {
    return this.services.plans.of(context.getClass(), context.getHandler()).requirements;
  }

  private resourceFor(
    context: ExecutionContext,
    route: HandlerPlan,
    request: GuardedRequest | undefined,
  ): ProtectedResource {
    if (context.getType() === 'http' || route.resourceName !== undefined) {
      const declared = (route.resource ??= this.services.resources.require(route.resourceName, route.where));
      if (declared.options.tenants === undefined || context.getType() === 'http') return declared;
      return ofTenant(request, declared) ?? declared;
    }
    return RequestContext.find(request)?.resource ?? this.services.resources.first();
  }

  private decide(
    context: ExecutionContext,
    route: HandlerPlan,
    request: GuardedRequest | undefined,
    resource: ProtectedResource,
  ): Promise<void> | undefined {
    if (!request) return this.decideOnLocalCall(context, route);
    const state = RequestContext.of(request);
    const allowsAnonymous = route.allowsAnonymous || resource.options.allowAnonymous;
    if (context.getType() === 'http') {
      const origin = this.services.authenticator.checkOrigin(state, request, resource);
      if (origin !== undefined) allowOrigin(origin, this.getResponse(context), this.adapterHost.httpAdapter);
    }
    // A handler within another request: that request was checked, and must have been authenticated, at its own route.
    else if (!allowsAnonymous && state.authentication?.resource !== resource)
      throw new CredentialsRejectedError('missing_token');
    const pending = this.services.authenticator.authenticate(state, request, resource, allowsAnonymous);
    return after(pending, () => this.authorize(context, state, request, route, resource, allowsAnonymous));
  }

  private authorize(
    context: ExecutionContext,
    state: RequestContext,
    request: GuardedRequest,
    route: HandlerPlan,
    resource: ProtectedResource,
    allowsAnonymous: boolean,
  ): Promise<void> | undefined {
    const { authorizer, policies } = this.services;
    const requirements = this.getRequiredScopes(context);
    const call = callOf(context, route, requirements, policies.isUsed);
    if (context.getType() === 'http') {
      const response = nodeResponseIn(this.getResponse(context));
      const pending = authorizer.authorize(state, request, resource, {
        requirements,
        authentication: route.authentication,
        policies: route.policies,
        call,
        response,
        mayStream: route.mayStream,
        allowsAnonymous,
      });
      return after(pending, () => {
        this.grant(state, request, response, route);
        return undefined;
      });
    }
    const handler = handlerDemandOf(context, route, requirements, call);
    return after(authorizer.authorizeHandler(state, request, resource, handler), () => {
      // Already reported, unless neither a route nor a middleware has checked the request.
      this.services.grants.grant(state, request, state.response?.authorized.response);
      return undefined;
    });
  }

  /** Reports that the request is let through, unless another guard of this package follows: it may need more. */
  private grant(
    state: RequestContext,
    request: GuardedRequest,
    response: ServerResponse | undefined,
    route: HandlerPlan,
  ): void {
    const { grants } = this.services;
    if (!grants.areObserved) return;
    const last = (route.lastGuard ??= route.guards.filter(isBearerAuthGuard).at(-1) ?? false);
    const isLast = last === false || last === this || last === this.constructor;
    if (isLast || !response) grants.grant(state, request, response, route.where);
    else grants.grantLater(state, request, response);
  }

  /** Authorizes a call without an HTTP request, only if the transport says that there is none. */
  private decideOnLocalCall(context: ExecutionContext, route: HandlerPlan): Promise<void> | undefined {
    const local = localCallOf(context);
    if (!local) throw new CredentialsRejectedError('missing_token');
    const requirements = this.getRequiredScopes(context);
    return this.services.localCallers.authorize(local, {
      route,
      requirements,
      call: callOf(context, route, requirements, this.services.policies.isUsed),
    });
  }

  private reject(
    context: ExecutionContext,
    { requirements, where }: HandlerPlan,
    request: GuardedRequest | undefined,
    resource: ProtectedResource,
    thrown: unknown,
  ): BearerException {
    const response = this.getResponse(context);
    const { httpAdapter } = this.adapterHost;
    const isRoute = request !== undefined && context.getType() === 'http';
    const failure = isRoute
      ? this.services.neededScopes.named(thrown, request.body, resource, requirements)
      : thrown;
    const exception = this.services.rejections.exception(failure, resource, request, response, httpAdapter);
    const state = RequestContext.find(request);
    // A call within a request is rejected separately: others may run in the same request. The request's answer says why.
    if (!isRoute && recordDenial(request, failure)) return exception;
    if (!isRoute) this.services.grants.flush(state);
    const rejected = isRoute
      ? {
          auth: state?.withdraw(request),
          response: nodeResponseIn(this.getResponse(context)),
          body: request.body,
        }
      : { ...rejectedCallIn(context, request), isPartial: request !== undefined };
    this.services.rejections.tell(failure, resource, { ...rejected, request, route: where });
    return exception;
  }
}
