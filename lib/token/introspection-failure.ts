import { errors } from 'jose';
import { DiscoveryError } from '../errors/discovery.error.js';

/**
 * Why an authorization server could not be asked about a token, or what was wrong with its answer. Its message is
 * for operators: it holds nothing of token, answer or credentials.
 *
 * @internal
 */
export class IntrospectionFailure extends Error {
  /** @param status - the answer's status, where it was not 200 */
  constructor(
    message: string,
    options?: ErrorOptions,
    readonly status?: number,
  ) {
    super(message, options);
    this.name = 'IntrospectionFailure';
  }
}

/** What went wrong, whatever threw it. Other errors are not kept as a cause: those of jose hold the answer. @internal */
export function toIntrospectionFailure(error: unknown): IntrospectionFailure {
  if (error instanceof IntrospectionFailure) return error;
  if (error instanceof DiscoveryError) return new IntrospectionFailure(error.message);
  if (error instanceof errors.JOSEError) {
    return new IntrospectionFailure(`the answer is not signed as it has to be (${error.message})`);
  }
  return new IntrospectionFailure(`the request failed (${systemCode(error) ?? 'no reason given'})`);
}

/** Such as `ECONNREFUSED`: fetch itself says only "fetch failed", and puts the reason behind it. */
function systemCode(error: unknown): string | undefined {
  const reason = (error as { cause?: unknown } | null)?.cause as { code?: unknown } | null | undefined;
  return typeof reason?.code === 'string' ? reason.code : undefined;
}
