import { Inject, Injectable } from '@nestjs/common';
import { currentRequest } from '../auth-info/current-request.js';
import { responseOf } from '../auth-info/request-auth.js';
import { type Denial, type DenialListener, type ResponseState } from '../auth-info/response-state.js';
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
import { LateRefusalReport } from './late-refusal-report.js';
import { StepUpAnswer, type SteppedUp } from './step-up-answer.js';
import { transformResponse } from './transform-response.js';

/**
 * Lets a handler refuse its own request for scopes: notes each {@link InsufficientScopeError} that is made in the course of
 * a request, whoever catches it, and has the answer replaced when that turns out to be one of failure.
 *
 * @internal
 */
@Injectable()
export class StepUps implements DenialListener {
  constructor(
    readonly resources: ProtectedResourceRegistry,
    readonly report: LateRefusalReport,
    @Inject(MCP_AUTH_OPTIONS) readonly options: ResolvedMcpAuthOptions,
  ) {
    hearOfInsufficientScope((error) => responseOf(currentRequest())?.deny(error, true));
  }

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

  /** The refusal that the request is answered with, told of when it is first asked for. */
  refusal(): RefusalResponse {
    const { options } = this.owner;
    const failure = this.failure();
    const id = options.errorBody === 'json-rpc' ? requestIdOf(this.body) : null;
    const refusal = refusalResponse(failure, this.state.exchange.resource, options, id);
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
    this.owner.report.refused({ failure, status, resource: resource.options.resource, auth, request });
  }

  private failure(): InsufficientScopeError | CredentialsRefusedError {
    const { auth, resource, needed, request } = this.state.exchange;
    const { options, resources } = this.owner;
    const demand = {
      baseline: resource.options.requiredScopes,
      operation: [...needed, ...this.denial.scopes],
    };
    if (!auth) return new CredentialsRefusedError('missing_token', scopesForAnonymous(demand));
    const granted = { scopes: auth.scopes, hierarchy: options.scopeHierarchy };
    const strategy = isMcpBody(this.body) ? mcpStrategy(request.headers['mcp-protocol-version']) : 'complete';
    return insufficientScope(challengedScopes(granted, demand, strategy, resources.scopesOf(resource)));
  }
}

/**
 * Has a request answered with the refusal of a handler that is called within it: for want of scopes, or of a token where
 * nobody in particular has been let in.
 *
 * @returns whether the refusal will be told of once the request is answered; false for what is answered otherwise
 * @internal
 */
export function noteRefusal(request: object | undefined, failure: unknown): boolean {
  const state = responseOf(request);
  if (!state) return false;
  const isLate =
    failure instanceof InsufficientScopeError ||
    (failure instanceof CredentialsRefusedError && state.exchange.auth === undefined);
  return isLate && state.deny(failure, true);
}

/** Whether a handler has refused this request for scopes. @internal */
export function isSteppingUp(request: object): boolean {
  const state = responseOf(request);
  return state?.isCurrent === true && state.denial !== undefined;
}
