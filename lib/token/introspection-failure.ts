import { errors } from 'jose';
import { DiscoveryError } from '../errors/discovery.error.js';

/**
 * Thrown if introspection of a token fails, or its response is wrong. The message is for operators: it contains nothing
 * of the token, the response or the credentials.
 *
 * @internal
 */
export class IntrospectionFailure extends Error {
  /** @param status - the response's status, if it was not 200 */
  constructor(
    message: string,
    options?: ErrorOptions,
    readonly status?: number,
  ) {
    super(message, options);
    this.name = 'IntrospectionFailure';
  }
}

/** Converts any error. Other errors are not kept as a cause: those of jose contain the response. @internal */
export function toIntrospectionFailure(error: unknown): IntrospectionFailure {
  if (error instanceof IntrospectionFailure) return error;
  if (error instanceof DiscoveryError) return new IntrospectionFailure(error.message);
  if (error instanceof errors.JOSEError) {
    return new IntrospectionFailure(`the answer is not signed as it has to be (${error.message})`);
  }
  return new IntrospectionFailure(`the request failed (${systemCode(error) ?? 'no reason given'})`);
}

/** Returns a code such as `ECONNREFUSED`. fetch says only "fetch failed", and has the reason in `cause`. */
function systemCode(error: unknown): string | undefined {
  const reason = (error as { cause?: unknown } | null)?.cause as { code?: unknown } | null | undefined;
  return typeof reason?.code === 'string' ? reason.code : undefined;
}
