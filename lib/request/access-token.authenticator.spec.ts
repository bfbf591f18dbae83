import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoopbackAuthorizationServer } from '../../test/fixtures/authorization-server.js';
import { makeKey } from '../../test/fixtures/keys.js';
import { verifies } from '../../test/verifies.js';
import { registriesOf } from '../../test/fixtures/registries.js';
import type { AuthorizationServer } from '../authorization-server/authorization-server.js';
import type { FindsServers } from '../authorization-server/resolved-servers.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { resolveOptions } from '../options/resolve-options.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { rejectedClaims } from '../policy/rejected-claims.js';
import { IssuerTokenVerifier } from '../token/issuer-token.verifier.js';
import { JwtTokenVerifier } from '../token/jwt-token.verifier.js';
import { TokenVerifier, VerifiedToken, type VerifyToken } from '../options/token.verifier.js';
import { VerifierRegistry } from '../token/verifier.registry.js';
import { AccessTokenAuthenticator } from './access-token.authenticator.js';
import { RevocationCheck } from './revocation.check.js';
import { VerifiedTokenCache } from './verified-token.cache.js';

const NOW = 1_800_000_000;
const R1 = 'https://api.example.com/notes';

describe('AccessTokenAuthenticator', () => {
  let as: LoopbackAuthorizationServer;
  let options: ResolvedMcpAuthOptions;
  let resource: ProtectedResource;
  let clock: number;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    options = resolveOptions({
      resources: { resource: R1, authorizationServers: [{ issuer: as.issuer, mcpCompliance: 'off' }] },
      now: () => new Date(clock * 1000),
    });
    const { servers } = registriesOf(options);
    await servers.discover();
    resource = new ProtectedResourceRegistry(options, servers).first();
  });

  afterAll(() => as.close());

  const token = (claims: Record<string, unknown> = {}, by = as.key): Promise<string> =>
    as.token({ aud: R1, scope: 'notes:read', iat: NOW, exp: NOW + 300, ...claims }, { key: by });

  /** The package's own verifier; no token here is for introspection. */
  const standard = (): TokenVerifier =>
    new IssuerTokenVerifier(new JwtTokenVerifier(registriesOf(options).keys), undefined as never);

  const gateOf = (verifier: TokenVerifier): AccessTokenAuthenticator =>
    new AccessTokenAuthenticator(
      new VerifierRegistry(verifier, undefined as never, options),
      options,
      new VerifiedTokenCache(options, new McpAuthEvents(options)),
      new RevocationCheck(options),
    );

  /** Why a token is rejected at a time; `authenticated` where it is not. */
  async function outcome(
    presented: string,
    now = NOW,
    verifier: TokenVerifier = standard(),
  ): Promise<string> {
    clock = now;
    try {
      await gateOf(verifier).authenticate(presented, resource);
      return 'authenticated';
    } catch (error) {
      if (error instanceof TokenRejectedError) return error.reason;
      throw error;
    }
  }

  it('admits a good token', async () => {
    clock = NOW;
    expect(await gateOf(standard()).authenticate(await token(), resource)).toMatchObject({
      issuer: as.issuer,
      subject: 'u1',
      clientId: 'c1',
      scopes: ['notes:read'],
      audience: [R1],
    });
  });

  verifies(['OPS-04', 'JWT-24'], 'measures tokens by the clock of the options', async () => {
    const presented = await token();
    expect(await outcome(presented, NOW - 5)).toBe('authenticated');
    expect(await outcome(presented, NOW - 6)).toBe('not_yet_valid');
    expect(await outcome(presented, NOW + 304.999)).toBe('authenticated');
    expect(await outcome(presented, NOW + 305)).toBe('expired');
    expect(await outcome(presented, NaN)).toBe('expired');
  });

  verifies(
    'TEN-04',
    'rejects a cached token whose issuer is withdrawn, and admits it while it is not',
    async () => {
      const trusted = new Map([...resource.servers]);
      const known = (issuer: string) => trusted.get(issuer) as AuthorizationServer | undefined;
      const resolvedServers: FindsServers = { known, find: known, offline: () => resolvedServers };
      const resolved: ProtectedResource = {
        options: resource.options,
        metadataUrl: resource.metadataUrl,
        challengeScopes: [],
        servers: new Map(),
        resolvedServers,
      };
      const gate = gateOf(standard());
      clock = NOW;
      const presented = await token();
      for (let use = 0; use < 3; use++)
        expect(await gate.authenticate(presented, resolved)).toMatchObject({ issuer: as.issuer });
      trusted.clear();
      const failure = await Promise.resolve()
        .then(() => gate.authenticate(presented, resolved))
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TokenRejectedError);
      expect((failure as TokenRejectedError).reason).toBe('issuer');
    },
  );

  it('adds the claims to the rejection of an expired token, whether it is cached or not', async () => {
    const presented = await token({ sub: 'u7' });
    for (const uses of [0, 2]) {
      const gate = gateOf(standard());
      clock = NOW + 299;
      for (let use = 0; use < uses; use++) await gate.authenticate(presented, resource);
      clock = NOW + 310;
      const failure = await Promise.resolve()
        .then(() => gate.authenticate(presented, resource))
        .catch((error: unknown) => error);
      expect([(failure as TokenRejectedError).reason, rejectedClaims(failure)?.sub]).toEqual([
        'expired',
        'u7',
      ]);
    }
  });

  verifies('JWT-23', 'verifies the signature before it looks at any claim', async () => {
    const forger = await makeKey('RS256', as.key.kid);
    for (const [claims, reason] of [
      [{}, 'authenticated'],
      [{ scope: undefined }, 'authenticated'],
      [{ aud: 'elsewhere' }, 'audience'],
      [{ exp: 1 }, 'expired'],
      [{ cnf: { jkt: 'x' } }, 'sender_constrained'],
      [{ nonce: 'x' }, 'not_an_access_token'],
    ] as const) {
      expect(await outcome(await token(claims))).toBe(reason);
      expect(await outcome(await token(claims, forger))).toBe('signature');
    }
  });

  it('ends every damaged token in a rejection', async () => {
    const good = await token();
    // The last character stays: not all of its bits belong to the signature.
    for (let at = 0; at < good.length - 1; at++) {
      const put = (character: string): string => `${good.slice(0, at)}${character}${good.slice(at + 1)}`;
      expect(await outcome(put(good[at] === 'A' ? 'B' : 'A'))).not.toBe('authenticated');
      expect(await outcome(put('.'))).toMatch(good[at] === '.' ? /^authenticated$/ : /^malformed$/);
      expect(await outcome(good.slice(0, at))).not.toBe('authenticated');
    }
  });

  describe('with a verifier of the application', () => {
    class OwnVerifier extends TokenVerifier {
      constructor(override readonly verify: VerifyToken) {
        super();
      }
    }

    const claims = (changes = {}): Record<string, unknown> => ({
      iss: as.issuer,
      aud: R1,
      sub: 'u1',
      exp: NOW + 300,
      ...changes,
    });

    it('gives it the token and what it is verified for', async () => {
      const seen: unknown[] = [];
      const own = new OwnVerifier((...args) => {
        seen.push(...args);
        return claims();
      });
      expect(await outcome('opaque', NOW, own)).toBe('authenticated');
      const signal = expect.any(AbortSignal) as AbortSignal;
      expect(seen).toEqual(['opaque', { resource: R1, authorizationServers: resource.servers, signal }]);
    });

    it.each<[object, string]>([
      [{}, 'authenticated'],
      [{ iss: 'https://evil.example' }, 'issuer'],
      [{ aud: 'elsewhere' }, 'audience'],
      [{ exp: NOW - 5 }, 'expired'],
      [{ exp: undefined }, 'authenticated'],
      [{ sub: undefined }, 'subject'],
      [{ cnf: {} }, 'sender_constrained'],
    ])('makes the same decision, sync or async: %j', async (changes, reason) => {
      expect(await outcome('opaque', NOW, new OwnVerifier(() => claims(changes)))).toBe(reason);
      expect(await outcome('opaque', NOW, new OwnVerifier(() => Promise.resolve(claims(changes))))).toBe(
        reason,
      );
    });

    it('wants an expiry where the verifier says so', async () => {
      const strict = (changes: object): VerifyToken => {
        const result = new VerifiedToken(claims(changes), { requiresExpiry: true });
        return () => result;
      };
      expect(await outcome('opaque', NOW, new OwnVerifier(strict({})))).toBe('authenticated');
      expect(await outcome('opaque', NOW, new OwnVerifier(strict({ exp: undefined })))).toBe('time_claims');
    });

    it('takes null for a token that is not good', async () => {
      expect(await outcome('opaque', NOW, new OwnVerifier(() => null))).toBe('inactive');
      expect(await outcome('opaque', NOW, new OwnVerifier(() => Promise.resolve(null)))).toBe('inactive');
    });

    it('passes on what it throws', async () => {
      const fault = new Error('ours');
      const own = new OwnVerifier(() => {
        throw fault;
      });
      await expect(outcome('opaque', NOW, own)).rejects.toBe(fault);
    });
  });
});
