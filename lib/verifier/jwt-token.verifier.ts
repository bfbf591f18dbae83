import { Inject, Injectable, Logger } from '@nestjs/common';
import { compactVerify, type CompactJWSHeaderParameters, type VerifyOptions } from 'jose';
import { type TrustedAuthorizationServer } from '../discovery/authorization-server.js';
import { TokenRefusedError } from '../errors/refusal.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { decodeHeader } from './decode-jws.js';
import { withAnyKey } from './any-key.js';
import { type IssuerKeys } from './issuer-keys.js';
import { IssuerKeysRegistry } from './issuer-keys.registry.js';
import { assertAccessTokenHeader } from './jwt-header-rules.js';
import { toVerifierError } from './jose-errors.js';
import { PROFILE_CLAIMS } from './profile-claims.js';
import { type TokenClaims, VerifiedToken } from './token.verifier.js';

/** What tokens of one authorization server are verified with. */
interface Trust {
  readonly keys: IssuerKeys;
  readonly options: VerifyOptions;
}

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
  private readonly logger = new Logger('McpAuth');
  private readonly trusted = new Map<TrustedAuthorizationServer, Trust>();
  /** Servers with an unusable key: told of once, as anybody can send tokens that name such a key. */
  private readonly reported = new Set<string>();

  constructor(
    @Inject(MCP_AUTH_OPTIONS) options: ResolvedMcpAuthOptions,
    private readonly issuerKeys: IssuerKeysRegistry = new IssuerKeysRegistry(options),
  ) {}

  /**
   * @param token - a compact JWS
   * @param claims - what `decodeClaims` read from it
   * @param server - the authorization server that the claims name
   * @throws {@link TokenRefusedError} for a token that is not good
   * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now
   */
  async verify(
    token: string,
    claims: TokenClaims,
    server: TrustedAuthorizationServer,
  ): Promise<VerifiedToken> {
    const claimed = headerOf(token, server.options.algorithms);
    const { keys, options } = this.trustIn(server);
    const key = keys.atHand(claimed);
    let header: CompactJWSHeaderParameters;
    try {
      header = key
        ? (await compactVerify(token, key, options)).protectedHeader
        : await searchAndVerify(token, keys, options);
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

  private trustIn(server: TrustedAuthorizationServer): Trust {
    const known = this.trusted.get(server);
    if (known) return known;
    const options = { algorithms: [...server.options.algorithms] };
    const trust = { keys: this.issuerKeys.of(server), options };
    this.trusted.set(server, trust);
    return trust;
  }

  private explain(error: unknown, issuer: string): unknown {
    const explained = toVerifierError(error, issuer);
    const isKeyBad = explained instanceof TokenRefusedError && explained.reason === 'unusable_key';
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
 * What a token says it was signed with. jose checks the algorithm again; this refuses at less cost, and before any key is
 * looked for.
 */
function headerOf(token: string, algorithms: readonly unknown[]): Readonly<Record<string, unknown>> {
  const header = decodeHeader(token);
  const alg = header?.['alg'];
  if (!header || typeof alg !== 'string' || alg === '') throw new TokenRefusedError('malformed');
  if (!algorithms.includes(alg)) throw new TokenRefusedError('algorithm');
  return header;
}

/** With the key that jose asks for, once it has found the header to be right. */
async function searchAndVerify(
  token: string,
  keys: IssuerKeys,
  options: VerifyOptions,
): Promise<CompactJWSHeaderParameters> {
  try {
    return (await compactVerify(token, (...jws) => keys.keyFor(...jws), options)).protectedHeader;
  } catch (error) {
    return withAnyKey(error, async (key) => (await compactVerify(token, key, options)).protectedHeader);
  }
}
