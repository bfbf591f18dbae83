import { type ExecutionContext } from '@nestjs/common';
import { RequestContext } from './request-context.js';

/** A call of an MCP handler behind which there is no HTTP request, and whose transport says what it is. @internal */
export interface LocalCall {
  /** What stands for the call: the same for guard and handler, and another for each call. */
  readonly carrier: object;
  /** Who calls, as the transport says; undefined where it does not. */
  readonly supplied: unknown;
}

/** The part of @rekog/mcp-nest's handler context that tells of its transport. */
interface TransportCarrier {
  getRawRequest?: () => unknown;
  getSession?: () => { readonly transport?: unknown } | undefined;
  /** The MCP SDK's context of the message. */
  readonly sdkContext?: { readonly http?: { readonly authInfo?: unknown; readonly req?: unknown } };
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
  if (!isCarrier(carrier) || isOfHttp(carrier)) return undefined;
  const supplied = carrier.sdkContext?.http?.authInfo ?? undefined;
  return supplied !== undefined || transportOf(carrier) === 'stdio' ? { carrier, supplied } : undefined;
}

/** Whether a handler is one of MCP, called by a transport of `@rekog/mcp-nest`, and no message of another kind. @internal */
export function isMcpCall(context: ExecutionContext): boolean {
  if (context.getType<string>() !== 'rpc') return false;
  const carrier = context.switchToRpc().getContext<unknown>();
  return isCarrier(carrier) && typeof carrier.getSession === 'function';
}

function isCarrier(context: unknown): context is TransportCarrier & object {
  return typeof context === 'object' && context !== null;
}

/** An HTTP transport stays one where the request is lost, whatever `authInfo` it supplies. */
function isOfHttp(carrier: TransportCarrier): boolean {
  const requests = [carrier.getRawRequest?.(), carrier.sdkContext?.http?.req];
  return transportOf(carrier) === 'streamable-http' || requests.some((request) => request != null);
}

function transportOf(carrier: TransportCarrier): unknown {
  return carrier.getSession?.()?.transport;
}
