import type { ExecutionContext } from '@nestjs/common';
import { isMcpContext, rawRequestOf, sdkHttpOf, transportKindOf } from '../platform/mcp-nest.js';
import { RequestContext } from './request-context.js';

/** A call of an MCP handler behind which there is no HTTP request, and whose transport says what it is. @internal */
export interface LocalCall {
  /** What stands for the call: the same for guard and handler, and another for each call. */
  readonly carrier: object;
  /** Who calls, as the transport says; undefined where it does not. */
  readonly supplied: unknown;
}

/**
 * The local call that a handler is called for, over stdio or by a transport of the application that supplies an `authInfo`
 * with its messages. Undefined for everything else: no HTTP request alone is no proof of a local call, and in the course of
 * one nothing is. Clients have no say in it: the kind of a transport is its own, and so is what it supplies.
 *
 * @internal
 */
export function localCallOf(context: ExecutionContext): LocalCall | undefined {
  if (context.getType<string>() !== 'rpc' || RequestContext.current() !== undefined) return undefined;
  const carrier = context.switchToRpc().getContext<unknown>();
  if (typeof carrier !== 'object' || carrier === null || isOfHttp(carrier)) return undefined;
  const supplied = sdkHttpOf(carrier)?.authInfo ?? undefined;
  return supplied !== undefined || transportKindOf(carrier) === 'stdio' ? { carrier, supplied } : undefined;
}

/** Whether a handler is one of MCP, called by a transport of `@rekog/mcp-nest`, and no message of another kind. @internal */
export function isMcpCall(context: ExecutionContext): boolean {
  return context.getType<string>() === 'rpc' && isMcpContext(context.switchToRpc().getContext());
}

/** An HTTP transport stays one where the request is lost, whatever `authInfo` it supplies. */
function isOfHttp(carrier: object): boolean {
  const requests = [rawRequestOf(carrier), sdkHttpOf(carrier)?.req];
  return transportKindOf(carrier) === 'streamable-http' || requests.some((request) => request != null);
}
