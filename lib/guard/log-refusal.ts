import { type Logger } from '@nestjs/common';
import {
  AuthorizationServerUnavailableError,
  CredentialsRefusedError,
  InsufficientScopeError,
  TokenRefusedError,
} from '../errors/refusal.errors.js';

/**
 * Tells an operator why a request was refused: at debug level what a client did, as a warning what an
 * authorization server did not, as an error what is ours. Nothing of the request or token is in it.
 *
 * @internal
 */
export function logRefusal(logger: Logger, failure: unknown, resource: string): void {
  if (failure instanceof CredentialsRefusedError || failure instanceof TokenRefusedError) {
    logger.debug(`Refused a request for ${resource}: ${failure.reason}`);
  } else if (failure instanceof InsufficientScopeError) {
    logger.debug(`Refused a request for ${resource}: insufficient_scope`);
  } else if (failure instanceof AuthorizationServerUnavailableError) {
    const cause = failure.cause instanceof Error ? failure.cause.message : 'unknown cause';
    logger.warn(`Answered 503 for ${resource}: ${failure.message} (${cause})`);
  } else {
    logger.error(
      `Answered 500 for ${resource}`,
      failure instanceof Error ? failure.stack : `thrown: a value of type ${typeof failure}`,
    );
  }
}
