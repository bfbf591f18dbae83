import { Injectable } from '@nestjs/common';
import { type LateDenial, RequestContext } from '../auth-info/request-context.js';
import { type RefusalResponse } from '../challenge/refusal-response.js';
import { Rejections } from '../challenge/rejections.js';
import {
  CredentialsRefusedError,
  hearOfInsufficientScope,
  insufficientScope,
  InsufficientScopeError,
} from '../errors/refusal.errors.js';
import { ScopePolicy } from '../gate/scope-policy.js';
import { isMcpBody } from '../mcp/operations.js';
import { mcpStrategy } from '../mcp/protocol-era.js';
import { type Exchange, type ExchangeWatcher } from './exchange.js';
import { holdAnswer } from './step-up-answer.js';

/**
 * Lets a handler refuse its own request for scopes: notes each {@link InsufficientScopeError} that is made in the course of
 * a request, whoever catches it, and has the answer replaced when that turns out to be one of failure.
 *
 * A request that no handler refuses costs a reference.
 *
 * @internal
 */
@Injectable()
export class StepUps implements ExchangeWatcher {
  constructor(
    readonly scopes: ScopePolicy,
    readonly rejections: Rejections,
  ) {
    hearOfInsufficientScope(noteStepUp);
  }

  attend(exchange: Exchange): void {
    RequestContext.of(exchange.request).lateDenial = new StepUp(exchange, this);
  }
}

const NONE: readonly string[] = [];

/** What a handler may yet refuse. @internal */
export class StepUp implements LateDenial {
  private missing: readonly string[] = NONE;
  private isReported = false;
  isDenied = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly owner: StepUps,
  ) {}

  /** The request's body, parsed. */
  get body(): unknown {
    return (this.exchange.request as { readonly body?: unknown }).body ?? this.exchange.body;
  }

  /** Whether the request still counts as let in: once a later layer refuses it, that layer answers. */
  get isCurrent(): boolean {
    return RequestContext.of(this.exchange.request).lateDenial === this;
  }

  /** Denies for want of scopes; for want of a token only if the request was authorized without a caller. */
  deny(failure: unknown): boolean {
    const isDenial =
      failure instanceof InsufficientScopeError ||
      (failure instanceof CredentialsRefusedError && this.exchange.auth === undefined);
    if (isDenial) this.note(failure.scopes);
    return isDenial;
  }

  private note(scopes: readonly string[]): void {
    const isFirst = !this.isDenied;
    this.isDenied = true;
    this.missing = [...new Set([...this.missing, ...scopes])];
    const { response } = this.exchange;
    if (isFirst && !response.writableEnded) holdAnswer(response, this);
  }

  /** The refusal that the request is answered with, told of when it is first asked for. */
  refusal(): RefusalResponse {
    const failure = this.failure();
    const refusal = this.owner.rejections.response(failure, this.exchange.resource, { body: this.body });
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
    const { request, auth, resource } = this.exchange;
    this.owner.rejections.tell(failure, status, resource, request, auth);
  }

  private failure(): InsufficientScopeError | CredentialsRefusedError {
    const { auth, resource, needed, request } = this.exchange;
    const { scopes } = this.owner;
    const operation = [...needed, ...this.missing];
    if (!auth)
      return new CredentialsRefusedError('missing_token', scopes.anonymousChallenge(resource, operation));
    const strategy = isMcpBody(this.body) ? mcpStrategy(request.headers['mcp-protocol-version']) : 'complete';
    return insufficientScope(scopes.challenge(auth, resource, operation, strategy));
  }
}

function noteStepUp(error: InsufficientScopeError): void {
  RequestContext.current()?.lateDenial?.deny(error);
}

/** Whether a handler has denied this request for scopes. @internal */
export function isSteppingUp(request: object): boolean {
  return RequestContext.find(request)?.lateDenial?.isDenied === true;
}
