import { Inject, Injectable } from '@nestjs/common';
import { currentRequest } from '../auth-info/current-request.js';
import { exchangeOf, recordExchange } from '../auth-info/request-auth.js';
import { requestIdOf } from '../challenge/refusal-body.js';
import { type RefusalResponse, refusalResponse } from '../challenge/refusal-response.js';
import {
  CredentialsRefusedError,
  hearOfInsufficientScope,
  insufficientScope,
  InsufficientScopeError,
} from '../errors/refusal.errors.js';
import { challengedScopes, scopesForAnonymous } from '../gate/scopes.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { isMcpBody } from '../mcp/operations.js';
import { mcpStrategy } from '../mcp/protocol-era.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { ProtectedResourceRegistry } from '../resource-metadata/protected-resource.registry.js';
import { type Exchange, type ExchangeWatcher } from './exchange.js';
import { LateRefusalReport } from './late-refusal-report.js';
import { StepUpAnswer } from './step-up-answer.js';
import { transformResponse } from './transform-response.js';

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
    readonly resources: ProtectedResourceRegistry,
    readonly report: LateRefusalReport,
    @Inject(MCP_AUTH_OPTIONS) readonly options: ResolvedMcpAuthOptions,
  ) {
    hearOfInsufficientScope(noteStepUp);
  }

  attend(exchange: Exchange): void {
    recordExchange(exchange.request, new StepUp(exchange, this));
  }
}

const NONE: readonly string[] = [];

/** What a handler may yet refuse. @internal */
export class StepUp {
  private missing: readonly string[] = NONE;
  private isReported = false;
  /** Whether a handler has refused the request. */
  isNoted = false;

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
    return exchangeOf(this.exchange.request) === this;
  }

  /** Whether the request was let in without a caller. */
  get isOfAnybody(): boolean {
    return this.exchange.auth === undefined;
  }

  note(scopes: readonly string[]): void {
    const isFirst = !this.isNoted;
    this.isNoted = true;
    this.missing = [...new Set([...this.missing, ...scopes])];
    const { response } = this.exchange;
    if (isFirst && !response.writableEnded) transformResponse(response, new StepUpAnswer(this));
  }

  /** The refusal that the request is answered with, told of when it is first asked for. */
  refusal(): RefusalResponse {
    const { options } = this.owner;
    const failure = this.failure();
    const id = options.errorBody === 'json-rpc' ? requestIdOf(this.body) : null;
    const refusal = refusalResponse(failure, this.exchange.resource, options, id);
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
    this.owner.report.refused({ failure, status, resource: resource.options.resource, auth, request });
  }

  private failure(): InsufficientScopeError | CredentialsRefusedError {
    const { auth, resource, needed, request } = this.exchange;
    const { options, resources } = this.owner;
    const demand = {
      baseline: resource.options.requiredScopes,
      operation: [...needed, ...this.missing],
    };
    if (!auth) return new CredentialsRefusedError('missing_token', scopesForAnonymous(demand));
    const granted = { scopes: auth.scopes, hierarchy: options.scopeHierarchy };
    const strategy = isMcpBody(this.body) ? mcpStrategy(request.headers['mcp-protocol-version']) : 'complete';
    return insufficientScope(challengedScopes(granted, demand, strategy, resources.scopesOf(resource)));
  }
}

function noteStepUp({ scopes }: InsufficientScopeError): void {
  const stepUp = exchangeOf(currentRequest());
  if (stepUp instanceof StepUp) stepUp.note(scopes);
}

/**
 * Has a request answered with the refusal of a handler that is called within it: for want of scopes, or of a token where
 * nobody in particular has been let in.
 *
 * @returns whether the refusal will be told of once the request is answered; false for what is answered otherwise
 * @internal
 */
export function noteRefusal(request: object | undefined, failure: unknown): boolean {
  const stepUp = exchangeOf(request);
  if (!(stepUp instanceof StepUp)) return false;
  if (failure instanceof InsufficientScopeError) stepUp.note(failure.scopes);
  else if (failure instanceof CredentialsRefusedError && stepUp.isOfAnybody) stepUp.note(failure.scopes);
  else return false;
  return true;
}

/** Whether a handler has refused this request for scopes. @internal */
export function isSteppingUp(request: object): boolean {
  const stepUp = exchangeOf(request);
  return stepUp instanceof StepUp && stepUp.isNoted;
}
