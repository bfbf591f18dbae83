import { Inject, Injectable } from '@nestjs/common';
import { compactVerify, type CompactJWSHeaderParameters } from 'jose';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import type { IssuerKeys } from '../authorization-server/issuer-keys.js';
import { IssuerKeysRegistry } from '../authorization-server/issuer-keys.registry.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { decodeHeader } from './decode-jws.js';
import { assertAccessTokenHeader } from './jwt-header-rules.js';
import { toVerifierError } from './jose-errors.js';
import { PROFILE_CLAIMS } from './profile-claims.js';
import { type TokenClaims, VerifiedToken } from '../options/token.verifier.js';
import { OperatorLogger } from '../events/operator.logger.js';

/** How many servers are reported: any number may become known at run time. */
const MAX_REPORTED = 1000;

/**
 * Verifies JWT access tokens with the keys of the authorization server that the token names.
 *
 * Keys come only from that server's key set, never from the token's header. Claims are not validated here: see
 * `validateClaims`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 | RFC 9068 section 4}
 * @internal
 */
@Injectable()
export class JwtTokenVerifier {
  private readonly logger = new OperatorLogger();
  /** Servers with an unusable key, each reported once: anyone can send tokens that name such a key. */
  private readonly reported = new Set<string>();

  constructor(@Inject(IssuerKeysRegistry) private readonly issuerKeys: Pick<IssuerKeysRegistry, 'of'>) {}

  /**
   * @param token - a compact JWS
   * @param claims - the result of `decodeClaims`
   * @param server - the authorization server that the claims name
   * @throws {@link TokenRejectedError} if the token is invalid
   * @throws {@link AuthorizationServerUnavailableError} if it cannot be verified now
   */
  verify(token: string, claims: TokenClaims, server: TrustedAuthorizationServer): Promise<VerifiedToken> {
    return verifyJwt(token, claims, server, this.issuerKeys.of(server), this.report);
  }

  private readonly report = (rejection: unknown, issuer: string): void => {
    const isKeyBad = rejection instanceof TokenRejectedError && rejection.reason === 'unusable_key';
    if (!isKeyBad || this.reported.has(issuer) || this.reported.size === MAX_REPORTED) return;
    this.reported.add(issuer);
    this.logger.error(`${issuer} signed a token with a key that cannot be used, such as RSA below 2048 bits`);
  };
}

/**
 * Verifies a JWT with keys, as {@link JwtTokenVerifier.verify} does.
 *
 * @param keys - of the server
 * @param report - called with the error of a failed signature check before it is thrown
 * @internal
 */
export async function verifyJwt(
  token: string,
  claims: TokenClaims,
  server: TrustedAuthorizationServer,
  keys: Pick<IssuerKeys, 'verify'>,
  report?: (error: unknown, issuer: string) => void,
): Promise<VerifiedToken> {
  const options = { algorithms: [algorithmOf(token, server.options.algorithms)] };
  let header: CompactJWSHeaderParameters;
  try {
    header = await keys.verify(async (key) => (await compactVerify(token, key, options)).protectedHeader);
  } catch (error) {
    const explained = toVerifierError(error, server.issuer);
    report?.(explained, server.issuer);
    throw explained;
  }
  assertAccessTokenHeader(header, server.options.profile);
  return toVerifiedToken(claims, server);
}

/** Returns the claims of a JWT of a server, with what that server's options require of them. @internal */
export function toVerifiedToken(claims: TokenClaims, { options }: TrustedAuthorizationServer): VerifiedToken {
  return new VerifiedToken(claims, {
    requiresExpiry: true,
    requiredClaims: PROFILE_CLAIMS[options.profile],
    claimNames: options.claimNames,
    maxAgeSeconds: options.maxTokenAgeSeconds,
    cacheable: true,
  });
}

/**
 * Returns the algorithm in a token's header, if it is allowed. jose then accepts only this algorithm. The check here is
 * cheaper, and runs before any key lookup.
 *
 * @throws {@link TokenRejectedError} `malformed` or `algorithm`
 * @internal
 */
export function algorithmOf(token: string, algorithms: readonly string[]): string {
  const alg = decodeHeader(token)?.['alg'];
  if (typeof alg !== 'string' || alg === '') throw new TokenRejectedError('malformed');
  if (!algorithms.includes(alg)) throw new TokenRejectedError('algorithm');
  return alg;
}
