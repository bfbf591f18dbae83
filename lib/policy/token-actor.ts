import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** The most actors that a token may name. */
const MAX_ACTORS = 8;

/**
 * Who acts for the subject of a token. Frozen. At least one of `subject` and `clientId` is set.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-4.1 | RFC 8693 section 4.1}
 * @publicApi
 */
export interface TokenActor {
  /** `sub` in the claim `act`. */
  readonly subject: string | undefined;
  /** `iss` in the claim `act`. If undefined, the issuer of the token names the actor. */
  readonly issuer: string | undefined;
  /** `client_id` in the claim `act`. */
  readonly clientId: string | undefined;
  /** The actor before this one, for audit only: RFC 8693 section 4.1 forbids access decisions by earlier actors. */
  readonly actor: TokenActor | undefined;
}

/**
 * Returns the actor that a token names; undefined if it has no claim `act`. A claim that is not understood is not ignored:
 * the token would pass as one that its subject uses directly.
 *
 * @throws {@link TokenRejectedError} `actor` if the claim, or one in it, is not an object that names an actor by a non-empty
 * `sub` or `client_id`, or if there are more than 8 actors
 * @internal
 */
export function tokenActor({ act }: TokenClaims): TokenActor | undefined {
  const actors: Omit<TokenActor, 'actor'>[] = [];
  let next = act;
  while (next !== undefined) {
    if (actors.length === MAX_ACTORS || typeof next !== 'object' || next === null || Array.isArray(next))
      throw new TokenRejectedError('actor');
    const { sub, iss, client_id: clientId, act: earlier } = next as Readonly<Record<string, unknown>>;
    if (sub === undefined && clientId === undefined) throw new TokenRejectedError('actor');
    actors.push({ subject: name(sub), issuer: name(iss), clientId: name(clientId) });
    next = earlier;
  }
  return actors.reduceRight<TokenActor | undefined>(
    (actor, each) => Object.freeze({ ...each, actor }),
    undefined,
  );
}

function name(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new TokenRejectedError('actor');
}
