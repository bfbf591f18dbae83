import type { ExecutionContext } from '@nestjs/common';
import { isMcpContext, rawRequestOf, sdkHttpOf, transportKindOf } from '../platform/mcp-nest.js';
import { RequestContext } from './request-context.js';

/** A call of an MCP handler without an HTTP request, whose transport declares it as local. @internal */
export interface LocalCall {
  /** Represents the call: the same for guard and handler, and another for each call. */
  readonly carrier: object;
  /** The caller that the transport supplies; undefined if it supplies none. */
  readonly supplied: unknown;
}

/**
 * Returns the local call that a handler is called for; undefined for everything else. A call is local over stdio, or by a
 * transport of the application that supplies an `authInfo` with its messages. A missing HTTP request does not prove a local
 * call, and no call in the course of an HTTP request is local. Clients cannot influence this: the transport itself sets its
 * kind and what it supplies.
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

/** Whether a transport of `@rekog/mcp-nest` calls an MCP handler, and not a handler of another message. @internal */
export function isMcpCall(context: ExecutionContext): boolean {
  return context.getType<string>() === 'rpc' && isMcpContext(context.switchToRpc().getContext());
}

/** An HTTP transport is one even if the request is lost, whatever `authInfo` it supplies. */
function isOfHttp(carrier: object): boolean {
  const requests = [rawRequestOf(carrier), sdkHttpOf(carrier)?.req];
  return transportKindOf(carrier) === 'streamable-http' || requests.some((request) => request != null);
}
