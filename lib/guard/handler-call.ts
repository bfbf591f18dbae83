import type { ExecutionContext } from '@nestjs/common';
import type { HandlerPlan } from '../mcp/handler-plan.js';
import { NO_ARGUMENTS } from '../mcp/operations.js';
import type { ScopedCall, ScopeRequirement } from '../mcp/scope-requirement.js';
import { messageOf } from '../platform/mcp-nest.js';
import { localCallOf } from '../request/local-call.js';
import type { ParsedRequest } from './request-authorizer.js';

/**
 * Returns the call that functions in `@RequireScopes()` get. A handler within another request has its arguments already; for a
 * resource, the URI is among them.
 *
 * @internal
 */
export function callOf(
  context: ExecutionContext,
  { call }: HandlerPlan,
  requirements: readonly ScopeRequirement[],
): ScopedCall {
  // Only functions need it.
  if (!requirements.some((requirement) => typeof requirement === 'function')) return call;
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

/**
 * Returns what is known of a call of a handler that is not a route, for the report: its message, and what represents it if it
 * has no HTTP request.
 *
 * @internal
 */
export function callIn(context: ExecutionContext): { body: unknown; localCall: object | undefined } {
  const carrier: unknown = context.getType<string>() === 'rpc' ? context.getArgByIndex(1) : undefined;
  return { body: messageOf(carrier), localCall: localCallOf(context)?.carrier };
}
