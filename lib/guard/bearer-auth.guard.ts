import { type CanActivate, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import {
  admissionOf,
  type Admission,
  clearAdmission,
  recordAdmission,
  requestOf,
} from '../auth-info/request-auth.js';
import { toAuthInfo } from '../auth-info/to-auth-info.js';
import { type BearerException } from '../challenge/bearer.exception.js';
import { refuse } from '../challenge/refuse.js';
import { CredentialsRefusedError, InsufficientScopeError } from '../errors/refusal.errors.js';
import { AccessTokenGate } from '../gate/access-token.gate.js';
import { type AdmittedToken } from '../gate/admit.js';
import { type ChallengeStrategy, scopesToAskFor, type ScopeDemand } from '../gate/scopes.js';
import { IS_BEARER_AUTH_GUARD } from '../mcp-auth.constants.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { operationsOf } from '../mcp/operations.js';
import { clientAccumulatesScopes } from '../mcp/protocol-era.js';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { type CredentialRequest, credentialSources } from '../token/credential-sources.js';
import { extractBearerToken } from '../token/extract-bearer-token.js';
import { GuardReport } from './guard-report.js';
import { type RouteFacts, RouteFactsReader } from './route-facts.js';

/** The part of a request that the guard reads. */
interface GuardedRequest extends CredentialRequest {
  readonly body?: unknown;
}

/**
 * Admits requests that carry a good access token for the route's protected resource, with the scopes that the
 * route and, on an MCP endpoint, the called tool need. Everything else is answered as RFC 6750 says.
 *
 * The order: extract the token, verify it, decide on issuer, audience and time, then on scopes, before any
 * handler runs. The caller is then in `req.auth`. On an MCP handler the guard looks at the HTTP request behind
 * it, which must have been admitted at its own route; without one the handler does not run.
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
  @Inject() private readonly reflector!: Reflector;
  @Inject() private readonly adapterHost!: HttpAdapterHost;
  @Inject() private readonly resources!: ProtectedResourceRegistry;
  @Inject() private readonly gate!: AccessTokenGate;
  @Inject() private readonly handlerScopes!: HandlerScopeRegistry;
  @Inject() private readonly report!: GuardReport;

  /** Decides at once where nobody has to be asked: on a token that is remembered, and without one. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const route = this.routes.of(context, this.reflector);
    if (route.isSkipped) return true;
    const resource = this.getResource(context, route);
    try {
      const request = this.getRequest(context);
      if (!request) throw new CredentialsRefusedError('missing_token');
      const known = admissionOf(request);
      if (known?.resource === resource) {
        this.assertScopes(context, request, known);
        return true;
      }
      if (context.getType() !== 'http') throw new CredentialsRefusedError('missing_token');
      if (known || 'auth' in request) clearAdmission(request);
      const token = extractBearerToken(credentialSources(request as GuardedRequest));
      const admitted = this.gate.admit(token, resource);
      if (admitted instanceof Promise) return this.letInLater(context, request, token, admitted, resource);
      this.letIn(context, request, { auth: toAuthInfo(token, admitted, resource), resource });
      return true;
    } catch (failure) {
      throw this.refuse(context, resource, failure);
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

  /** Scopes that the route itself needs, beside those of the resource and of the called tool. */
  protected getRequiredScopes(context: ExecutionContext): readonly string[] {
    return this.routes.of(context, this.reflector).requiredScopes;
  }

  private getResource(context: ExecutionContext, route: RouteFacts): KnownResource {
    if (context.getType() === 'http' || route.resourceName !== undefined) {
      return (route.resource ??= this.resources.require(route.resourceName, route.where));
    }
    return admissionOf(this.getRequest(context))?.resource ?? this.resources.first();
  }

  private async letInLater(
    context: ExecutionContext,
    request: object,
    token: string,
    pending: Promise<AdmittedToken>,
    resource: KnownResource,
  ): Promise<boolean> {
    try {
      this.letIn(context, request, { auth: toAuthInfo(token, await pending, resource), resource });
      return true;
    } catch (failure) {
      throw this.refuse(context, resource, failure);
    }
  }

  private letIn(context: ExecutionContext, request: object, admission: Admission): void {
    recordAdmission(request, admission);
    this.assertScopes(context, request, admission);
    this.report.accepted(admission.auth, admission.resource.options.resource);
  }

  private assertScopes(context: ExecutionContext, request: object, { auth, resource }: Admission): void {
    const { headers, body } = request as Partial<GuardedRequest>;
    const calls = body === undefined ? [] : this.handlerScopes.scopesFor(operationsOf(body));
    const route = this.getRequiredScopes(context);
    const demand: ScopeDemand = {
      baseline: resource.options.requiredScopes,
      operation: calls.length > 0 ? [...route, ...calls] : route,
    };
    const strategy = calls.length > 0 ? mcpStrategy(headers?.['mcp-protocol-version']) : 'complete';
    const scopes = scopesToAskFor(auth.scopes, demand, strategy, this.resources.scopesOf(resource));
    if (scopes) throw new InsufficientScopeError(scopes);
  }

  private refuse(context: ExecutionContext, resource: KnownResource, failure: unknown): BearerException {
    const exception = refuse(failure, resource, this.adapterHost.httpAdapter, this.getResponse(context));
    const auth =
      failure instanceof InsufficientScopeError ? admissionOf(this.getRequest(context))?.auth : undefined;
    this.report.refused({
      failure,
      status: exception.getStatus(),
      resource: resource.options.resource,
      auth,
      request: this.getRequest(context),
    });
    return exception;
  }
}

function mcpStrategy(protocolVersion: unknown): ChallengeStrategy {
  return clientAccumulatesScopes(protocolVersion) ? 'operation' : 'accumulated';
}
