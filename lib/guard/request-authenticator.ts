import { Inject, Injectable } from '@nestjs/common';
import { type AuthInfo } from '../auth-info/auth-info.decorator.js';
import {
  type Admission,
  admissionOf,
  clearAdmission,
  presentCaller,
  presentedCaller,
  recordAdmission,
  recordOpen,
} from '../auth-info/request-auth.js';
import { RequestDecisions } from '../auth-info/request-decisions.js';
import { toAuthInfo } from '../auth-info/to-auth-info.js';
import {
  CredentialsRefusedError,
  InsufficientScopeError,
  MessageRefusedError,
} from '../errors/refusal.errors.js';
import { ExchangeWatchers } from '../exchange/exchange-watchers.js';
import { AccessTokenGate } from '../gate/access-token.gate.js';
import { type AdmittedToken } from '../gate/admit.js';
import { type ScopeChoice, scopesForAnonymous, scopesToAskFor } from '../gate/scopes.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { assertHeadersAgree } from '../mcp/header-agreement.js';
import { assertBounded, isMcpBody, type McpOperation, operationsOf } from '../mcp/operations.js';
import { hasUnreadMessage, unreadFailure } from '../mcp/unread-body.js';
import { hasNoBatches, mcpStrategy } from '../mcp/protocol-era.js';
import { choicesFor, type OperationNeed } from '../mcp/operation-needs.js';
import { choicesWithoutCaller } from '../mcp/scope-requirement.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { type CredentialRequest, credentialSources } from '../token/credential-sources.js';
import { extractBearerToken } from '../token/extract-bearer-token.js';
import { type AdmissionRules } from './admission-rules.js';
import { GuardReport } from './guard-report.js';

/** The part of a platform's request that is read. @internal */
export interface AuthenticatedRequest extends CredentialRequest {
  readonly method?: string | undefined;
  readonly body?: unknown;
}

/** An operation that asks for scopes. */
interface ScopedOperation {
  readonly operation: McpOperation;
  readonly needs: readonly OperationNeed[];
}

/**
 * Lets requests in, whoever asks: a guard, a middleware, a hook of the platform. A token is verified once for each
 * request and resource; scopes are decided on each time, as what a request asks for is known in full only when its body
 * has been read.
 *
 * @internal
 */
@Injectable()
export class RequestAuthenticator {
  constructor(
    private readonly gate: AccessTokenGate,
    private readonly resources: ProtectedResourceRegistry,
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly report: GuardReport,
    private readonly watchers: ExchangeWatchers,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /** Whether a request must not go on before its body has been decided on: nothing behind this package decides on it. */
  get needsBodies(): boolean {
    return this.handlerScopes.needsBodies;
  }

  /**
   * Returns at once where nobody has to be asked: on a token that is remembered, and without one.
   *
   * @throws one of the refusals of lib/errors, or what went wrong; so does the promise
   */
  admit(request: AuthenticatedRequest, rules: AdmissionRules): Promise<void> | undefined {
    const known = admissionOf(request);
    if (known?.resource === rules.resource) {
      const presented = presentedCaller(request);
      if (presented !== undefined && presented !== known.auth) this.report.foreignAuth();
      presentCaller(request, known.auth);
      const needed = this.assertScopes(request, known, rules);
      this.attend(request, known.auth, rules, needed);
      return undefined;
    }
    if (known || presentedCaller(request) !== undefined) this.clear(request, known);
    const sources = credentialSources(request);
    if (rules.allowsAnonymous && sources.authorization.length === 0) {
      this.assertNoScopes(request, rules);
      recordOpen(request, rules.resource);
      this.attend(request, undefined, rules, []);
      return undefined;
    }
    const token = extractBearerToken(sources);
    const admitted = this.gate.admit(token, rules.resource);
    if (!(admitted instanceof Promise)) {
      this.letIn(request, token, admitted, rules);
      return undefined;
    }
    return admitted.then((later) => {
      this.letIn(request, token, later, rules);
    });
  }

  private letIn(
    request: AuthenticatedRequest,
    token: string,
    admitted: AdmittedToken,
    rules: AdmissionRules,
  ): void {
    const admission = { auth: toAuthInfo(token, admitted, rules.resource), resource: rules.resource };
    recordAdmission(request, admission);
    const needed = this.assertScopes(request, admission, rules);
    this.attend(request, admission.auth, rules, needed);
    this.report.accepted(admission.auth, rules.resource.options.resource);
  }

  private attend(
    request: AuthenticatedRequest,
    auth: AuthInfo | undefined,
    { response, resource, mayStream = true }: AdmissionRules,
    needed: readonly ScopeChoice[],
  ): void {
    const { body } = request;
    if (response) this.watchers.attend({ request, response, body, auth, resource, needed, mayStream });
  }

  /** Returns what is needed beside the scopes of the resource. */
  private assertScopes(
    request: AuthenticatedRequest,
    admission: Admission,
    rules: AdmissionRules,
  ): readonly ScopeChoice[] {
    const { auth, resource } = admission;
    const ofBody = this.bodyChoices(request, admission, rules);
    const operation = [...handlerChoices(admission, rules), ...ofBody];
    const demand = { baseline: resource.options.requiredScopes, operation };
    const strategy = isMcpBody(request.body)
      ? mcpStrategy(request.headers['mcp-protocol-version'])
      : 'complete';
    const granted = { scopes: auth.scopes, hierarchy: this.options.scopeHierarchy };
    const scopes = scopesToAskFor(granted, demand, strategy, this.resources.scopesOf(resource));
    if (scopes) throw new InsufficientScopeError(scopes);
    return operation;
  }

  /** What the body asks for. If a handler is called within the request, all of it has been decided on, or is now. */
  private bodyChoices(
    request: AuthenticatedRequest,
    admission: Admission,
    { handler, isLast }: AdmissionRules,
  ): readonly ScopeChoice[] {
    if (handler && admission.decisions?.covers(request.body)) return [];
    const operations = this.scopedOperations(request, admission.resource, isLast);
    if (operations.length === 0) return [];
    const decisions = (admission.decisions ??= new RequestDecisions());
    const choices = operations.flatMap(({ operation, needs }) =>
      needs.flatMap((need) => choicesFor(need, operation, admission.auth, admission)),
    );
    decisions.record(
      request.body,
      operations.map(({ operation }) => operation),
    );
    return choices;
  }

  /** An anonymous caller is asked for all that the operation needs, so that one consent is enough. */
  private assertNoScopes(
    request: AuthenticatedRequest,
    { resource, requirements, isLast }: AdmissionRules,
  ): void {
    const ofBody = this.scopedOperations(request, resource, isLast).flatMap(({ needs }) => needs);
    const needed = [...requirements, ...ofBody.flatMap((need) => need.requirements)];
    if (needed.length === 0) return;
    const demand = { baseline: resource.options.requiredScopes, operation: choicesWithoutCaller(needed) };
    throw new CredentialsRefusedError('missing_token', scopesForAnonymous(demand));
  }

  /**
   * @throws {@link MessageRefusedError} for a message that may not be served whatever its scopes; an error for a JSON body
   * that nobody has parsed, where nothing but the guard decides on it
   */
  private scopedOperations(
    request: AuthenticatedRequest,
    resource: KnownResource,
    isLast = false,
  ): readonly ScopedOperation[] {
    if (isLast && this.handlerScopes.needsBodies && hasUnreadMessage(request)) throw unreadFailure(request);
    const { headers, body } = request;
    if (body === undefined) return [];
    if (Array.isArray(body) && hasNoBatches(headers['mcp-protocol-version']))
      throw new MessageRefusedError('batch');
    if (this.handlerScopes.decides) assertHeadersAgree(request, body);
    const operations = operationsOf(body);
    if (this.handlerScopes.decides) assertBounded(operations, this.options.maxOperations);
    return operations.flatMap((operation) => {
      if (!this.handlerScopes.admits(operation)) {
        this.report.undeclaredTool(operation.name);
        throw new MessageRefusedError('undeclared_tool');
      }
      if (!this.handlerScopes.belongsTo(operation, resource)) throw new MessageRefusedError('other_resource');
      const needs = this.handlerScopes.needsOf(operation);
      return needs.length > 0 ? [{ operation, needs }] : [];
    });
  }

  private clear(request: object, known: Admission | undefined): void {
    if (!known) this.report.foreignAuth();
    clearAdmission(request);
  }
}

/** What the handler asks for, about the operation that it is called for as it was sent. */
function handlerChoices(
  admission: Admission,
  { requirements, call, handler }: AdmissionRules,
): readonly ScopeChoice[] {
  const { name, message, invocation } = handler ?? { name: call.name };
  const sent = message && invocation && admission.decisions?.sent(call, message, invocation);
  return choicesFor({ name, requirements }, sent ?? call, admission.auth, admission);
}
