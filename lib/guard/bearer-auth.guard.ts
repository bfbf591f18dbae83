import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  SetMetadata,
} from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import {
  admissionOf,
  type Admission,
  clearAdmission,
  recordAdmission,
  requestOf,
} from '../auth-info/request-auth.js';
import { toAuthInfo } from '../auth-info/to-auth-info.js';
import { refuse } from '../challenge/refuse.js';
import { CredentialsRefusedError, InsufficientScopeError } from '../errors/refusal.errors.js';
import { AccessTokenGate } from '../gate/access-token.gate.js';
import { scopesToAskFor, type ScopeDemand } from '../gate/scopes.js';
import { IS_BEARER_AUTH_GUARD, PROTECTED_RESOURCE, SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { requiredScopes } from '../mcp/handler-scan.js';
import { operationsOf } from '../mcp/operations.js';
import { clientAccumulatesScopes } from '../mcp/protocol-era.js';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { type CredentialRequest, credentialSources } from '../token/credential-sources.js';
import { extractBearerToken } from '../token/extract-bearer-token.js';
import { logRefusal } from './log-refusal.js';

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
  private readonly logger = new Logger('McpAuth');

  // Injected into properties, so that a class that extends the guard may have a constructor of its own.
  @Inject() private readonly reflector!: Reflector;
  @Inject() private readonly adapterHost!: HttpAdapterHost;
  @Inject() private readonly resources!: ProtectedResourceRegistry;
  @Inject() private readonly gate!: AccessTokenGate;
  @Inject() private readonly handlerScopes!: HandlerScopeRegistry;

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(SKIP_BEARER_AUTH, targets) === true)
      return true;
    const resource = this.getResource(context);
    try {
      const { auth } = await this.admit(context, resource);
      this.assertScopes(context, resource, auth.scopes);
      return true;
    } catch (failure) {
      logRefusal(this.logger, failure, resource.options.resource);
      throw refuse(failure, resource, this.adapterHost.httpAdapter, this.getResponse(context));
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
    return requiredScopes(context.getClass(), context.getHandler());
  }

  private getResource(context: ExecutionContext): KnownResource {
    const targets = [context.getHandler(), context.getClass()];
    const name = this.reflector.getAllAndOverride<string | undefined>(PROTECTED_RESOURCE, targets);
    const where = `${context.getClass().name}.${context.getHandler().name}`;
    return context.getType() === 'http' || name !== undefined
      ? this.resources.require(name, where)
      : (admissionOf(this.getRequest(context))?.resource ?? this.resources.first());
  }

  private async admit(context: ExecutionContext, resource: KnownResource): Promise<Admission> {
    const request = this.getRequest(context);
    const known = admissionOf(request);
    if (known?.resource === resource) return known;
    if (!request || context.getType() !== 'http') throw new CredentialsRefusedError('missing_token');
    clearAdmission(request);
    const token = extractBearerToken(credentialSources(request as GuardedRequest));
    const admitted = await this.gate.admit(token, resource);
    const admission = { auth: toAuthInfo(token, admitted, resource), resource };
    recordAdmission(request, admission);
    return admission;
  }

  private assertScopes(context: ExecutionContext, resource: KnownResource, granted: readonly string[]): void {
    const { headers, body } = (this.getRequest(context) ?? {}) as Partial<GuardedRequest>;
    const calls = this.handlerScopes.scopesFor(operationsOf(body));
    const demand: ScopeDemand = {
      baseline: resource.options.requiredScopes,
      operation: [...this.getRequiredScopes(context), ...calls],
    };
    const mcpStrategy = clientAccumulatesScopes(headers?.['mcp-protocol-version'])
      ? 'operation'
      : 'accumulated';
    const strategy = calls.length > 0 ? mcpStrategy : 'complete';
    const scopes = scopesToAskFor(granted, demand, strategy, this.resources.scopesOf(resource));
    if (scopes) throw new InsufficientScopeError(scopes);
  }
}
