import { Inject, Injectable } from '@nestjs/common';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { RevocationQuery } from '../options/mcp-auth-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { isThenable, SharedDeadline } from '../platform/deadline.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import { withRejectedClaims } from '../policy/rejected-claims.js';

/** What `isRevoked` is told of. @internal */
export type Revocable = Pick<ValidatedToken, 'issuer' | 'subject' | 'clientId' | 'claims'>;

/** Time limit for `isRevoked` of the application. */
const TIME_LIMIT_MS = 2000;

/**
 * Checks with the application whether a validated token is revoked. Without a clear answer the token is rejected.
 *
 * @internal
 */
@Injectable()
export class RevocationCheck {
  private readonly deadline = new SharedDeadline(TIME_LIMIT_MS);

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'isRevoked'>,
  ) {}

  /**
   * @returns the same token; a promise only if the application returns one
   * @throws {@link TokenRejectedError} `revoked`
   * @throws {@link AuthorizationServerUnavailableError} if the application throws, takes too long or returns no boolean
   */
  assertNotRevoked<T extends Revocable>(token: T): T | Promise<T> {
    const { isRevoked } = this.options;
    if (!isRevoked) return token;
    let answer: unknown;
    try {
      answer = isRevoked(revocationQueryOf(token));
    } catch (error) {
      throw unavailable(token, 'threw', error);
    }
    if (!isThenable(answer)) return decide(token, answer);
    return this.deadline.await(answer, {
      onTimeout: (ms) => unavailable(token, `gave no answer within ${String(ms)} ms`),
      onFulfilled: (given) => decide(token, given),
      onRejected: (error) => unavailable(token, 'threw', error),
    });
  }
}

function decide<T extends Revocable>(token: T, answer: unknown): T {
  if (answer === true) throw withRejectedClaims(new TokenRejectedError('revoked'), token.claims);
  if (answer !== false) throw unavailable(token, `gave a value of type ${typeof answer}`);
  return token;
}

/** Returns the description of a token for `isRevoked`. @internal */
export function revocationQueryOf({ issuer, subject, clientId, claims }: Revocable): RevocationQuery {
  const { jti, iat } = claims;
  return {
    issuer,
    jti: typeof jti === 'string' ? jti : undefined,
    subject,
    clientId,
    issuedAt: typeof iat === 'number' ? iat : undefined,
  };
}

function unavailable({ issuer, claims }: Revocable, what: string, error?: unknown): Error {
  const detail = error instanceof Error ? `: ${error.message}` : '';
  const cause = new Error(`the option "isRevoked" ${what}${detail}`, { cause: error });
  return withRejectedClaims(
    new AuthorizationServerUnavailableError(issuer, 'verification', { cause }),
    claims,
  );
}
