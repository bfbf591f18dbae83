import { Inject, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { type Authentication, RequestContext } from '../request/request-context.js';
import { DecisionReport } from '../rejection/decision-report.js';
import {
  CredentialsRejectedError,
  InsufficientScopeError,
  MessageRejectedError,
} from '../errors/rejection.errors.js';
import { ResponseInterceptors } from '../response/response-interceptors.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import type { ScopeChoice } from '../policy/scopes.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { assertHeadersAgree } from '../mcp/header-agreement.js';
import { choicesFor, type OperationNeed } from '../mcp/operation-needs.js';
import { assertBounded, isMcpBody, type McpOperation, operationsOf } from '../mcp/operations.js';
import { hasNoBatches, mcpStrategy } from '../mcp/protocol-version.js';
import { choicesWithoutCaller, type ScopedCall, type ScopeRequirement } from '../mcp/scope-requirement.js';
import { hasUnreadMessage, unreadFailure } from '../mcp/unread-body.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { CredentialRequest } from '../token/credential-sources.js';

/** The part of a platform's request that is read. @internal */
export interface ParsedRequest extends CredentialRequest {
  readonly method?: string | undefined;
  readonly body?: unknown;
}

/** What a route needs, and how it uses the response. @internal */
export interface RouteDemand {
  /** The needs of the handler, in addition to the scopes of the resource and of the operations in the body. */
  readonly requirements: readonly ScopeRequirement[];
  /** The call that functions in the requirements get. */
  readonly call: ScopedCall;
  /** The Node response. */
  readonly response: ServerResponse | undefined;
  /** Whether the handler may write the response itself, as an event stream. */
  readonly mayStream: boolean;
  /** Whether the route itself allows anonymous callers. */
  readonly allowsAnonymous: boolean;
}

/** An operation that needs scopes. */
interface ScopedOperation {
  readonly operation: McpOperation;
  readonly needs: readonly OperationNeed[];
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

const NO_NEED: OperationNeed = { name: '', requirements: NONE };

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
    private readonly report: DecisionReport,
    private readonly interceptors: ResponseInterceptors,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'maxOperations'>,
  ) {}

  /**
   * Authorizes a request as far as is known before its body is read: by the scopes of its resource.
   *
   * @throws {@link InsufficientScopeError}
   */
  authorizeUnread(request: ParsedRequest, resource: ProtectedResource, response: ServerResponse): void {
    const { authentication } = RequestContext.of(request);
    if (authentication) this.assertScopes(request, authentication, NONE);
    this.intercept(request, resource, { response, mayStream: true, allowsAnonymous: false }, NONE);
  }

  /**
   * Authorizes a request before its handler runs.
   *
   * @throws one of the errors of lib/errors; an error for a body that is not parsed, if no later check authorizes it
   */
  authorize(request: ParsedRequest, resource: ProtectedResource, route: RouteDemand): void {
    if (this.handlerScopes.needsBodies && hasUnreadMessage(request)) throw unreadFailure(request);
    this.assertForm(request);
    const { requirements, call } = route;
    const { authentication, authorization } = RequestContext.of(request);
    const operations = operationsIn(request);
    const isCovered = authorization.covers(request.body, operations);
    if (!isCovered || !authorization.coversRoute(requirements)) {
      const needed = authentication
        ? this.assertGranted(request, authentication, operations, { name: call.name, requirements }, call)
        : this.assertNoneNeeded(request, resource, operations, requirements);
      authorization.recordRoute(requirements, needed);
    }
    // Each time: an application may change what the interceptors look at, such as the session id, between two layers.
    this.intercept(request, resource, route, authorization.needed);
  }

  /**
   * Authorizes a call of a handler within a request. An operation that was authorized with the request's body is not
   * authorized again, unless the handler needs something else.
   *
   * @throws one of the errors of lib/errors
   */
  authorizeHandler(request: ParsedRequest, resource: ProtectedResource, handler: HandlerDemand): void {
    const { requirements, call, message, invocation } = handler;
    const { authentication, authorization } = RequestContext.of(request);
    if (!authentication) {
      this.assertForm(request);
      this.assertNoneNeeded(request, resource, operationsIn(request), requirements);
      return;
    }
    // On Fastify the Node request, which identifies the handlers' request, has no body.
    const isDecided = request.body === undefined ? authorization.isMade : authorization.covers(request.body);
    if (!isDecided) {
      this.assertForm(request);
      this.assertGranted(request, authentication, operationsIn(request), NO_NEED, call);
    }
    const sent = message && authorization.sent(call, message, invocation);
    if (sent && this.handlerScopes.requires(sent, requirements)) return;
    const { auth } = authentication;
    this.assertScopes(request, authentication, choicesFor(handler, sent ?? call, auth, authorization));
  }

  /** @returns the needs of the operations in the body and of the call, in addition to the scopes of the resource */
  private assertGranted(
    request: ParsedRequest,
    authentication: Authentication,
    operations: readonly McpOperation[],
    need: OperationNeed,
    call: ScopedCall,
  ): readonly ScopeChoice[] {
    const { auth, resource } = authentication;
    const { authorization } = RequestContext.of(request);
    const isCovered = authorization.covers(request.body, operations);
    const ofBody = isCovered
      ? authorization.bodyChoices
      : this.scopedOperations(resource, operations).flatMap(({ operation, needs }) =>
          needs.flatMap((each) => choicesFor(each, operation, auth, authorization)),
        );
    const needed = [...choicesFor(need, call, auth, authorization), ...ofBody];
    this.assertScopes(request, authentication, needed);
    if (!isCovered) authorization.record(request.body, operations, ofBody);
    return needed;
  }

  /** The challenge for an anonymous caller names all scopes of the operation, so that one consent is enough. */
  private assertNoneNeeded(
    request: ParsedRequest,
    resource: ProtectedResource,
    operations: readonly McpOperation[],
    requirements: readonly ScopeRequirement[],
  ): readonly never[] {
    const { authorization } = RequestContext.of(request);
    const scoped = this.scopedOperations(resource, operations);
    const needed = [
      ...requirements,
      ...scoped.flatMap(({ needs }) => needs.flatMap((each) => each.requirements)),
    ];
    if (needed.length > 0) {
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
    const strategy = isMcpBody(request.body)
      ? mcpStrategy(request.headers['mcp-protocol-version'])
      : 'complete';
    const scopes = this.scopes.missing(auth, resource, needed, strategy);
    if (scopes) throw new InsufficientScopeError(scopes);
    const { authorization } = RequestContext.of(request);
    if (authorization.isReported) return;
    authorization.isReported = true;
    this.report.authenticated(auth, resource.options.resource);
  }

  /** @throws {@link MessageRejectedError} for a batch that its protocol version forbids, or headers that contradict the body */
  private assertForm(request: ParsedRequest): void {
    const { headers, body } = request;
    if (Array.isArray(body) && hasNoBatches(headers['mcp-protocol-version']))
      throw new MessageRejectedError('batch');
    if (body !== undefined && this.handlerScopes.decides) assertHeadersAgree(request, body);
  }

  /** @throws {@link MessageRejectedError} for a message that may not be served whatever its scopes */
  private scopedOperations(
    resource: ProtectedResource,
    operations: readonly McpOperation[],
  ): readonly ScopedOperation[] {
    if (this.handlerScopes.decides) assertBounded(operations, this.options.maxOperations);
    return operations.flatMap((operation) => {
      if (!this.handlerScopes.isDeclared(operation)) {
        this.report.undeclaredTool(operation.name);
        throw new MessageRejectedError('undeclared_tool');
      }
      if (!this.handlerScopes.belongsTo(operation, resource))
        throw new MessageRejectedError('other_resource');
      const needs = this.handlerScopes.needsOf(operation);
      return needs.length > 0 ? [{ operation, needs }] : [];
    });
  }

  private intercept(
    request: ParsedRequest,
    resource: ProtectedResource,
    { response, mayStream, allowsAnonymous }: Pick<RouteDemand, 'response' | 'mayStream' | 'allowsAnonymous'>,
    needed: readonly ScopeChoice[],
  ): void {
    if (!response) return;
    const { body } = request;
    const auth = RequestContext.of(request).authentication?.auth;
    const intercepted = { request, response, body, auth, resource, needed, mayStream, allowsAnonymous };
    this.interceptors.intercept(intercepted);
  }
}

function operationsIn({ body }: ParsedRequest): readonly McpOperation[] {
  return body === undefined ? NONE : operationsOf(body);
}
