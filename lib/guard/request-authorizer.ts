import { Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { Authentication, RequestContext } from '../request/request-context.js';
import { CredentialsRejectedError, InsufficientScopeError } from '../errors/rejection.errors.js';
import { ResponseInterceptors } from '../response/response-interceptors.js';
import { assertClientAllowed } from '../policy/allowed-clients.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import type { ScopeChoice } from '../policy/scopes.js';
import { strategyFor } from '../mcp/challenge-strategy.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { MessageRules } from '../mcp/message-rules.js';
import { choicesFor, joined, type OperationNeed } from '../mcp/operation-needs.js';
import { type McpOperation, operationsOf } from '../mcp/operations.js';
import { choicesWithoutCaller, type ScopedCall, type ScopeRequirement } from '../mcp/scope-requirement.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { CredentialRequest } from '../token/credential-sources.js';
import type { AuthenticationNeed } from '../policy/user-authentication.js';
import { after } from '../platform/after.js';
import { AnonymousRequests } from './anonymous-requests.js';
import { PolicyCheck } from './policy.check.js';
import { UserAuthenticationCheck } from './user-authentication.check.js';

/** The part of a platform's request that is read. @internal */
export interface ParsedRequest extends CredentialRequest {
  readonly method?: string | undefined;
  readonly body?: unknown;
}

/** What a route needs, and how it uses the response. @internal */
export interface RouteDemand {
  /** The needs of the handler, in addition to the scopes of the resource and of the operations in the body. */
  readonly requirements: readonly ScopeRequirement[];
  /** How the user must have authenticated for the handler; undefined if that does not matter. */
  readonly authentication: AuthenticationNeed | undefined;
  /** The policies of the handler; undefined if there are none. */
  readonly policies: OperationNeed['policies'];
  /** The call that functions in the requirements, and policies, get. */
  readonly call: ScopedCall;
  /** The Node response. */
  readonly response: ServerResponse | undefined;
  /** Whether the handler may write the response itself, as an event stream. */
  readonly mayStream: boolean;
  /** Whether callers without a token may send any request that needs no scopes. */
  readonly allowsAnonymous: boolean;
}

/** A handler that is called within another request, and what it needs. @internal */
export interface HandlerDemand extends OperationNeed {
  readonly call: ScopedCall;
  /** Represents the message that the handler is called for; undefined if it has no message of its own. */
  readonly message: object | undefined;
  /** The same object for each guard of one call, and for no other call. */
  readonly invocation: object;
}

const NONE: readonly never[] = [];

const NO_NEED: OperationNeed = { name: '', requirements: NONE, authentication: undefined };

/**
 * Authorizes an authenticated request: its operations, then the scopes of resource, operations and route together. Results for
 * a body and a route are not evaluated again.
 *
 * @internal
 */
@Injectable()
export class RequestAuthorizer {
  constructor(
    private readonly scopes: ScopePolicy,
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly rules: MessageRules,
    private readonly interceptors: ResponseInterceptors,
    private readonly anonymous: AnonymousRequests,
    private readonly users: UserAuthenticationCheck,
    private readonly policies: PolicyCheck,
  ) {}

  /**
   * Authorizes a request as far as is known before its body is read: by the scopes and the policies of its resource.
   *
   * @returns a promise only if a policy returns one; it rejects with what may be thrown
   * @throws {@link InsufficientScopeError}, {@link AccessDeniedError}
   */
  authorizeUnread(
    context: RequestContext,
    request: ParsedRequest,
    resource: ProtectedResource,
    response: ServerResponse,
  ): Promise<void> | undefined {
    const { authentication } = context;
    if (authentication) {
      assertClientAllowed(authentication.auth, resource.options.allowedClients);
      this.assertScopes(request, authentication, NONE);
    } else if (!resource.options.allowAnonymous) this.anonymous.assertOpen(request, resource, NONE);
    const { allowAnonymous: allowsAnonymous } = resource.options;
    return after(this.policies.assertRequestAllowed(context, request, NONE), () =>
      this.intercept(context, request, resource, { response, mayStream: true, allowsAnonymous }),
    );
  }

  /**
   * Authorizes a request before its handler runs.
   *
   * @returns a promise only if a policy returns one; it rejects with what may be thrown
   * @throws one of the errors of lib/errors; an error for a body that is not parsed, if no later check authorizes it
   */
  authorize(
    context: RequestContext,
    request: ParsedRequest,
    resource: ProtectedResource,
    route: RouteDemand,
  ): Promise<void> | undefined {
    const { requirements, policies, call } = route;
    const { authentication, authorization } = context;
    if (authentication) assertClientAllowed(authentication.auth, resource.options.allowedClients);
    // On every layer: an application may change the body between two of them.
    if (!authentication && !route.allowsAnonymous) this.anonymous.assertOpen(request, resource, requirements);
    this.rules.assertRead(request, resource);
    this.rules.assertForm(request);
    const operations = operationsIn(request);
    const need = { name: call.name, requirements, authentication: route.authentication, policies };
    const isDecided =
      authorization.covers(request.body, operations) && authorization.coversRoute(requirements);
    if (!isDecided || need.authentication !== undefined) {
      const needed = authentication
        ? this.assertGranted(context, request, authentication, operations, need, call)
        : this.assertNoneNeeded(context, request, resource, operations, need);
      authorization.recordRoute(requirements, needed);
    }
    // Each time: an application may change what the interceptors look at, such as the session id, between two layers.
    return after(this.policies.assertRequestAllowed(context, request, operations, { need, call }), () =>
      this.intercept(context, request, resource, route),
    );
  }

  /**
   * Authorizes a call of a handler within a request. An operation that was authorized with the request's body is not
   * authorized again, unless the handler needs something else.
   *
   * @returns a promise only if a policy returns one; it rejects with what may be thrown
   * @throws one of the errors of lib/errors
   */
  authorizeHandler(
    context: RequestContext,
    request: ParsedRequest,
    resource: ProtectedResource,
    handler: HandlerDemand,
  ): Promise<void> | undefined {
    const { requirements, call, message, invocation } = handler;
    const { authentication, authorization } = context;
    if (!authentication) {
      this.rules.assertForm(request);
      this.assertNoneNeeded(context, request, resource, operationsIn(request), handler);
      return undefined;
    }
    assertClientAllowed(authentication.auth, authentication.resource.options.allowedClients);
    // On Fastify the Node request, which identifies the handlers' request, has no body.
    const isDecided = request.body === undefined ? authorization.isMade : authorization.covers(request.body);
    const others = isDecided ? NONE : operationsIn(request);
    if (!isDecided) {
      this.rules.assertForm(request);
      this.assertGranted(context, request, authentication, others, NO_NEED, call);
    }
    this.users.assertSatisfied(authentication, handler);
    const sent = message && authorization.sent(call, message, invocation);
    const decided = sent ?? call;
    let needed: readonly ScopeChoice[] = NONE;
    if (!sent || !this.handlerScopes.requires(sent, requirements)) {
      needed = choicesFor(handler, decided, authentication.auth, authorization);
      this.assertScopes(request, authentication, needed);
    }
    return this.policies.assertCallAllowed(context, request, { handler, call: decided, needed, others });
  }

  /** @returns the needs of the operations in the body and of the call, in addition to the scopes of the resource */
  private assertGranted(
    context: RequestContext,
    request: ParsedRequest,
    authentication: Authentication,
    operations: readonly McpOperation[],
    need: OperationNeed,
    call: ScopedCall,
  ): readonly ScopeChoice[] {
    const { auth, resource } = authentication;
    const { authorization } = context;
    const isCovered = authorization.covers(request.body, operations);
    let ofBody = isCovered ? authorization.bodyChoices : NONE;
    if (!isCovered) this.rules.assertServed(resource, operations);
    this.users.assertSatisfied(authentication, need, operations);
    if (!isCovered) {
      for (const operation of operations)
        for (const each of this.handlerScopes.needsOf(operation)) {
          this.users.assertSatisfied(authentication, each, operations, need);
          ofBody = joined(ofBody, choicesFor(each, operation, auth, authorization));
        }
    }
    const needed = joined(choicesFor(need, call, auth, authorization), ofBody);
    this.assertScopes(request, authentication, needed);
    if (!isCovered) authorization.record(request.body, operations, ofBody);
    return needed;
  }

  /** The challenge for an anonymous caller names all scopes of the operation, so that one consent is enough. */
  private assertNoneNeeded(
    { authorization }: RequestContext,
    request: ParsedRequest,
    resource: ProtectedResource,
    operations: readonly McpOperation[],
    { requirements, authentication, policies }: OperationNeed,
  ): readonly never[] {
    this.rules.assertServed(resource, operations);
    const ofBody = operations.flatMap((operation) => this.handlerScopes.needsOf(operation));
    const isDecidedByPolicy = policies !== undefined || resource.options.policy !== undefined;
    if (requirements.length + ofBody.length > 0 || authentication !== undefined || isDecidedByPolicy) {
      const needed = [...requirements, ...ofBody.flatMap((need) => need.requirements)];
      const scopes = this.scopes.anonymousChallenge(resource, choicesWithoutCaller(needed));
      throw new CredentialsRejectedError('missing_token', scopes);
    }
    authorization.record(request.body, operations);
    return NONE;
  }

  private assertScopes(
    request: ParsedRequest,
    { auth, resource }: Authentication,
    needed: readonly ScopeChoice[],
  ): void {
    if (!this.scopes.isSatisfied(auth, resource, needed)) {
      throw new InsufficientScopeError(this.scopes.challenge(auth, resource, needed, strategyFor(request)));
    }
  }

  private intercept(
    context: RequestContext,
    request: ParsedRequest,
    resource: ProtectedResource,
    { response, mayStream, allowsAnonymous }: Pick<RouteDemand, 'response' | 'mayStream' | 'allowsAnonymous'>,
  ): Promise<void> | undefined {
    if (!response) return undefined;
    const auth = context.authentication?.auth;
    const { needed } = context.authorization;
    const { body } = request;
    const authorized = { request, response, body, auth, resource, needed, mayStream, allowsAnonymous };
    return after(this.policies.isUsed ? this.interceptors.prepare(context, authorized) : undefined, () => {
      this.interceptors.intercept(context, authorized);
      return undefined;
    });
  }
}

function operationsIn({ body }: ParsedRequest): readonly McpOperation[] {
  return body === undefined ? NONE : operationsOf(body);
}
