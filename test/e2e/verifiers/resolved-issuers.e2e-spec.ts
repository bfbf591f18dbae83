import { AsyncLocalStorage } from 'node:async_hooks';
import { type INestApplication, Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  AuthorizationServerResolver,
  firstOf,
  McpAuthEvents,
  type McpAuthEvent,
  type ResolvedIssuer,
  type ResolveAuthorizationServer,
  TokenVerifier,
} from 'nestjs-mcp-auth';
import { makeTestKey } from 'nestjs-mcp-auth/testing';
import { ProtectedResourceRegistry } from '../../../lib/resource/protected-resource.registry.js';
import { RecordingLogger, startFailure } from '../../fixtures/app.js';
import { TestClock } from '../../fixtures/clock.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { FAULT, rejectedAs, UNAVAILABLE } from '../../fixtures/notes-rejections.js';
import {
  FOR_NOTES,
  issuerServer,
  knowing,
  LOCAL_INVALID,
  LOCAL_NOTES,
  startResolving,
} from '../../fixtures/resolving-app.js';
import { ISSUER, NOTES, offlineResource, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

describe('authorizationServerResolver', () => {
  const clock = new TestClock();

  verifies(
    ['TEN-01', 'TEN-10'],
    'trusts the issuers that it knows, and discovers them with a token',
    async () => {
      const [one, two, stranger] = await Promise.all([
        issuerServer(clock),
        issuerServer(clock),
        issuerServer(clock),
      ]);
      const { asked, resolve } = knowing([one, two]);
      const app = await startResolving(resolve, clock);
      expect([one.requestCount(), asked]).toEqual([0, []]);
      const document = (await app.send(`${PRM}/notes`)).json as { authorization_servers: string[] };
      expect(document.authorization_servers).toEqual([ISSUER]);
      for (const known of [one, two]) {
        const { status, text } = await app.ask(await known.issueToken(FOR_NOTES));
        expect([status, text]).toEqual([200, 'notes']);
      }
      expect(rejectedAs(await app.ask(await stranger.issueToken(FOR_NOTES)))).toEqual(LOCAL_INVALID);
      expect(asked).toEqual([one.issuer, two.issuer, stranger.issuer]);
      expect([one, two, stranger].map((each) => each.requestCount())).toEqual([2, 2, 0]);
      const foreign = await one.issueToken({ audience: NOTES });
      expect(rejectedAs(await app.ask(foreign))).toEqual(LOCAL_INVALID);
      expect((await app.send(`${PRM}/notes`)).json).toEqual(document);
    },
  );

  verifies('TEN-01', 'rejects unknown issuers with the bytes of a resource without resolver', async () => {
    const stranger = await issuerServer(clock);
    const token = await stranger.issueToken(FOR_NOTES);
    const apps = [await startResolving(() => undefined, clock), await startResolving(undefined, clock)];
    const answers = await Promise.all(apps.map((app) => app.ask(token)));
    const [withResolver, without] = answers.map(({ status, text, headers: { date, ...headers } }) => {
      expect(date).toBeDefined();
      return { status, text, headers };
    });
    expect(withResolver).toEqual(without);
    expect(withResolver?.status).toBe(401);
  });

  verifies('TEN-48', 'is not called for the issuer of API keys, nor for private ones', async () => {
    const [one, two, three] = await Promise.all([
      issuerServer(clock),
      issuerServer(clock),
      issuerServer(clock),
    ]);
    const { asked, resolve } = knowing([one, two, three]);
    const app = await startResolving(resolve, clock, {
      resource: {
        verifier: firstOf(TokenVerifier, () => null),
        apiKeys: { issuer: one.issuer, verifier: () => null },
        privateIssuers: [two.issuer],
      },
    });
    for (const own of [one, two])
      expect(rejectedAs(await app.ask(await own.issueToken(FOR_NOTES)))).toEqual(LOCAL_INVALID);
    expect((await app.ask(await three.issueToken(FOR_NOTES))).status).toBe(200);
    expect(asked).toEqual([three.issuer]);
  });

  verifies('TEN-02', 'takes a class among the providers of any module, an object or a function', async () => {
    const as = await issuerServer(clock);
    const token = await as.issueToken(FOR_NOTES);

    @Injectable()
    class Customers extends AuthorizationServerResolver {
      private readonly known = new Set([as.issuer]);

      resolve(issuer: string, resource: string): ResolvedIssuer {
        return this.known.has(issuer) && resource === LOCAL_NOTES ? { issuer } : null;
      }
    }
    @Module({ providers: [Customers] })
    class CustomersModule {}

    const inModule = await startResolving(Customers, clock, { imports: [CustomersModule] });
    const object = new Customers();
    for (const app of [
      inModule,
      await startResolving(object, clock),
      await startResolving((...asked) => object.resolve(...asked), clock),
    ])
      expect((await app.ask(token)).status).toBe(200);
    expect(Object.isFrozen(object)).toBe(false);

    const missing = { ...offlineResource(LOCAL_NOTES), authorizationServerResolver: Customers };
    const parts = { controllers: [NotesController] };
    expect((await startFailure({ resources: missing }, parts)).message).toContain(
      `Customers: is the authorizationServerResolver of ${LOCAL_NOTES} and cannot be found; add Customers to the providers`,
    );
    const wrong = { ...missing, authorizationServerResolver: { resolv: () => undefined } as never };
    expect((await startFailure({ resources: wrong }, parts)).message).toContain(
      'resources[0].authorizationServerResolver: must be a class or an object with a method "resolve", or a function',
    );
    class NoMethod {
      readonly isWrong = true;
    }
    const without = { ...missing, authorizationServerResolver: NoMethod as never };
    expect(
      (await startFailure({ resources: without }, { ...parts, providers: [NoMethod] })).message,
    ).toContain('has no method "resolve"; extend AuthorizationServerResolver');
  });

  verifies('TEN-03', 'is not called for issuers that no server can have, nor for opaque tokens', async () => {
    const as = await issuerServer(clock);
    const { asked, resolve } = knowing([]);
    const app = await startResolving(resolve, clock);
    const malformed = [
      ...[
        'http://as.example',
        'https://as.example?a=b',
        'https://as.example#a',
        'ftp://as.example',
        'as.example',
      ],
      ...[
        'https://u:p@as.example',
        'https://as.example/../a',
        'https://as.example/"',
        'urn:x',
        '',
        ' ',
        'https:a',
      ],
      ...[
        `https://as.example/${'a'.repeat(494)}`,
        7,
        null,
        ['https://as.example'],
        { a: 1 },
        undefined,
        ISSUER,
      ],
    ];
    for (const iss of malformed) {
      const token = await as.issueToken({ ...FOR_NOTES, claims: { iss } });
      expect(rejectedAs(await app.ask(token))).toEqual(LOCAL_INVALID);
    }
    expect(rejectedAs(await app.ask(as.issueOpaqueToken(FOR_NOTES)))).toEqual(LOCAL_INVALID);
    expect(asked).toEqual([]);
    const longest = `https://as.example/${'a'.repeat(493)}`;
    expect(longest).toHaveLength(512);
    await app.ask(await as.issueToken({ ...FOR_NOTES, claims: { iss: longest } }));
    expect(asked).toEqual([longest]);
  });

  verifies(
    ['TEN-04', 'TEN-13'],
    'remembers what it is told for a time, and rejects withdrawn issuers after it',
    async () => {
      const own = new TestClock();
      own.stop();
      const [known, later] = await Promise.all([issuerServer(own), issuerServer(own)]);
      const resolver = knowing([known]);
      const app = await startResolving(resolver.resolve, own);
      const ask = async (server: typeof known): Promise<number> =>
        (await app.ask(await server.issueToken(FOR_NOTES))).status;
      const asked = (): string[] => resolver.asked.splice(0);

      const together = await Promise.all(Array.from({ length: 10 }, () => ask(known)));
      expect([new Set(together), asked()]).toEqual([new Set([200]), [known.issuer]]);
      expect([await ask(later), await ask(later), asked()]).toEqual([401, 401, [later.issuer]]);

      resolver.known.set(later.issuer, { issuer: later.issuer });
      own.forward(59);
      expect([await ask(later), asked()]).toEqual([401, []]);
      own.forward(1);
      expect([await ask(later), asked()]).toEqual([200, [later.issuer]]);

      const cached = await known.issueToken({ ...FOR_NOTES, expiresInSeconds: 3600 });
      for (let times = 0; times < 3; times += 1) expect((await app.ask(cached)).status).toBe(200);
      resolver.known.delete(known.issuer);
      own.forward(539);
      expect([(await app.ask(cached)).status, asked()]).toEqual([200, []]);
      // It was verified a moment ago, so it is in the cache of verified tokens.
      expect((await app.ask(cached)).status).toBe(200);
      own.forward(1);
      expect(rejectedAs(await app.ask(cached))).toEqual(LOCAL_INVALID);
      expect(asked()).toEqual([known.issuer]);
      expect([await ask(known), await ask(later), asked()]).toEqual([401, 200, []]);
    },
  );

  verifies('TEN-05', 'passes no token if it returns wrong options or another issuer', async () => {
    const own = new TestClock();
    const [as, other] = await Promise.all([issuerServer(own), issuerServer(own)]);
    const token = await as.issueToken({ ...FOR_NOTES, expiresInSeconds: 3600 });
    const { issuer } = as;
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('hostile');
        },
      },
    );
    const answers: [given: unknown, line: string][] = [
      [{ issuer: other.issuer }, 'returned options with another issuer'],
      [{ issuer: `${issuer}/` }, 'returned options with another issuer'],
      [{ metadata: { issuer: other.issuer } }, 'returned options with another issuer'],
      [{ metadataUrl: `${as.origin}/.well-known/openid-configuration` }, 'needs its "issuer"'],
      [{ metadata: {} }, 'returned options with another issuer'],
      [{ issuer, algorithms: ['HS256'] }, 'algorithms'],
      [{ issuer, algorithm: ['ES256'] }, 'is not an option. Did you mean "algorithms"?'],
      [{ issuer, mode: 'introspection' }, 'and no "introspection"'],
      [{}, 'names no server'],
      [true, 'must be an issuer; got true'],
      [[{ issuer }], 'must be an issuer; got a list of 1'],
      [hostile, 'hostile'],
    ];
    let returned: unknown;
    const log = new RecordingLogger();
    const app = await startResolving(() => returned as ResolvedIssuer, own, { log });
    for (const [given, line] of answers) {
      returned = given;
      own.forward(61); // the log has a limit
      expect([line, rejectedAs(await app.ask(token))]).toEqual([line, FAULT]);
      expect(log.errors.splice(0).join('\n')).toContain(line);
    }
    expect([as.requestCount(), other.requestCount()]).toEqual([0, 0]);
    returned = issuer;
    expect((await app.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);
  });

  verifies(['TEN-06', 'TEN-19'], 'passes no token if it throws or hangs, and logs no issuer', async () => {
    const as = await issuerServer(clock);
    const token = await as.issueToken(FOR_NOTES);
    const thenable = {
      then: () => {
        throw new Error('no');
      },
    };
    const resolvers: [ResolveAuthorizationServer, cause: string][] = [
      [
        () => {
          throw new Error('no database');
        },
        'threw: no database',
      ],
      [() => Promise.reject(new Error('no database')), 'threw: no database'],

      [
        () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- applications throw what they like
          throw 'text';
        },
        '"authorizationServerResolver" threw)',
      ],
      [() => thenable as never, 'threw: no'],
      [() => new Promise(() => undefined), ' gave no answer within 100 ms'],
    ];
    let resolver: ResolveAuthorizationServer = () => undefined;
    const log = new RecordingLogger();
    const events: McpAuthEvent[] = [];
    const module = { verifierTimeoutMs: 100 };
    const app = await startResolving((...asked) => resolver(...asked), clock, { log, module });
    app.app.get(McpAuthEvents, { strict: false }).events$.subscribe((event) => events.push(event));
    for (const [resolve, cause] of resolvers) {
      resolver = resolve;
      const answer = await app.ask(token);
      expect(rejectedAs(answer)).toEqual(UNAVAILABLE);
      expect(answer.headers['retry-after']).toBeDefined();
      expect(log.warnings.at(-1)).toContain(cause);
    }
    expect(events.map(({ type }) => type)).toContain('access_denied');
    expect(`${log.warnings.join('\n')}${JSON.stringify(events)}`).not.toContain(as.issuer);
    expect(as.requestCount()).toBe(0);
  });

  verifies(
    'TEN-06',
    'rejects a known issuer while it cannot be asked again, and asks once a second',
    async () => {
      const own = new TestClock();
      own.stop();
      const as = await issuerServer(own);
      let isDown = false;
      let calls = 0;
      const resolve: ResolveAuthorizationServer = (issuer) => {
        calls += 1;
        if (isDown) throw new Error('no database');
        return { issuer };
      };
      const app = await startResolving(resolve, own);
      const ask = async () => rejectedAs(await app.ask(await as.issueToken(FOR_NOTES)));
      expect((await ask()).status).toBe(200);
      isDown = true;
      own.forward(599);
      expect((await ask()).status).toBe(200);
      own.forward(1);
      expect([await ask(), await ask()]).toEqual([UNAVAILABLE, UNAVAILABLE]);
      expect(calls).toBe(2);
      isDown = false;
      expect(await ask()).toEqual(UNAVAILABLE);
      own.forward(1);
      expect([(await ask()).status, calls]).toEqual([200, 3]);
    },
  );

  verifies('TEN-07', 'keeps the keys of its issuers apart', async () => {
    const [one, two] = await Promise.all([issuerServer(clock, 'own key'), issuerServer(clock, 'own key')]);
    const app = await startResolving(knowing([one, two]).resolve, clock);
    const [ofOne, ofTwo] = [await one.issueToken(FOR_NOTES), await two.issueToken(FOR_NOTES)];
    expect([(await app.ask(ofOne)).status, (await app.ask(ofTwo)).status]).toEqual([200, 200]);
    const keyOfTwo = await two.addKey('ES256');
    const key = await makeTestKey('ES256');
    const [header] = ofTwo.split('.');
    const { kid } = JSON.parse(Buffer.from(header ?? '', 'base64url').toString()) as { kid: string };
    const jwk = { ...key.publicJwk };
    for (const forged of [
      await two.issueToken({ ...FOR_NOTES, claims: { iss: one.issuer } }),
      await one.issueToken({ ...FOR_NOTES, claims: { iss: two.issuer } }),
      await one.issueToken({ ...FOR_NOTES, key: keyOfTwo }),
      await one.issueToken({ ...FOR_NOTES, kid }),
      await one.issueToken({ ...FOR_NOTES, key, header: { jwk } }),
      await one.issueToken({ ...FOR_NOTES, header: { jku: two.jwksUri }, kid, key: keyOfTwo }),
      await one.issueToken({ ...FOR_NOTES, header: { crit: ['exp'], exp: 1 } }),
      await one.issueToken({ ...FOR_NOTES, header: { crit: ['b64'], b64: false } }),
      await one.issueToken({ ...FOR_NOTES, alg: 'none' }),
      `${ofOne.split('.').slice(0, 2).join('.')}.${ofTwo.split('.')[2] ?? ''}`,
    ])
      expect(rejectedAs(await app.ask(forged))).toEqual(LOCAL_INVALID);
    expect([(await app.ask(ofOne)).status, (await app.ask(ofTwo)).status]).toEqual([200, 200]);
  });

  verifies('TEN-12', 'follows the keys of its issuers', async () => {
    const own = new TestClock();
    const as = await issuerServer(own, 'own key');
    const app = await startResolving(knowing([as]).resolve, own);
    const old = await as.issueToken(FOR_NOTES);
    expect((await app.ask(old)).status).toBe(200);
    await as.rotateKey();
    await as.retireKeys();
    own.forward(31);
    expect((await app.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);
    expect(as.requestCount('jwks')).toBe(2);
    expect(as.requestCount('metadata')).toBe(1);
    expect(rejectedAs(await app.ask(old))).toEqual(LOCAL_INVALID);
  });

  verifies(
    'TEN-14',
    'is not called for an issuer at a private address, if the resource is public',
    async () => {
      const as = await issuerServer(clock);
      const { asked, resolve } = knowing([as]);
      const app = await startResolving(resolve, clock, { resource: { resource: NOTES } });
      for (const iss of [
        as.issuer,
        'https://10.0.0.1',
        'https://169.254.169.254/latest',
        'https://[::1]',
        'https://localhost',
      ])
        expect((await app.ask(await as.issueToken({ audience: NOTES, claims: { iss } }))).status).toBe(401);
      expect(asked).toEqual([]);
      const iss = 'https://customer.example';
      await app.ask(await as.issueToken({ audience: NOTES, claims: { iss } }));
      expect([asked, as.requestCount()]).toEqual([[iss], 0]);
    },
  );

  verifies(
    'TEN-14',
    'trusts no document of a public issuer that points into the private network',
    async () => {
      const as = await issuerServer(clock);
      const iss = 'https://customer.example';
      const fetched: string[] = [];
      const fetch = (url: string): Promise<Response> => {
        fetched.push(url);
        return Promise.resolve(Response.json({ ...as.metadata(), issuer: iss, jwks_uri: as.jwksUri }));
      };
      const module = { fetch: fetch as typeof globalThis.fetch };
      const app = await startResolving((issuer) => ({ issuer }), clock, {
        resource: { resource: NOTES },
        module,
      });
      const answer = await app.ask(await as.issueToken({ audience: NOTES, claims: { iss } }));
      expect(rejectedAs(answer)).toEqual(UNAVAILABLE);
      expect([fetched, as.requestCount()]).toEqual([[`${iss}/.well-known/oauth-authorization-server`], 0]);
    },
  );

  verifies('TEN-16', 'serves verifiers of the application', async () => {
    const [as, stranger] = await Promise.all([issuerServer(clock), issuerServer(clock)]);
    const { asked, resolve } = knowing([as]);
    const privateIssuers = ['urn:keys'];

    @Injectable()
    class Delegating extends TokenVerifier {
      constructor(private readonly standard: TokenVerifier) {
        super();
      }

      verify(...[token, context]: Parameters<TokenVerifier['verify']>) {
        return this.standard.verify(token, { ...context });
      }
    }
    const handedOn = await startResolving(resolve, clock, {
      resource: { verifier: Delegating },
      providers: [Delegating],
    });
    expect((await handedOn.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);
    expect(rejectedAs(await handedOn.ask(await stranger.issueToken(FOR_NOTES)))).toEqual(LOCAL_INVALID);

    asked.length = 0;
    const tokenOf = (iss: string): string => Buffer.from(iss).toString('base64url');
    const verifier = (token: string) => {
      const iss = Buffer.from(token, 'base64url').toString();
      return { iss, sub: 'a', client_id: 'c', aud: LOCAL_NOTES };
    };
    const own = await startResolving(resolve, clock, { resource: { verifier, privateIssuers } });
    expect((await own.ask(tokenOf(as.issuer))).status).toBe(200);
    expect((await own.ask(tokenOf('urn:keys'))).status).toBe(200);
    expect(rejectedAs(await own.ask(tokenOf(stranger.issuer)))).toEqual(LOCAL_INVALID);
    expect(asked).toEqual([as.issuer, stranger.issuer]);
    const failing = await startResolving(() => Promise.reject(new Error('no')), clock, {
      resource: { verifier },
    });
    expect(rejectedAs(await failing.ask(tokenOf(as.issuer)))).toEqual(UNAVAILABLE);
  });

  verifies('TEN-17', 'applies the options that it returns', async () => {
    const as = await issuerServer(clock);
    const { known, resolve } = knowing([as]);
    known.set(as.issuer, {
      ...{ issuer: as.issuer, requiredClaims: ['tenant'], oneTimeTokens: true, algorithms: ['ES256'] },
      ...{ profile: 'rfc9068', claimNames: { scopes: 'rights' } },
    });
    const app = await startResolving(resolve, clock, { resource: { requiredScopes: ['notes:read'] } });
    const claims = { tenant: 't1', rights: 'notes:read' };
    const token = await as.issueToken({ ...FOR_NOTES, claims });
    expect([(await app.ask(token)).status, (await app.ask(token)).status]).toEqual([200, 401]);
    const statusOf = async (...[options]: Parameters<typeof as.issueToken>): Promise<number> =>
      (await app.ask(await as.issueToken({ ...FOR_NOTES, claims, ...options }))).status;
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({ claims: { ...claims, tenant: undefined } })).toBe(401);
    expect(await statusOf({ typ: 'JWT' })).toBe(401);
    expect(await statusOf({ claims: { ...claims, rights: undefined, scope: 'notes:read' } })).toBe(403);
  });

  verifies(
    'TEN-17',
    'introspects at a server that it returns, and asks it about no opaque token',
    async () => {
      const as = await issuerServer(clock);
      const { clientId, clientSecret = '' } = as.introspectionClient;
      const introspection = { clientId, clientSecret };
      const resolve = (issuer: string): ResolvedIssuer => ({
        issuer,
        mode: 'introspection',
        introspection: { ...introspection },
      });
      const app = await startResolving(resolve, clock);
      const token = await as.issueToken(FOR_NOTES);
      expect((await app.ask(token)).status).toBe(200);
      as.revoke(token);
      expect(rejectedAs(await app.ask(await as.issueToken({ ...FOR_NOTES, audience: NOTES })))).toEqual(
        LOCAL_INVALID,
      );
      const count = as.requestCount('introspection');
      expect(rejectedAs(await app.ask(as.issueOpaqueToken(FOR_NOTES)))).toEqual(LOCAL_INVALID);
      expect(as.requestCount('introspection')).toBe(count);
    },
  );

  verifies('TEN-17', 'rejects a token whose server is withdrawn while the token is checked', async () => {
    const own = new TestClock();
    const as = await issuerServer(own);
    const { known, resolve } = knowing([as]);
    known.set(as.issuer, { issuer: as.issuer, oneTimeTokens: true });
    const hooks: { meanwhile?: () => unknown } = {};
    const isRevoked = async (): Promise<boolean> => {
      await hooks.meanwhile?.();
      return false;
    };
    const app = await startResolving(resolve, own, { module: { isRevoked } });
    const token = () => as.issueToken({ ...FOR_NOTES, expiresInSeconds: 3600 });
    expect((await app.ask(await token())).status).toBe(200);
    const { resolvedServers } = app.app.get(ProtectedResourceRegistry, { strict: false }).first();
    hooks.meanwhile = () => {
      known.delete(as.issuer);
      own.forward(600);
      return resolvedServers?.find(as.issuer);
    };
    expect(rejectedAs(await app.ask(await token()))).toEqual(LOCAL_INVALID);
  });

  it('is called outside of any request', async () => {
    const storage = new AsyncLocalStorage<string>();
    const as = await issuerServer(clock);
    const seen: unknown[] = [];
    const resolve = (issuer: string): ResolvedIssuer => {
      seen.push(storage.getStore());
      return { issuer };
    };
    const prepare = (app: INestApplication): void => {
      app.use((_: object, __: object, next: () => void) => {
        storage.run('request', next);
      });
    };
    const app = await startResolving(resolve, clock, { prepare });
    expect((await app.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);
    expect(seen).toEqual([undefined]);
  });
});
