import { Injectable } from '@nestjs/common';
import { RequestContext } from '../auth-info/request-context.js';
import { type Denial, type DenialListener, type ResponseState } from '../auth-info/response-state.js';
import { type RefusalResponse } from '../challenge/refusal-response.js';
import { Rejections } from '../challenge/rejections.js';
import { CredentialsRefusedError, InsufficientScopeError } from '../errors/refusal.errors.js';
import { ScopePolicy } from '../gate/scope-policy.js';
import { isMcpBody } from '../mcp/operations.js';
import { mcpStrategy } from '../mcp/protocol-era.js';
import { StepUpAnswer, type SteppedUp } from './step-up-answer.js';
import { transformResponse } from './transform-response.js';

/**
 * Lets a handler deny its own request for scopes: has the answer replaced when that turns out to say the denial, whoever
 * caught it on the way.
 *
 * @internal
 */
@Injectable()
export class StepUps implements DenialListener {
  constructor(
    readonly scopes: ScopePolicy,
    readonly rejections: Rejections,
  ) {}

  denied(state: ResponseState, denial: Denial): void {
    const { response } = state.exchange;
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
    const { request, body } = this.state.exchange;
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

  /** The refusal that the request is answered with, told of when it is first asked for. */
  refusal(): RefusalResponse {
    const failure = this.failure();
    const refusal = this.owner.rejections.response(failure, this.state.exchange.resource, this);
    this.tell(failure, refusal.status);
    return refusal;
  }

  /** What an answer that has begun says, told of when it is first asked for. */
  message(): string {
    const failure = this.failure();
    this.tell(failure, 403);
    return failure.message;
  }

  private tell(failure: Error, status: number): void {
    if (this.isReported) return;
    this.isReported = true;
    const { request, auth, resource } = this.state.exchange;
    this.owner.rejections.tell(failure, status, resource, request, auth);
  }

  private failure(): InsufficientScopeError | CredentialsRefusedError {
    const { auth, resource, needed, request } = this.state.exchange;
    const { scopes } = this.owner;
    const operation = [...needed, ...this.denial.scopes];
    if (!auth)
      return new CredentialsRefusedError('missing_token', scopes.anonymousChallenge(resource, operation));
    const strategy = isMcpBody(this.body) ? mcpStrategy(request.headers['mcp-protocol-version']) : 'complete';
    return new InsufficientScopeError(scopes.challenge(auth, resource, operation, strategy));
  }
}

/** As it stands in JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/**
 * Has a request answered with what its handler has thrown, or the guard of a handler that is called within it: the want of
 * scopes, or of a token if the request was let in without one.
 *
 * @returns whether the denial will be told of once the request is answered; false for what is answered otherwise
 * @internal
 */
export function recordDenial(request: object | undefined, failure: unknown): boolean {
  const state = RequestContext.find(request)?.response;
  if (!state) return false;
  const isLate =
    failure instanceof InsufficientScopeError ||
    (failure instanceof CredentialsRefusedError && state.exchange.auth === undefined);
  return isLate && state.deny(failure, true);
}
