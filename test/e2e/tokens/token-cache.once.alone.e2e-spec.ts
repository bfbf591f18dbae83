import type { ServerResponse } from 'node:http';
import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import {
  AuthInfo,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  principalKey,
  ProtectedResource,
  type RevocationQuery,
  TokenVerifier,
  VerifiedToken,
} from 'nestjs-mcp-auth';
import { describe, expect, it, vi } from 'vitest';
import { type RunningApp, start, startFailure } from '../../fixtures/app.js';
import type { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { makeKey } from '../../fixtures/keys.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

/** Says who called, after a moment. */
@Controller('notes')
@UseGuards(BearerAuthGuard)
@ProtectedResource(NOTES)
class WhoController {
  @Get()
  async who(@AuthInfo() auth: AuthInfo): Promise<object> {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    const { subject, issuer, claims, resource } = auth;
    return { subject, issuer, jti: claims['jti'], resource, key: principalKey(auth) };
  }
}

@Controller('admin')
@UseGuards(BearerAuthGuard)
@ProtectedResource(ADMIN)
class AdminController {
  @Get()
  get(@AuthInfo() auth: AuthInfo): object {
    return { resource: auth.resource };
  }
}

interface CacheApp extends RunningApp {
  /** Seconds since the epoch, for the test to change. */
  now: number;
  /** How many tokens were verified so far. */
  verified(): number;
  status(token: string, path?: string): Promise<number>;
}

const NOW = Math.floor(Date.now() / 1000);

async function startCaching(
  servers: readonly LoopbackAuthorizationServer[],
  more: Partial<McpAuthModuleOptions> = {},
): Promise<CacheApp> {
  const clock = { now: NOW };
  const authorizationServers = servers.map(({ issuer }) => issuer);
  const app = await start(
    {
      resources: [NOTES, ADMIN].map((resource) => ({ resource, authorizationServers })),
      now: () => new Date(clock.now * 1000),
      clockToleranceSeconds: 5,
      ...more,
    },
    { controllers: [WhoController, AdminController] },
  );
  const spy = vi.spyOn(app.app.get(TokenVerifier, { strict: false }), 'verify');
  return Object.assign(clock, {
    ...app,
    verified: () => spy.mock.calls.length,
    status: async (token: string, path = '/notes') =>
      (await app.send(path, { headers: { authorization: `Bearer ${token}` } })).status,
  });
}

const long = (as: LoopbackAuthorizationServer, claims: Record<string, unknown> = {}): Promise<string> =>
  as.token({ aud: NOTES, iat: NOW, exp: NOW + 3600, ...claims });

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Other spellings of the same token: with padding, and with another last character, whose lower four bits belong
 * to nothing. A lenient decoder takes them for the token.
 */
function respelled(token: string, bits: number): string[] {
  const last = BASE64URL.indexOf(token.at(-1) ?? '') ^ bits;
  const flipped = `${token.slice(0, -1)}${BASE64URL[last] ?? ''}`;
  return [flipped, `${flipped}==`];
}

describe('the cache of verified tokens', () => {
  verifies('OPS-05', 'remembers a token, and checks its claims with every request', async () => {
    const as = await server();
    const app = await startCaching([as]);
    const token = await long(as);
    for (let i = 0; i < 5; i++) expect(await app.status(token)).toBe(200);
    expect(app.verified()).toBe(2);
    app.now += 59;
    expect(await app.status(token)).toBe(200);
    expect(app.verified()).toBe(2);
    app.now += 1;
    for (let i = 0; i < 3; i++) expect(await app.status(token)).toBe(200);
    expect(app.verified()).toBe(3);
  });

  verifies(['OPS-05', 'AUD-07'], 'never carries a token from one resource to another', async () => {
    const as = await server();
    const app = await startCaching([as]);
    for (const [aud, own, other] of [
      [ADMIN, '/admin', '/notes'],
      [NOTES, '/notes', '/admin'],
    ] as const) {
      const token = await long(as, { aud });
      for (const [path, status] of [
        [own, 200],
        [other, 401],
        [own, 200],
        [other, 401],
        [own, 200],
        [other, 401],
      ] as const) {
        expect([path, await app.status(token, path)]).toEqual([path, status]);
      }
    }
    const both = await long(as, { aud: [NOTES, ADMIN] });
    for (const [path, resource] of [
      ['/notes', NOTES],
      ['/admin', ADMIN],
    ] as const) {
      const answers = [1, 2, 3].map(() => app.send(path, { headers: { authorization: `Bearer ${both}` } }));
      for (const { json } of await Promise.all(answers)) expect(json).toMatchObject({ resource });
    }
  });

  verifies('OPS-05', 'checks a remembered token by the current time', async () => {
    const as = await server();
    const app = await startCaching([as]);
    const token = await long(as, { exp: NOW + 30 });
    for (let i = 0; i < 2; i++) expect(await app.status(token)).toBe(200);
    app.now = NOW + 34.999;
    expect(await app.status(token)).toBe(200);
    app.now = NOW + 35;
    expect(await app.status(token)).toBe(401);
    expect(app.verified()).toBe(2);
  });

  it('rejects a remembered token if the clock went back before nbf, or shows no time', async () => {
    const as = await server();
    const app = await startCaching([as]);
    const token = await long(as, { nbf: NOW + 5, iat: NOW - 100 });
    for (let i = 0; i < 2; i++) expect(await app.status(token)).toBe(200);
    app.now = NOW - 0.001;
    expect(await app.status(token)).toBe(401);
    app.now = NaN;
    expect(await app.status(token)).toBe(401);
  });

  it('keeps no more and no longer than configured', async () => {
    const as = await server();
    const app = await startCaching([as], { tokenCache: { maxEntries: 1, maxAgeSeconds: 300 } });
    const [first, second] = [await long(as), await long(as, { sub: 'u2' })];
    const used = [...[first, first, first], ...[second, second, second], ...[first, first]];
    for (const token of used) expect(await app.status(token)).toBe(200);
    expect(app.verified()).toBe(5);
    app.now += 299;
    await app.status(first);
    expect(app.verified()).toBe(5);
    app.now += 1;
    await app.status(first);
    expect(app.verified()).toBe(6);
  });

  it('is not emptied by tokens that are used once', async () => {
    const as = await server();
    const app = await startCaching([as], { tokenCache: { maxEntries: 1 } });
    const token = await long(as);
    for (let i = 0; i < 2; i++) expect(await app.status(token)).toBe(200);
    for (let i = 0; i < 5; i++)
      expect(await app.status(await long(as, { sub: `once${String(i)}` }))).toBe(200);
    expect(app.verified()).toBe(7);
    expect(await app.status(token)).toBe(200);
    expect(app.verified()).toBe(7);
  });

  it('verifies with every request when it is off', async () => {
    const as = await server();
    const app = await startCaching([as], { tokenCache: false });
    const token = await long(as);
    for (let i = 0; i < 3; i++) expect(await app.status(token)).toBe(200);
    expect(app.verified()).toBe(3);
  });

  it('remembers no rejection', async () => {
    const as = await server();
    const app = await startCaching([as]);
    const forged = await as.token({ aud: NOTES }, { key: await makeKey('RS256', as.key.kid) });
    for (let i = 0; i < 3; i++) expect(await app.status(forged)).toBe(401);
    const early = await long(as, { nbf: NOW + 60 });
    expect(await app.status(early)).toBe(401);
    app.now += 60;
    expect(await app.status(early)).toBe(200);
    expect(app.verified()).toBe(5);
  });

  it('runs a verifier of the application every time, unless it allows caching', async () => {
    const as = await server();
    for (const [cacheable, expected] of [
      [undefined, 4],
      [false, 4],
      [true, 2],
    ] as const) {
      const verify = vi.fn(() => {
        const claims = { iss: as.issuer, aud: NOTES, sub: 'u1', exp: NOW + 300 };
        return cacheable === undefined ? claims : new VerifiedToken(claims, { cacheable });
      });
      const app = await startCaching([as], { verifier: verify });
      for (let i = 0; i < 4; i++) expect(await app.status('opaque')).toBe(200);
      expect(verify).toHaveBeenCalledTimes(expected);
    }
  });

  it('forgets the tokens of a server whose keys were renewed', async () => {
    const as = await server();
    const app = await startCaching([as]);
    const old = await long(as);
    for (let i = 0; i < 2; i++) expect(await app.status(old)).toBe(200);
    const next = await makeKey('RS256', 'next');
    as.at('/jwks', { keys: [next.publicJwk] });
    app.now += 31; // past the cooldown, within the age of keys and tokens
    expect(await app.status(old)).toBe(200);
    const fresh = await as.token({ aud: NOTES, iat: NOW, exp: NOW + 3600 }, { key: next });
    expect(await app.status(fresh)).toBe(200);
    expect(await app.status(old)).toBe(401);
    expect(await app.status(fresh)).toBe(200);
  });

  verifies('SES-07', 'never mixes callers up', async () => {
    const as = await server();
    const app = await startCaching([as]);
    const users = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => ({
        sub: `u${String(n)}`,
        token: await long(as, { sub: `u${String(n)}`, jti: `j${String(n)}` }),
      })),
    );
    await Promise.all(
      Array.from({ length: 500 }, async (_, n) => {
        const { sub, token } = users[n % users.length]!;
        const { json } = await app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
        expect(json).toMatchObject({ subject: sub, jti: sub.replace('u', 'j') });
      }),
    );
    for (const { sub, token } of users) {
      const { json } = await app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
      expect(json).toMatchObject({ subject: sub });
    }
  });

  verifies(['CLM-06', 'OPS-11'], 'has different keys for one subject of two servers', async () => {
    const servers = [await server(), await server()];
    const app = await startCaching(servers);
    const keys = await Promise.all(
      servers.map(async (as) => {
        const headers = { authorization: `Bearer ${await long(as)}` };
        return ((await app.send('/notes', { headers })).json as { key: string }).key;
      }),
    );
    expect(new Set(keys).size).toBe(2);
  });
});

describe('the guard', () => {
  it('removes what an earlier layer has put into req.auth', async () => {
    const as = await server();
    const left: unknown[] = [];
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const app = await start(
      { resources },
      {
        controllers: [WhoController],
        prepare: (nest) => {
          nest.use((request: { auth?: unknown }, response: ServerResponse, next: () => void) => {
            request.auth = { subject: 'root' };
            response.on('finish', () => left.push(request.auth));
            next();
          });
        },
      },
    );
    expect((await app.send('/notes')).status).toBe(401);
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES })}` };
    expect((await app.send('/notes', { headers })).json).toMatchObject({ subject: 'u1' });
    expect(left).toEqual([undefined, expect.objectContaining({ subject: 'u1' })]);
  });

  it('rejects a context without a request', async () => {
    @Injectable()
    class BlindGuard extends BearerAuthGuard {
      protected override getRequest(): undefined {
        return undefined;
      }
    }
    @Controller('blind')
    @UseGuards(BlindGuard)
    class BlindController {
      @Get()
      get(): string {
        return 'in';
      }
    }
    const as = await server();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const app = await start({ resources }, { controllers: [BlindController] });
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES })}` };
    expect((await app.send('/blind', { headers })).status).toBe(401);
  });
});

describe('revocation', () => {
  const revoking = (
    isRevoked: (query: RevocationQuery) => boolean | Promise<boolean>,
  ): Partial<McpAuthModuleOptions> => ({ isRevoked });

  verifies(
    ['JWT-29', 'OPS-05', 'WAY-33'],
    'rejects a revoked token in every spelling, remembered or not',
    async () => {
      const as = await server();
      const revoked = new Set<string | undefined>();
      for (const isRevoked of [
        ({ jti }: RevocationQuery) => revoked.has(jti),
        ({ jti }: RevocationQuery) => Promise.resolve(revoked.has(jti)),
      ]) {
        revoked.clear();
        const app = await startCaching([as], revoking(isRevoked));
        const [token, other] = [await long(as, { jti: 'bad' }), await long(as, { jti: 'good' })];
        const [itself, ...padded] = respelled(token, 0);
        expect(itself).toBe(token);
        const spellings = [...padded, ...[1, 2, 15].flatMap((bits) => respelled(token, bits))];
        const rejectSpellings = async (): Promise<void> => {
          for (const spelling of spellings) expect(await app.status(spelling)).toBe(401);
        };
        for (let i = 0; i < 2; i++) expect(await app.status(token)).toBe(200);
        await rejectSpellings();
        const verified = app.verified();
        revoked.add('bad');
        expect(await app.status(token)).toBe(401);
        expect(app.verified()).toBe(verified);
        await rejectSpellings();
        expect(await app.status(other)).toBe(200);
        revoked.clear();
        expect(await app.status(token)).toBe(200);
        await rejectSpellings();
      }
    },
  );

  verifies('JWT-29', 'answers 503 if the application cannot tell, remembered or not', async () => {
    const as = await server();
    let answer: () => boolean | Promise<boolean> = () => false;
    const app = await startCaching(
      [as],
      revoking(() => answer()),
    );
    const token = await long(as);
    for (let i = 0; i < 2; i++) expect(await app.status(token)).toBe(200);
    for (const failing of [
      () => {
        throw new Error('down');
      },
      () => Promise.reject<boolean>(new Error('down')),
      () => undefined as never,
      () => new Promise<boolean>(() => undefined),
    ]) {
      answer = failing;
      const { status, headers } = await app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
      expect([status, headers['retry-after'], headers['www-authenticate']]).toEqual([503, '5', undefined]);
    }
    answer = () => false;
    expect(await app.status(token)).toBe(200);
  });

  it('is checked only for tokens that are otherwise good', async () => {
    const as = await server();
    const isRevoked = vi.fn(() => false);
    const app = await startCaching([as], { isRevoked });
    await app.status(await long(as, { aud: ADMIN }));
    await app.status(await long(as, { exp: 1 }));
    await app.status('abc');
    expect(isRevoked).not.toHaveBeenCalled();
    await app.status(await long(as));
    expect(isRevoked).toHaveBeenCalledTimes(1);
  });
});

describe('a resource', () => {
  verifies(['OPS-01', 'F113'], 'is https, unless it is on loopback', async () => {
    const resource = 'http://mcp.example.com/mcp';
    const error = await startFailure({
      resources: { resource, authorizationServers: ['https://as.example'] },
    });
    expect(error.message).toContain('resources[0].resource: uses http for another machine; use https');
  });
});
