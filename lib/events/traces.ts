import { tracingChannel, type TracingChannel } from 'node:diagnostics_channel';
import { rejectionReason, type RejectionReason } from '../errors/rejection-reason.js';
import { describeThrown } from './escape-for-log.js';

/**
 * What subscribers of the tracing channel `nestjs-mcp-auth:authentication` get: the validation of one token, cached or not.
 *
 * @publicApi
 */
export interface AuthenticationTrace {
  /** The protected resource, as configured. */
  readonly resource: string;
  /** That of the events of the request. Undefined outside of a request. */
  readonly requestId: string | undefined;
  /** Why it failed, once it has. Set by the channel; without the token and without `cause`. */
  readonly error?: TraceFailure;
}

/**
 * What subscribers of the tracing channels `nestjs-mcp-auth:metadata`, `nestjs-mcp-auth:keys`, `nestjs-mcp-auth:introspection`
 * and `nestjs-mcp-auth:exchange` get: one fetch. Requests share these, so they run outside of requests.
 *
 * @publicApi
 */
export interface ServerTrace {
  /** The authorization server. Undefined until its first document names it, if only its `metadataUrl` is configured. */
  readonly issuer: string | undefined;
  /** Why it failed, once it has. Set by the channel; without the token and without `cause`. */
  readonly error?: TraceFailure;
}

/** Why traced work failed. Not the error itself, which may hold data of the token. @publicApi */
export class TraceFailure extends Error {
  override readonly name = 'TraceFailure';

  /** @internal */
  constructor(
    message: string,
    /** The same as in `access_denied`. */
    readonly reason: RejectionReason,
  ) {
    super(message);
  }
}

/** The tracing channels. Made once, so that each work only looks whether there are subscribers. @internal */
export const TRACES = {
  authentication: tracingChannel<unknown, AuthenticationTrace>('nestjs-mcp-auth:authentication'),
  metadata: tracingChannel<unknown, ServerTrace>('nestjs-mcp-auth:metadata'),
  keys: tracingChannel<unknown, ServerTrace>('nestjs-mcp-auth:keys'),
  introspection: tracingChannel<unknown, ServerTrace>('nestjs-mcp-auth:introspection'),
  exchange: tracingChannel<unknown, ServerTrace>('nestjs-mcp-auth:exchange'),
};

/**
 * Runs work and reports it to the subscribers of a tracing channel, without its result and without the error itself. Call it
 * only if the channel has subscribers.
 *
 * @param secrets - texts that must not be reported
 * @throws what the work throws
 * @internal
 */
export async function traced<C extends object, T>(
  trace: TracingChannel<unknown, C>,
  context: C,
  work: () => T | Promise<T>,
  secrets: readonly string[] = [],
): Promise<T> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  const report = async (): Promise<void> => {
    try {
      outcome = { value: await work() };
    } catch (error) {
      outcome = { error };
      throw new TraceFailure(describeThrown(error, secrets), rejectionReason(error) ?? 'inactive');
    }
  };
  await trace.tracePromise(report, context).catch(() => undefined);
  if (outcome && 'value' in outcome) return outcome.value;
  throw outcome?.error;
}
