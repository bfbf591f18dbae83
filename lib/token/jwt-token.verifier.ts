import { Inject, Injectable } from '@nestjs/common';
import { compactVerify, type CompactJWSHeaderParameters } from 'jose';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { IssuerKeysRegistry } from '../authorization-server/issuer-keys.registry.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { decodeHeader } from './decode-jws.js';
import { assertAccessTokenHeader } from './jwt-header-rules.js';
import { toVerifierError } from './jose-errors.js';
import { PROFILE_CLAIMS } from './profile-claims.js';
import { type TokenClaims, VerifiedToken } from '../options/token.verifier.js';
import { OperatorLogger } from '../events/operator.logger.js';

/**
 * Verifies JWT access tokens with the keys of the authorization server that the token names.
 *
 * Keys come from that server's key set alone, never from the token's header. Does not check any claim: the gate
 * does.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 | RFC 9068 section 4}
 * @internal
 */
@Injectable()
export class JwtTokenVerifier {
  private readonly logger = new OperatorLogger();
  /** Servers with an unusable key: told of once, as anybody can send tokens that name such a key. */
  private readonly reported = new Set<string>();

  constructor(@Inject(IssuerKeysRegistry) private readonly issuerKeys: Pick<IssuerKeysRegistry, 'of'>) {}

  /**
   * @param token - a compact JWS
   * @param claims - what `decodeClaims` read from it
   * @param server - the authorization server that the claims name
   * @throws {@link TokenRejectedError} for a token that is not good
   * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now
   */
  async verify(
    token: string,
    claims: TokenClaims,
    server: TrustedAuthorizationServer,
  ): Promise<VerifiedToken> {
    const options = { algorithms: [algorithmOf(token, server.options.algorithms)] };
    let header: CompactJWSHeaderParameters;
    try {
      header = await this.issuerKeys
        .of(server)
        .verify(async (key) => (await compactVerify(token, key, options)).protectedHeader);
    } catch (error) {
      throw this.explain(error, server.issuer);
    }
    const { profile, maxTokenAgeSeconds } = server.options;
    assertAccessTokenHeader(header, profile);
    return new VerifiedToken(claims, {
      requiresExpiry: true,
      requiredClaims: PROFILE_CLAIMS[profile],
      claimNames: server.options.claimNames,
      maxAgeSeconds: maxTokenAgeSeconds,
      cacheable: true,
    });
  }

  private explain(error: unknown, issuer: string): unknown {
    const explained = toVerifierError(error, issuer);
    const isKeyBad = explained instanceof TokenRejectedError && explained.reason === 'unusable_key';
    if (isKeyBad && !this.reported.has(issuer)) {
      this.reported.add(issuer);
      this.logger.error(
        `${issuer} signed a token with a key that cannot be used, such as RSA below 2048 bits`,
      );
    }
    return explained;
  }
}

/**
 * The algorithm that a token says it was signed with, which is one that is accepted. jose takes no other than the one said
 * here; this rejects at less cost, and before any key is looked for.
 */
function algorithmOf(token: string, algorithms: readonly string[]): string {
  const alg = decodeHeader(token)?.['alg'];
  if (typeof alg !== 'string' || alg === '') throw new TokenRejectedError('malformed');
  if (!algorithms.includes(alg)) throw new TokenRejectedError('algorithm');
  return alg;
}
