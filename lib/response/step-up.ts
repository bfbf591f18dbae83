import { Injectable } from '@nestjs/common';
import { RequestContext } from '../request/request-context.js';
import type { Denial, DenialListener, ResponseState } from '../request/response-state.js';
import type { RejectionResponse } from '../rejection/rejection-response.js';
import { Rejections } from '../rejection/rejections.js';
import {
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
} from '../errors/rejection.errors.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import { strategyFor } from '../mcp/challenge-strategy.js';
import { AccessGrants } from './access-grants.js';
import { StepUpAnswer, type SteppedUp } from './step-up-answer.js';
import { explained, type JsonRpcMessage } from './step-up-messages.js';
import { transformResponse } from './transform-response.js';

/**
 * Lets a handler deny its own request, for missing scopes or by a policy. It replaces the response if that contains the denial, even if
 * other code caught the error on the way.
 *
 * @internal
 */
@Injectable()
export class StepUps implements DenialListener {
  constructor(
    readonly scopes: ScopePolicy,
    readonly rejections: Rejections,
    readonly grants: AccessGrants,
  ) {}

  denied(state: ResponseState, denial: Denial): void {
    const { response } = state.authorized;
    if (!response.writableEnded)
      transformResponse(response, new StepUpAnswer(new StepUp(state, denial, this)));
  }
}

/** A request that its handler has denied. */
class StepUp implements SteppedUp {
  private isReported = false;

  constructor(
    private readonly state: ResponseState,
    private readonly denial: Denial,
    private readonly owner: StepUps,
  ) {}

  get body(): unknown {
    const { request, body } = this.state.authorized;
    return (request as { readonly body?: unknown }).body ?? body;
  }

  get isCurrent(): boolean {
    return this.state.isCurrent;
  }

  get isThrown(): boolean {
    return this.denial.isThrown;
  }

  isSaidIn(text: string): boolean {
    const { isThrown, messages } = this.denial;
    return (
      isThrown || [...messages].some((each) => [each, escaped(each)].some((said) => text.includes(said)))
    );
  }

  /** The rejection that the request is answered with, told of when it is first asked for. */
  rejection(): RejectionResponse {
    const failure = this.failure();
    this.tell(failure);
    return this.response(failure);
  }

  /** What a message of an answer that has begun says, told of when it is first asked for. */
  explained(message: JsonRpcMessage): JsonRpcMessage {
    const failure = this.failure();
    this.tell(failure);
    const { body } = this.response(failure);
    if (!('result' in body)) return explained(message, failure.message);
    const { jsonrpc, id } = message;
    return { jsonrpc, id, result: body.result };
  }

  private response(failure: Error): RejectionResponse {
    const { request, resource } = this.state.authorized;
    return this.owner.rejections.response(failure, resource, request, () => this.body);
  }

  private tell(failure: Error): void {
    if (this.isReported) return;
    this.isReported = true;
    const { request, auth, resource, response } = this.state.authorized;
    const context = RequestContext.of(request);
    // The denial of a handler is a decision of its own, after the one that let the request through.
    this.owner.grants.grant(context, request, response);
    this.owner.rejections.tell(failure, resource, { request, auth, response, body: this.body });
  }

  private failure(): Error {
    const { auth, resource, needed, request } = this.state.authorized;
    const { scopes } = this.owner;
    const { access, authentication, outage } = this.denial;
    if (outage && !access && !authentication && this.denial.scopes.size === 0) return outage;
    const operation = [...needed, ...this.denial.scopes];
    if (!auth)
      return new CredentialsRejectedError('missing_token', scopes.anonymousChallenge(resource, operation));
    if (access) return access;
    if (authentication) return authentication;
    const strategy = strategyFor({ body: this.body, headers: request.headers });
    return new InsufficientScopeError(scopes.challenge(auth, resource, operation, strategy));
  }
}

/** As it stands in JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/**
 * Records an error thrown by the handler of a request, or by the guard of a handler called within it: missing scopes, the denial of a policy, an
 * authentication of the user that is too weak, or a missing token if the request was authorized without one.
 *
 * @returns whether the response will report the denial; false if the error is handled elsewhere
 * @internal
 */
export function recordDenial(request: object | undefined, failure: unknown): boolean {
  const state = RequestContext.find(request)?.response;
  if (!state) return false;
  const isLate =
    failure instanceof InsufficientScopeError ||
    failure instanceof AccessDeniedError ||
    failure instanceof InsufficientAuthenticationError ||
    (failure instanceof CredentialsRejectedError && state.authorized.auth === undefined);
  return isLate && state.deny(failure, true);
}

/**
 * As {@link recordDenial}, for an error that has left a handler. An authorization server that did not answer the handler is a
 * failure of the request too.
 *
 * @internal
 */
export function recordHandlerError(request: object | undefined, error: unknown): boolean {
  if (!(error instanceof AuthorizationServerUnavailableError)) return recordDenial(request, error);
  return RequestContext.find(request)?.response?.deny(error, true) ?? false;
}
