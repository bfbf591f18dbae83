import {
  AuthorizationServerUnavailableError,
  CredentialsRefusedError,
  InsufficientScopeError,
  TokenRefusedError,
} from '../errors/refusal.errors.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type VerificationContext, type VerifiedToken } from '../verifier/token.verifier.js';
import { readVerificationResult } from '../verifier/verification-result.js';
import { type Verifies } from '../verifier/verifier.registry.js';
import { isThenable, within } from './within.js';

/**
 * Asks a verifier about a token, for a limited time.
 *
 * @param verifier - returns and throws what it likes, now or later
 * @param token - the token
 * @param resource - for which it is verified
 * @param timeoutMs - how long to wait for a result that is a promise
 * @throws {@link TokenRefusedError} for a token that is not good
 * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now, or not in time
 * @throws whatever else the verifier threw, or an error that says what is wrong with what it did
 * @internal
 */
export async function askVerifier(
  verifier: Verifies,
  token: string,
  { options, servers }: KnownResource,
  timeoutMs: number,
): Promise<VerifiedToken> {
  // Made when it is first needed: most verifiers never look at the signal.
  let controller: AbortController | undefined;
  const context: VerificationContext = {
    resource: options.resource,
    authorizationServers: servers,
    get signal() {
      return (controller ??= new AbortController()).signal;
    },
  };
  const end = (): Error => {
    const cause = new Error(`The verifier gave no answer within ${timeoutMs} ms`);
    (controller ??= new AbortController()).abort(cause);
    return new AuthorizationServerUnavailableError([...servers.keys()].join(', '), 'verification', { cause });
  };
  const result = await answerOf(() => verifier.verify(token, context), timeoutMs, end);
  const verified = readVerificationResult(result);
  if (!verified) throw new TokenRefusedError('inactive');
  return verified;
}

async function answerOf(ask: () => unknown, timeoutMs: number, end: () => Error): Promise<unknown> {
  try {
    const answer = ask();
    return isThenable(answer) ? await within(timeoutMs, answer, end) : answer;
  } catch (error) {
    throw explain(error);
  }
}

/** What it means that a verifier threw this. Whatever it is not supposed to throw is its own fault. */
function explain(error: unknown): unknown {
  if (isInvalidToken(error)) return new TokenRefusedError('inactive', { cause: error });
  if (error instanceof InsufficientScopeError || error instanceof CredentialsRefusedError) {
    return new Error(`A verifier threw ${error.name}, which is not for it to decide`, { cause: error });
  }
  return error;
}

/** The errors of both versions of the MCP SDK for a token that is not good, as its verifiers throw them. */
function isInvalidToken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errorCode } = error as { code?: unknown; errorCode?: unknown };
  return code === 'invalid_token' || errorCode === 'invalid_token';
}
