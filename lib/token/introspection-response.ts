import { jwtVerify, type JWTVerifyGetKey } from 'jose';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { IntrospectionFailure } from './introspection-failure.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** The members of a response about an active token; null for an inactive token. @internal */
export type IntrospectionAnswer = TokenClaims | null;

/** Expectations that a signed response must satisfy. @internal */
export interface SignedAnswerExpectation {
  readonly algorithms: readonly string[];
  readonly issuer: string;
  /** The client that sent the request. */
  readonly clientId: string;
  readonly now: Date;
  readonly toleranceSeconds: number;
}

/** A signed response is made for one request, so an older one belongs to another request. */
const MAX_ANSWER_AGE_SECONDS = 60;

/**
 * Reads a response in plain JSON. A token is active only if `active` is exactly `true`. Then all members are kept and
 * frozen, except `__proto__` at any depth.
 *
 * It does not use `processIntrospectionResponse`, which treats an `active` of another type as a server fault.
 *
 * @throws {@link IntrospectionFailure} if it is not JSON
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
    // Without the cause: its message contains a part of the response.
    throw new IntrospectionFailure('answered with something that is not JSON');
  }
  return (answer as { active?: unknown } | null)?.active === true ? (answer as TokenClaims) : null;
}

/**
 * Verifies and reads a signed response: of the right type, signed by the server with an allowed algorithm, for this
 * client, and at most 60 seconds old.
 *
 * It uses jose, because `processIntrospectionResponse` checks neither age nor signature. The function that verifies
 * the signature afterwards fetches keys by itself, without our limits and the configured keys.
 *
 * @throws jose's error, or that of the keys, if the response is invalid
 * @throws {@link IntrospectionFailure} if its content is not JSON
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
 * Returns the claims of a response about an active token: its members, with the server as issuer if it names none.
 *
 * @throws {@link TokenRejectedError} `issuer` if it names another issuer; `sender_constrained` if the token type needs
 * a proof of possession
 * @internal
 */
export function toClaims(answer: TokenClaims, issuer: string): TokenClaims {
  const { iss = issuer, token_type: type = 'Bearer' } = answer;
  if (iss !== issuer) throw new TokenRejectedError('issuer');
  // A token of type DPoP is bound; what it is bound to is checked later (see `confirmationOf`).
  const isKnown = isOfType(type, 'bearer') || (isOfType(type, 'dpop') && answer['cnf'] !== undefined);
  if (!isKnown) throw new TokenRejectedError('sender_constrained');
  return { ...answer, iss };
}

function isOfType(type: unknown, expected: string): boolean {
  return typeof type === 'string' && type.toLowerCase() === expected;
}
