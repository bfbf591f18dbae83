import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  compactVerify,
  type CompactJWSHeaderParameters,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { type KnownAuthorizationServer } from '../discovery/authorization-server.registry.js';
import { TokenRefusedError } from '../errors/refusal.errors.js';
import { MAX_KEY_CANDIDATES, MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { issuerKeys } from './issuer-keys.js';
import { assertAccessTokenHeader } from './jwt-header-rules.js';
import { toVerifierError } from './jose-errors.js';
import { type TokenClaims, TokenVerifier, type VerificationContext } from './token.verifier.js';

/**
 * Verifies JWT access tokens with the keys of the authorization server that the token names.
 *
 * The unverified `iss` only chooses among the resource's authorization servers; for any other issuer nothing
 * is requested. Keys come from the issuer's key set alone, never from the token's header.
 *
 * Does not check any claim: the gate does.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 | RFC 9068 section 4}
 * @internal
 */
@Injectable()
export class JwtTokenVerifier extends TokenVerifier {
  private readonly logger = new Logger('McpAuth');
  private readonly keys = new Map<KnownAuthorizationServer, JWTVerifyGetKey>();

  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions) {
    super();
  }

  async verify(token: string, { authorizationServers }: VerificationContext): Promise<TokenClaims> {
    const claims = decodeClaims(token);
    const server = typeof claims.iss === 'string' ? authorizationServers.get(claims.iss) : undefined;
    if (!server) throw new TokenRefusedError('issuer');
    let header: CompactJWSHeaderParameters;
    try {
      header = await verifySignature(token, this.keysOf(server), [...server.options.algorithms]);
    } catch (error) {
      throw this.explain(error, server.metadata.issuer);
    }
    assertAccessTokenHeader(header);
    return claims;
  }

  private keysOf(server: KnownAuthorizationServer): JWTVerifyGetKey {
    const known = this.keys.get(server);
    if (known) return known;
    const { issuer } = server.metadata;
    const onSkipped = (count: number): void => {
      this.logger.error(`${issuer} publishes ${String(count)} keys that cannot be used; they are ignored`);
    };
    const keys = issuerKeys(server, { fetch: this.options.fetch, onSkipped });
    this.keys.set(server, keys);
    return keys;
  }

  private explain(error: unknown, issuer: string): unknown {
    const explained = toVerifierError(error, issuer);
    if (explained instanceof TokenRefusedError && explained.reason === 'unusable_key') {
      this.logger.error(
        `${issuer} signed a token with a key that cannot be used, such as RSA below 2048 bits`,
      );
    }
    return explained;
  }
}

/** What the token says, before anything is verified: good for the choice of keys and nothing else until then. */
function decodeClaims(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch (cause) {
    throw new TokenRefusedError('malformed', { cause });
  }
}

async function verifySignature(
  token: string,
  keys: JWTVerifyGetKey,
  algorithms: string[],
): Promise<CompactJWSHeaderParameters> {
  try {
    return (await compactVerify(token, keys, { algorithms })).protectedHeader;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return await verifyWithAny(token, error, algorithms);
  }
}

/** Tries the keys that fit a header without a key id, or with one that several keys have. */
async function verifyWithAny(
  token: string,
  candidates: errors.JWKSMultipleMatchingKeys,
  algorithms: string[],
): Promise<CompactJWSHeaderParameters> {
  let tried = 0;
  for await (const key of candidates) {
    try {
      return (await compactVerify(token, key, { algorithms })).protectedHeader;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed || error instanceof TypeError))
        throw error;
    }
    if (++tried === MAX_KEY_CANDIDATES) break;
  }
  throw new errors.JWSSignatureVerificationFailed();
}
