import { McpAuthConfigError } from '../errors/config.error.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import type {
  TokenVerifier,
  TokenVerifierOption,
  VerificationContext,
  VerifiedToken,
  VerifyToken,
} from '../options/token.verifier.js';
import { isVerifier } from '../options/verifier-option.js';
import { isInvalidToken } from './invalid-token.js';
import { readVerificationResult } from './verification-result.js';
import type { Verifies } from './verifier.registry.js';

/** A verifier of {@link firstOf}: as an option, or `TokenVerifier` for that of the package. @publicApi */
export type VerifierOfFirst = TokenVerifierOption | typeof TokenVerifier;

/** The verifiers of a function that {@link firstOf} has returned. */
const PARTS = Symbol('nestjs-mcp-auth:verifiers');

/**
 * Composes verifiers: each token goes to one after another, and the first that returns claims wins. For opaque tokens of several
 * kinds in `Authorization: Bearer`, or for tokens of other kinds beside those of the authorization server:
 * `verifier: firstOf(TokenVerifier, PartnerKeys)`.
 *
 * A verifier that returns null or rejects the token leaves it to the next. So does one that fails, but its failure is not
 * forgotten. If none returns claims, the token is rejected with the first reason that a verifier threw, unless one failed:
 *
 * - one threw {@link AuthorizationServerUnavailableError}: the answer is 503
 * - one threw another error, or returned no result: the answer is 500
 *
 * `verifierTimeoutMs` is for all of them together. A verifier that does not answer in time makes the answer 503, and the next ones
 * are not asked. Each verifier sees the tokens of those after it: it must not log or forward what it does not know.
 *
 * @param verifiers - at least two: classes among the providers, objects or functions. `TokenVerifier` is the verifier of the
 * package
 * @throws {@link McpAuthConfigError} if there are fewer, or one is no verifier
 * @publicApi
 */
export function firstOf(...verifiers: readonly VerifierOfFirst[]): VerifyToken {
  const problem = problemOf(verifiers);
  if (problem !== undefined) throw new McpAuthConfigError([{ path: 'firstOf()', message: problem }]);
  const verify: VerifyToken = () => {
    throw new Error('firstOf() returns an option: use it as "verifier" of McpAuthModule');
  };
  return Object.assign(verify, { [PARTS]: verifiers });
}

function problemOf(verifiers: readonly unknown[]): string | undefined {
  if (verifiers.length < 2) return 'needs at least two verifiers; one needs no firstOf()';
  const problems = verifiers.map((each) => isVerifier(each));
  const index = problems.findIndex((problem) => problem !== undefined);
  return index < 0 ? undefined : `argument ${String(index + 1)} ${String(problems[index])}`;
}

/** Returns the verifiers of a function of {@link firstOf}; undefined for another verifier. @internal */
export function partsOf(verifier: VerifierOfFirst): readonly VerifierOfFirst[] | undefined {
  return (verifier as { [PARTS]?: readonly VerifierOfFirst[] })[PARTS];
}

/** Returns the verifier that runs several, as {@link firstOf} documents. @internal */
export function composed(verifiers: readonly Verifies[]): Verifies {
  return { verify: (token, context) => verifyInTurn(verifiers, token, context) };
}

async function verifyInTurn(
  verifiers: readonly Verifies[],
  token: string,
  context: VerificationContext,
): Promise<VerifiedToken | null> {
  const failures: unknown[] = [];
  for (const verifier of verifiers) {
    try {
      const verified = readVerificationResult(await verifier.verify(token, context));
      if (verified) return verified;
    } catch (error) {
      failures.push(error);
    }
    // The answer has been given: nothing waits for the other verifiers.
    if (context.signal.aborted) return null;
  }
  return conclude(failures);
}

/** Throws the failure that says most; returns null if there is none. Anything may have been thrown, also undefined. */
function conclude(failures: readonly unknown[]): null {
  for (const saysMost of [isOutage, isFault, isRejection]) {
    const index = failures.findIndex(saysMost);
    if (index >= 0) throw failures[index];
  }
  return null;
}

function isOutage(error: unknown): boolean {
  return error instanceof AuthorizationServerUnavailableError;
}

function isRejection(error: unknown): boolean {
  return error instanceof TokenRejectedError || isInvalidToken(error);
}

function isFault(error: unknown): boolean {
  return !isRejection(error);
}
