import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientScopeError,
  MessageRejectedError,
  RequestOriginRejectedError,
  TenantRejectedError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { isThenable, type SharedDeadline } from '../platform/deadline.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { isInvalidToken } from './invalid-token.js';
import { IssuerTokenVerifier } from './issuer-token.verifier.js';
import type { VerificationContext, VerifiedToken } from '../options/token.verifier.js';
import { readVerificationResult } from './verification-result.js';
import type { Verifies } from './verifier.registry.js';

/**
 * Runs a verifier on a token, with a time limit.
 *
 * @param verifier - may return or throw any value, now or later
 * @param token - the token
 * @param resource - the resource that the token is verified for
 * @param deadline - how long to wait for a result that is a promise
 * @param conclude - converts the result
 * @throws {@link TokenRejectedError} if the token is invalid
 * @throws {@link AuthorizationServerUnavailableError} if it cannot be verified now, or not in time
 * @throws other errors of the verifier, or an error that describes a wrong result
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

/** Runs a verifier of the application, and converts what it throws. Our own verifier needs no conversion. */
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

/** The verification context that a verifier receives. */
class Question implements VerificationContext {
  readonly resource: string;
  readonly authorizationServers: VerificationContext['authorizationServers'];
  /**
   * Made when first needed: most verifiers never use the signal. Making it each time would cost 0.6 µs per verification,
   * 1 % of it; benchmark row: "guard alone, first sight".
   */
  private controller: AbortController | undefined;
  private readonly apiKeyIssuer: string | undefined;

  readonly findAuthorizationServer: VerificationContext['findAuthorizationServer'];

  constructor({ options, servers, resolvedServers, apiKeyIssuer }: ProtectedResource) {
    this.resource = options.resource;
    this.authorizationServers = servers;
    this.apiKeyIssuer = apiKeyIssuer;
    this.findAuthorizationServer = resolvedServers && ((issuer) => resolvedServers.find(issuer));
  }

  get signal(): AbortSignal {
    return (this.controller ??= new AbortController()).signal;
  }

  /** Returns a context that keeps its signal if a verifier of the application spreads it. It costs more to make. */
  copyable(): VerificationContext {
    const signalOf = (): AbortSignal => this.signal;
    return {
      resource: this.resource,
      authorizationServers: this.authorizationServers,
      ...(this.findAuthorizationServer && { findAuthorizationServer: this.findAuthorizationServer }),
      get signal() {
        return signalOf();
      },
    };
  }

  /** Aborts the verifier, and returns the error for the missing result. */
  end(timeoutMs: number): Error {
    const cause = new Error(`The verifier gave no answer within ${timeoutMs} ms`);
    (this.controller ??= new AbortController()).abort(cause);
    const issuers = this.apiKeyIssuer ?? [...this.authorizationServers.keys()].join(', ');
    return new AuthorizationServerUnavailableError(issuers, 'verification', { cause });
  }
}

/** Rejections that are not about a token, so a verifier must not throw them. */
const FOR_OTHERS = [
  InsufficientScopeError,
  CredentialsRejectedError,
  RequestOriginRejectedError,
  MessageRejectedError,
  TenantRejectedError,
];

/** Converts an error that a verifier threw. An error that it must not throw becomes a fault of the verifier. */
function explain(error: unknown): unknown {
  if (isInvalidToken(error)) return new TokenRejectedError('inactive', { cause: error });
  if (FOR_OTHERS.some((type) => error instanceof type)) {
    const { name } = error as Error;
    return new Error(`A verifier threw ${name}, which is not for it to decide`, { cause: error });
  }
  return error;
}
