import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { compactVerify, type CompactJWSHeaderParameters, type CompactVerifyGetKey } from 'jose';
import { AuthorizationServer, type TrustedAuthorizationServer } from '../discovery/authorization-server.js';
import { TokenRefusedError } from '../errors/refusal.errors.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { decodeHeader } from './decode-jws.js';
import { withAnyKey } from './any-key.js';
import { IssuerKeys } from './issuer-keys.js';
import { assertAccessTokenHeader } from './jwt-header-rules.js';
import { toVerifierError } from './jose-errors.js';
import { PROFILE_CLAIMS } from './profile-claims.js';
import { type TokenClaims, VerifiedToken } from './token.verifier.js';

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
export class JwtTokenVerifier implements OnApplicationShutdown {
  private readonly logger = new Logger('McpAuth');
  private readonly keys = new Map<TrustedAuthorizationServer, IssuerKeys>();
  /** Servers with an unusable key: told of once, as anybody can send tokens that name such a key. */
  private readonly reported = new Set<string>();
  private readonly shutdown = new AbortController();

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    private readonly events: McpAuthEvents = new McpAuthEvents(options),
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
    assertAlgorithm(token, server.options.algorithms);
    const keys = this.keysOf(server);
    let header: CompactJWSHeaderParameters;
    try {
      header = await verifySignature(token, (...jws) => keys.keyFor(...jws), [...server.options.algorithms]);
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

  /** Ends fetches that are under way, once all requests are answered: nothing keeps the process alive. */
  onApplicationShutdown(): void {
    this.shutdown.abort();
  }

  private keysOf(server: TrustedAuthorizationServer): IssuerKeys {
    const known = this.keys.get(server);
    if (known) return known;
    const { fetch, now } = this.options;
    const keys = new IssuerKeys(server, {
      fetch,
      now,
      signal: this.shutdown.signal,
      onSkipped: (count) => {
        const what = count === 1 ? '1 key that cannot be used' : `${String(count)} keys that cannot be used`;
        this.logger.error(`${server.issuer} publishes ${what}; left out`);
      },
      onRenewed: () => {
        this.logger.debug(`The keys of ${server.issuer} were renewed`);
        this.events.keysRefreshed(server.issuer);
      },
      onNotRenewed: (error) => {
        if (this.shutdown.signal.aborted) return;
        const { message } = error as Error; // keys are fetched by functions of ours, which throw errors
        this.logger.warn(`The keys of ${server.issuer} were not renewed: ${message}`);
        this.events.discoveryFailed(server.issuer, 'keys', error);
      },
      onStale: (ageSeconds) => {
        this.events.staleUsed(server.issuer, 'keys', ageSeconds);
      },
    });
    this.keys.set(server, keys);
    if (server instanceof AuthorizationServer) server.watchKeys(() => keys.state());
    return keys;
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

/** jose checks it again; this refuses at less cost, and before any key is looked for. */
function assertAlgorithm(token: string, algorithms: readonly unknown[]): void {
  const alg = decodeHeader(token)?.['alg'];
  if (typeof alg !== 'string' || alg === '') throw new TokenRefusedError('malformed');
  if (!algorithms.includes(alg)) throw new TokenRefusedError('algorithm');
}

async function verifySignature(
  token: string,
  keys: CompactVerifyGetKey,
  algorithms: string[],
): Promise<CompactJWSHeaderParameters> {
  try {
    return (await compactVerify(token, keys, { algorithms })).protectedHeader;
  } catch (error) {
    return withAnyKey(
      error,
      async (key) => (await compactVerify(token, key, { algorithms })).protectedHeader,
    );
  }
}
