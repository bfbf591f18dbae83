import { jwtVerify, type JWTVerifyGetKey } from 'jose';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { IntrospectionFailure } from './introspection-failure.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** What a server says of an active token; null for one that is not active. @internal */
export type IntrospectionAnswer = TokenClaims | null;

/** What a signed answer has to agree with. @internal */
export interface SignedAnswerExpectation {
  readonly algorithms: readonly string[];
  readonly issuer: string;
  /** The client that asked. */
  readonly clientId: string;
  readonly now: Date;
  readonly toleranceSeconds: number;
}

/** A signed answer is made for one question, so an older one is another's. */
const MAX_ANSWER_AGE_SECONDS = 60;

/**
 * Reads an answer in plain JSON. A token is active when `active` is `true` and nothing else, in which case all
 * members are kept but `__proto__`, at any depth, and frozen.
 *
 * By hand because `processIntrospectionResponse` takes an `active` that is no boolean for a fault of the server's.
 *
 * @throws {@link IntrospectionFailure} for what is not JSON
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.2 | RFC 7662 section 2.2}
 * @internal
 */
export function readAnswer(text: string): IntrospectionAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(text, (name, value: unknown) =>
      name === '__proto__' ? undefined : Object.freeze(value),
    );
  } catch {
    // Without the cause, whose message holds a piece of the answer.
    throw new IntrospectionFailure('answered with something that is not JSON');
  }
  return (answer as { active?: unknown } | null)?.active === true ? (answer as TokenClaims) : null;
}

/**
 * Reads a signed answer: of the right type, signed by the server with an allowed algorithm, for this client, and
 * made just now.
 *
 * By jose because `processIntrospectionResponse` looks neither at the age nor at the signature, and what
 * checks that afterwards fetches keys of its own, without the limits and the configured keys.
 *
 * @throws jose's error, or that of the keys, for an answer that is not good
 * @throws {@link IntrospectionFailure} for one that says nothing
 * @see {@link https://www.rfc-editor.org/rfc/rfc9701#section-5 | RFC 9701 section 5}
 * @internal
 */
export async function readSignedAnswer(
  jwt: string,
  getKey: JWTVerifyGetKey,
  { algorithms, issuer, clientId, now, toleranceSeconds }: SignedAnswerExpectation,
): Promise<IntrospectionAnswer> {
  const { payload } = await jwtVerify(jwt, getKey, {
    algorithms: [...algorithms],
    typ: 'token-introspection+jwt',
    issuer,
    audience: clientId,
    currentDate: now,
    clockTolerance: toleranceSeconds,
    maxTokenAge: MAX_ANSWER_AGE_SECONDS,
    requiredClaims: ['token_introspection'],
  });
  return readAnswer(JSON.stringify(payload['token_introspection']));
}

/**
 * The claims that an answer about an active token amounts to: its own members, and the server for the issuer where
 * it names none.
 *
 * @throws {@link TokenRejectedError} `issuer` when it names another issuer; `sender_constrained` when the token is of
 * a type that needs a proof beside it
 * @internal
 */
export function toClaims(answer: TokenClaims, issuer: string): TokenClaims {
  const { iss = issuer, token_type: type = 'Bearer' } = answer;
  if (iss !== issuer) throw new TokenRejectedError('issuer');
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    throw new TokenRejectedError('sender_constrained');
  return { ...answer, iss };
}
