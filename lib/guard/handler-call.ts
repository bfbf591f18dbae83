import type { ExecutionContext } from '@nestjs/common';
import type { HandlerPlan } from '../mcp/handler-plan.js';
import { NO_ARGUMENTS } from '../mcp/operations.js';
import type { ScopedCall, ScopeRequirement } from '../mcp/scope-requirement.js';
import { isOfMessage, messageOf } from '../platform/mcp-nest.js';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { localCallOf } from '../request/local-call.js';
import { RequestContext } from '../request/request-context.js';
import type { HandlerDemand, ParsedRequest } from './request-authorizer.js';

/**
 * Returns the call that functions in `@RequireScopes()`, and policies, get. A handler within another request has its arguments already; for a
 * resource, the URI is among them.
 *
 * @internal
 */
export function callOf(
  context: ExecutionContext,
  { call }: HandlerPlan,
  requirements: readonly ScopeRequirement[],
  hasPolicies: boolean,
): ScopedCall {
  // Only functions and policies need it.
  if (!hasPolicies && !requirements.some((requirement) => typeof requirement === 'function')) return call;
  const type = context.getType<string>();
  if (type === 'http') {
    const { method = '' } = context.getArgByIndex<ParsedRequest>(0);
    return { ...call, method };
  }
  if (type !== 'rpc') return call;
  const given = context.getArgByIndex<ScopedCall['arguments'] | undefined>(0) ?? NO_ARGUMENTS;
  if (call.kind !== 'resource') return { ...call, arguments: given };
  return typeof given['uri'] === 'string' ? { ...call, name: given['uri'] } : call;
}

/** Returns what a handler needs that is called within another request. @internal */
export function handlerDemandOf(
  context: ExecutionContext,
  { call: { name }, authentication, policies, annotations }: HandlerPlan,
  requirements: readonly ScopeRequirement[],
  call: ScopedCall,
): HandlerDemand {
  const carrier: unknown = context.getType<string>() === 'rpc' ? context.getArgByIndex(1) : undefined;
  const message = isOfMessage(carrier, call) ? carrier : undefined;
  const invocation = context.getArgs();
  return { name, requirements, authentication, policies, annotations, call, message, invocation };
}

/** What is reported of a rejected call of a handler that is not a route. @internal */
export interface RejectedCall {
  /** Its message. */
  readonly body: unknown;
  /** Represents it if it has no HTTP request. */
  readonly localCall: object | undefined;
  /** Its caller. */
  readonly auth: AuthInfo | undefined;
}

/**
 * Returns what is known of a rejected call of a handler that is not a route, and removes the caller of a local call.
 *
 * @param request - the HTTP request behind the call, if there is one
 * @internal
 */
export function rejectedCallIn(context: ExecutionContext, request: object | undefined): RejectedCall {
  const carrier: unknown = context.getType<string>() === 'rpc' ? context.getArgByIndex(1) : undefined;
  const localCall = localCallOf(context)?.carrier;
  const state = RequestContext.find(request ?? localCall);
  const auth = state?.authentication?.auth;
  if (state && !request) state.authentication = undefined;
  return { body: messageOf(carrier), localCall, auth };
}
