import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientScopeError,
  MessageRejectedError,
  RequestOriginRejectedError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { isThenable, type SharedDeadline } from '../platform/deadline.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { IssuerTokenVerifier } from './issuer-token.verifier.js';
import type { VerificationContext, VerifiedToken } from '../options/token.verifier.js';
import { readVerificationResult } from './verification-result.js';
import type { Verifies } from './verifier.registry.js';

/**
 * Asks a verifier about a token, for a limited time.
 *
 * @param verifier - returns and throws what it likes, now or later
 * @param token - the token
 * @param resource - for which it is verified
 * @param deadline - how long to wait for a result that is a promise
 * @param conclude - what is made of the answer
 * @throws {@link TokenRejectedError} for a token that is not good
 * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now, or not in time
 * @throws whatever else the verifier threw, or an error that says what is wrong with what it did
 * @internal
 */
export function runVerifier<T>(
  verifier: Verifies,
  token: string,
  resource: ProtectedResource,
  deadline: SharedDeadline,
  conclude: (verified: VerifiedToken) => T | Promise<T>,
): T | Promise<T> {
  const question = new Question(resource);
  const answer =
    verifier instanceof IssuerTokenVerifier
      ? verifier.verify(token, question)
      : askApplication(verifier, token, question.copyable());
  if (!isThenable(answer)) return conclude(read(answer));
  return deadline.await(answer, {
    onTimeout: (ms) => question.end(ms),
    onFulfilled: (given) => conclude(read(given)),
    onRejected: explain,
  });
}

/** What a verifier of the application throws is explained at once; what ours throws says what it means. */
function askApplication(verifier: Verifies, token: string, context: VerificationContext): unknown {
  try {
    return verifier.verify(token, context);
  } catch (error) {
    throw explain(error);
  }
}

function read(answer: unknown): VerifiedToken {
  const verified = readVerificationResult(answer);
  if (!verified) throw new TokenRejectedError('inactive');
  return verified;
}

/** What a verifier is told of the token that it is asked about. */
class Question implements VerificationContext {
  readonly resource: string;
  readonly authorizationServers: VerificationContext['authorizationServers'];
  /**
   * Made when it is first needed: most verifiers never look at the signal. To make it each time would cost 0.6 µs with each
   * verification, 1 % of it; benchmark row: "guard alone, first sight".
   */
  private controller: AbortController | undefined;

  constructor({ options, servers }: ProtectedResource) {
    this.resource = options.resource;
    this.authorizationServers = servers;
  }

  get signal(): AbortSignal {
    return (this.controller ??= new AbortController()).signal;
  }

  /** The same with a signal that goes along when a verifier of the application spreads it, which costs more to make. */
  copyable(): VerificationContext {
    const signalOf = (): AbortSignal => this.signal;
    return {
      resource: this.resource,
      authorizationServers: this.authorizationServers,
      get signal() {
        return signalOf();
      },
    };
  }

  /** Has the verifier stop, and says why there is no answer. */
  end(timeoutMs: number): Error {
    const cause = new Error(`The verifier gave no answer within ${timeoutMs} ms`);
    (this.controller ??= new AbortController()).abort(cause);
    const issuers = [...this.authorizationServers.keys()].join(', ');
    return new AuthorizationServerUnavailableError(issuers, 'verification', { cause });
  }
}

/** Rejections that say nothing of a token. */
const FOR_OTHERS = [
  InsufficientScopeError,
  CredentialsRejectedError,
  RequestOriginRejectedError,
  MessageRejectedError,
];

/** What it means that a verifier threw this. Whatever it is not supposed to throw is its own fault. */
function explain(error: unknown): unknown {
  if (isInvalidToken(error)) return new TokenRejectedError('inactive', { cause: error });
  if (FOR_OTHERS.some((type) => error instanceof type)) {
    const { name } = error as Error;
    return new Error(`A verifier threw ${name}, which is not for it to decide`, { cause: error });
  }
  return error;
}

/** The errors of both versions of the MCP SDK for a token that is not good, as its verifiers throw them. */
function isInvalidToken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errorCode } = error as { code?: unknown; errorCode?: unknown };
  return code === 'invalid_token' || errorCode === 'invalid_token';
}
