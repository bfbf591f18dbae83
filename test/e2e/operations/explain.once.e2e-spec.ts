import { Controller, Get, type LoggerService, UseGuards } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  BearerAuthGuard,
  type McpAuthEvent,
  McpAuthDiagnostics,
  McpAuthEvents,
  type McpAuthModuleOptions,
  type ProtectedResourceOptions,
  type TokenCheck,
  type TokenCheckName,
  type TokenClaims,
  type TokenExplanation,
} from 'nestjs-mcp-auth';
import {
  makeTestKey,
  TestAuthorizationServer,
  type TestClaimsOptions,
  type TestTokenOptions,
} from 'nestjs-mcp-auth/testing';
import { type RunningApp, start } from '../../fixtures/app.js';
import { TestClock } from '../../fixtures/clock.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, offlineResource, ORIGIN } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string {
    return 'notes';
  }
}

/** Counts every line of every level. */
class CountingLog implements LoggerService {
  lines = 0;
  private readonly count = (): void => void (this.lines += 1);
  readonly log = this.count;
  readonly warn = this.count;
  readonly error = this.count;
  readonly debug = this.count;
  readonly verbose = this.count;
}

const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
const GOOD: TestTokenOptions = { audience: NOTES, scopes: ['notes:read'] };

interface Explained extends RunningApp {
  readonly clock: TestClock;
  readonly events: McpAuthEvent[];
  readonly log: CountingLog;
  readonly diagnostics: McpAuthDiagnostics;
  /** The status and the reason with which a request with this token is answered. */
  answerTo(token: string): Promise<{ status: number; reason: unknown }>;
}

async function startExplained(
  resource: Partial<ProtectedResourceOptions>,
  options: Partial<McpAuthModuleOptions> = {},
): Promise<Explained> {
  const clock = new TestClock();
  const log = new CountingLog();
  const resources = {
    resource: NOTES,
    requiredScopes: ['notes:read'],
    ...resource,
  } as ProtectedResourceOptions;
  const app = await start(
    { resources, now: clock.now, showErrorDetails: true, ...options },
    { controllers: [NotesController], log },
  );
  const events: McpAuthEvent[] = [];
  app.app.get(McpAuthEvents, { strict: false }).events$.subscribe((event) => events.push(event));
  return {
    ...app,
    clock,
    events,
    log,
    diagnostics: app.app.get(McpAuthDiagnostics, { strict: false }),
    answerTo: async (token) => {
      const answer = await app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
      return { status: answer.status, reason: (answer.json as { reason?: unknown } | undefined)?.reason };
    },
  };
}

async function testServer(options: Parameters<typeof TestAuthorizationServer.start>[0] = {}) {
  return closeAfterTest(await TestAuthorizationServer.start({ introspectionClient: CLIENT, ...options }));
}

/** The outcomes of the checks, in their order. */
function outcomes({ checks }: TokenExplanation): Record<string, string> {
  return Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]));
}

function checkOf({ checks }: TokenExplanation, name: TokenCheckName): TokenCheck | undefined {
  return checks.find((check) => check.name === name);
}

const PASSED = {
  form: 'passed',
  issuer: 'passed',
  algorithm: 'passed',
  signature: 'passed',
  type: 'passed',
  audience: 'passed',
  time: 'passed',
  required_claims: 'passed',
  binding: 'passed',
  kind: 'passed',
  principal: 'passed',
  actor: 'passed',
  revocation: 'passed',
  scopes: 'passed',
} as const;

/** Everything from a check on has not been reached. */
function until(name: keyof typeof PASSED, more: Record<string, string> = {}): Record<string, string> {
  const names = Object.keys(PASSED);
  const rest = names.slice(names.indexOf(name) + 1).map((each) => [each, 'not_reached']);
  return { ...PASSED, ...(Object.fromEntries(rest) as Record<string, string>), [name]: 'failed', ...more };
}

describe('explain()', () => {
  verifies(
    'OPS-62',
    'decides on every kind of JWT as a request, and finds the check that failed',
    async () => {
      const as = await testServer();
      const app = await startExplained({
        authorizationServers: [{ issuer: as.issuer, maxTokenAgeSeconds: 3600, requiredClaims: ['jti'] }],
      });
      await app.diagnostics.check(); // the keys are known, and within their cooldown
      app.clock.stop();
      const now = app.clock.now().getTime() / 1000;
      const foreign = await makeTestKey('RS256');
      const token = (options: TestTokenOptions) =>
        as.issueToken({ ...GOOD, issuedAt: app.clock.now(), ...options });
      const claims = (more: TokenClaims) => token({ claims: more });
      const one = (name: keyof typeof PASSED) => ({ ...PASSED, [name]: 'failed' });
      const table: [string, string, Record<string, string>, ...unknown[]][] = [
        ['good', await token({}), PASSED],
        ['garbage', 'garbage', until('form')],
        ['spaces', 'a b', until('form')],
        ['too long', 'x'.repeat(8193), until('form')],
        ['another issuer', await claims({ iss: 'https://evil.example' }), until('issuer')],
        ['no issuer', await claims({ iss: undefined }), until('issuer')],
        [
          'no algorithm',
          await token({ alg: 'none' }),
          { ...PASSED, algorithm: 'failed', signature: 'not_reached' },
        ],
        [
          'header without alg',
          await token({ header: { alg: undefined } }),
          { ...PASSED, algorithm: 'failed', signature: 'not_reached' },
        ],
        ['a foreign key', await token({ key: foreign }), one('signature')],
        ['a forged key id', await token({ key: foreign, kid: (await as.addKey()).kid }), one('signature')],
        ['another type', await token({ typ: 'dpop+jwt' }), one('type')],
        [
          'critical',
          await token({ header: { crit: ['x'], x: 1 } }),
          { ...PASSED, signature: 'failed', type: 'failed' },
        ],
        ['another audience', await token({ audience: ADMIN }), one('audience')],
        ['no audience', await claims({ aud: undefined }), one('audience')],
        ['a sister path', await token({ audience: `${NOTES}x` }), one('audience')],
        ['expired', await claims({ exp: now - 6 }), one('time')],
        ['within the tolerance', await claims({ exp: now - 4 }), PASSED],
        ['of tomorrow', await claims({ nbf: now + 86_400 }), one('time')],
        ['without expiry', await claims({ exp: undefined }), one('time')],
        ['times as text', await claims({ exp: 'never' }), one('time')],
        ['too old', await claims({ iat: now - 3606 }), one('time')],
        ['without jti', await claims({ jti: undefined }), one('required_claims')],
        ['bound', await claims({ cnf: { jkt: 'x' } }), one('binding')],
        ['an ID token', await claims({ nonce: 'n' }), one('kind')],
        ['nobody', await claims({ sub: '', client_id: undefined }), one('principal')],
        ['an actor without a name', await claims({ act: { iss: 'x' } }), one('actor')],
        ['too few scopes', await token({ scopes: ['notes:write'] }), one('scopes')],
        ['no scopes', await token({ scopes: [] }), one('scopes')],
      ];
      for (const [name, value, expected] of table) {
        const explained = await app.diagnostics.explain(value);
        const { status, reason } = await app.answerTo(value);
        const decision = status === 200 ? 'accepted' : 'rejected';
        expect([name, explained.decision, explained.reason]).toEqual([name, decision, reason]);
        expect([name, outcomes(explained)]).toEqual([name, expected]);
        // A check has a reason exactly if it failed; the first one is that of the request.
        const failures = explained.checks.filter(({ outcome }) => outcome === 'failed');
        expect(failures[0]?.reason).toBe(reason);
        expect(explained.checks.filter((check) => check.reason !== undefined)).toEqual(failures);
      }
    },
  );

  verifies(
    'OPS-62',
    'reports each check of claims, also after one that failed, with what was expected',
    async () => {
      const as = await testServer();
      const app = await startExplained({ authorizationServers: [as.issuer] });
      await app.diagnostics.check();
      app.clock.stop();
      const now = Math.floor(app.clock.now().getTime() / 1000);
      const token = await as.issueToken({
        audience: ADMIN,
        scopes: ['notes:write'],
        claims: { exp: now - 100, iat: now - 400, nbf: now - 400 },
      });
      const explained = await app.diagnostics.explain(token, NOTES);
      expect(explained).toMatchObject({ resource: NOTES, decision: 'rejected', reason: 'audience' });
      expect(outcomes(explained)).toEqual({
        ...PASSED,
        audience: 'failed',
        time: 'failed',
        scopes: 'failed',
      });
      expect(checkOf(explained, 'audience')).toEqual({
        name: 'audience',
        outcome: 'failed',
        reason: 'audience',
        expected: NOTES,
        found: `"${ADMIN}"`,
      });
      const fraction = app.clock.now().getTime() / 1000 - now;
      expect(explained.times).toEqual({
        expiresInSeconds: expect.closeTo(-100 - fraction, 2) as unknown,
        validInSeconds: expect.closeTo(-400 - fraction, 2) as unknown,
        ageSeconds: expect.closeTo(400 + fraction, 2) as unknown,
      });
      expect(checkOf(explained, 'time')).toMatchObject({
        reason: 'expired',
        expected: 'exp in the future, nbf and iat in the past; tolerance 5 s',
        found: expect.stringMatching(/^exp 10[01] s ago, nbf 40[01] s ago, iat 40[01] s ago$/) as unknown,
      });
      expect(checkOf(explained, 'scopes')).toMatchObject({
        reason: 'insufficient_scope',
        expected: 'notes:read',
        found: 'notes:write',
      });
    },
  );

  verifies(
    'OPS-63',
    'sends nothing: without keys the signature is unknown, until they are fetched',
    async () => {
      const as = await testServer();
      const app = await startExplained({ authorizationServers: [as.issuer] }, { discovery: 'lazy' });
      const token = await as.issueToken(GOOD);
      const before = await app.diagnostics.explain(token);
      expect(before).toMatchObject({ decision: 'unknown', reason: undefined });
      expect(outcomes(before)).toEqual({ ...PASSED, signature: 'unknown' });
      expect(checkOf(before, 'signature')?.found).toBe(`the keys of ${as.issuer} are not fetched yet`);
      // A request would be rejected in any case.
      const other = await as.issueToken({ ...GOOD, audience: ADMIN });
      expect(await app.diagnostics.explain(other)).toMatchObject({
        decision: 'rejected',
        reason: 'audience',
      });
      expect(as.requests).toEqual([]);

      await app.diagnostics.check();
      const asked = as.requests.length;
      expect(asked).toBeGreaterThan(0);
      expect(await app.diagnostics.explain(token)).toMatchObject({ decision: 'accepted', reason: undefined });

      // After the cooldown a request would fetch the keys again, for a key that is not known.
      const unpublished = await as.issueToken({ ...GOOD, key: await makeTestKey('RS256') });
      expect(await app.diagnostics.explain(unpublished)).toMatchObject({ reason: 'unknown_key' });
      app.clock.forward(31);
      const later = await app.diagnostics.explain(unpublished);
      expect(later).toMatchObject({ decision: 'unknown', reason: undefined });
      expect(checkOf(later, 'signature')?.found).toBe(
        `no known key fits, and the keys of ${as.issuer} may have changed`,
      );
      expect(as.requests).toHaveLength(asked);
      expect(await app.answerTo(unpublished)).toEqual({ status: 401, reason: 'unknown_key' });
      expect(as.requests).toHaveLength(asked + 1);
    },
  );

  verifies('OPS-63', 'knows of an opaque token only what a cached response says', async () => {
    const as = await testServer();
    const app = await startExplained({
      authorizationServers: [{ issuer: as.issuer, introspection: { ...CLIENT, cache: {} } }],
    });
    const token = as.issueOpaqueToken(GOOD);
    const before = await app.diagnostics.explain(token);
    expect(before).toMatchObject({ decision: 'unknown', times: undefined });
    expect(outcomes(before)).toMatchObject({
      form: 'passed',
      issuer: 'passed',
      introspection: 'unknown',
      audience: 'not_reached',
      scopes: 'not_reached',
    });
    const asked = as.requests.length;
    expect(await app.answerTo(token)).toEqual({ status: 200, reason: undefined });
    expect(as.requests).toHaveLength(asked + 1);
    const { hits, misses } = app.diagnostics.report().caches.introspection[0]!;
    expect(await app.diagnostics.explain(token)).toMatchObject({ decision: 'accepted' });
    expect(app.diagnostics.report().caches.introspection[0]).toMatchObject({ hits, misses, entries: 1 });

    const inactive = 'opaque-and-unknown';
    expect(await app.answerTo(inactive)).toEqual({ status: 401, reason: 'inactive' });
    const explained = await app.diagnostics.explain(inactive);
    expect(explained).toMatchObject({ decision: 'rejected', reason: 'inactive' });
    app.clock.forward(61);
    expect(await app.diagnostics.explain(token)).toMatchObject({ decision: 'unknown' });
    expect(as.requests).toHaveLength(asked + 2);
  });

  verifies('OPS-62', 'decides on cached introspection responses as a request', async () => {
    const as = await testServer();
    const app = await startExplained({
      authorizationServers: [
        {
          issuer: as.issuer,
          mode: 'introspection',
          introspection: { ...CLIENT, cache: {}, opaqueTokenPattern: /^[^:]+$/ },
        },
      ],
    });
    const opaque = (options: TestClaimsOptions) => as.issueOpaqueToken({ ...GOOD, ...options });
    for (const [token, reason] of [
      [opaque({}), undefined],
      [await as.issueToken(GOOD), undefined],
      [opaque({ audience: ADMIN }), 'audience'],
      [opaque({ claims: { iss: 'https://evil.example' } }), 'issuer'],
      [opaque({ claims: { cnf: { jkt: 'x' } } }), 'sender_constrained'],
      [opaque({ claims: { token_type: 'DPoP' } }), 'sender_constrained'],
      [opaque({ sub: '' }), 'subject'],
      [opaque({ scopes: [] }), 'insufficient_scope'],
      ['unknown-to-the-server', 'inactive'],
      ['x'.repeat(8193), 'too_long'],
    ] as const) {
      expect((await app.answerTo(token)).reason).toBe(reason);
      const explained = await app.diagnostics.explain(token);
      const decision = reason === undefined ? 'accepted' : 'rejected';
      expect([explained.decision, explained.reason]).toEqual([decision, reason]);
    }
    expect(await app.diagnostics.explain('of:another:form')).toMatchObject({ reason: 'malformed' });
  });

  verifies(
    'OPS-63',
    'is sure of configured keys, and unsure of those of a function that was not called',
    async () => {
      const as = await testServer();
      const key = await as.addKey('ES256');
      const foreign = await makeTestKey('ES256');
      const keys = { keys: [key.publicJwk] };
      let calls = 0;
      const late = (): typeof keys => {
        calls += 1;
        return keys;
      };
      const fixed = await startExplained({ authorizationServers: [{ issuer: as.issuer, jwks: keys }] });
      const called = await startExplained({ authorizationServers: [{ issuer: as.issuer, jwks: late }] });
      const good = await as.issueToken({ ...GOOD, key });
      const forged = await as.issueToken({ ...GOOD, key: foreign, kid: key.kid });
      const unpublished = await as.issueToken({ ...GOOD, key: foreign });
      expect(await fixed.diagnostics.explain(good)).toMatchObject({ decision: 'accepted' });
      expect(await fixed.diagnostics.explain(forged)).toMatchObject({ reason: 'signature' });
      expect(await fixed.diagnostics.explain(unpublished)).toMatchObject({ reason: 'unknown_key' });

      for (const token of [good, forged]) {
        expect(await called.diagnostics.explain(token)).toMatchObject({ decision: 'unknown' });
      }
      expect(calls).toBe(0);
      expect(await called.answerTo(good)).toMatchObject({ status: 200 });
      expect(await called.diagnostics.explain(good)).toMatchObject({ decision: 'accepted' });
      expect(await called.diagnostics.explain(forged)).toMatchObject({ reason: 'signature' });
      expect(calls).toBe(1);
    },
  );

  verifies('OPS-63', 'uses old keys as long as a request may, and none without metadata', async () => {
    const as = await testServer();
    const app = await startExplained({
      authorizationServers: [{ issuer: as.issuer, remoteJwkSet: { staleMaxAgeSeconds: 3600 } }],
    });
    const token = await as.issueToken({ ...GOOD, expiresInSeconds: 864_000 });
    expect(await app.answerTo(token)).toMatchObject({ status: 200 });
    app.clock.forward(3500);
    await as.goDown();
    expect(await app.diagnostics.explain(token)).toMatchObject({ decision: 'accepted' });
    app.clock.forward(200);
    expect(await app.diagnostics.explain(token)).toMatchObject({ decision: 'unknown' });
    expect(await app.answerTo(token)).toMatchObject({ status: 503 });
    app.clock.forward(100_000); // longer than old metadata is used
    expect(await app.diagnostics.explain(token)).toMatchObject({ decision: 'unknown' });
  });

  verifies('OPS-63', 'calls verifier and isRevoked of the application only if told to', async () => {
    const calls: string[] = [];
    const verifier = (token: string): TokenClaims | null => {
      calls.push('verify');
      if (token === 'broken') throw new Error(token);
      return token === 'bad'
        ? null
        : {
            iss: token === 'foreign' ? 'https://x.example' : undefined,
            sub: 'u1',
            aud: NOTES,
            scope: 'notes:read',
          };
    };
    const isRevoked = ({ subject }: { subject: string | undefined }): boolean => {
      calls.push(`isRevoked ${subject ?? ''}`);
      return false;
    };
    const app = await startExplained(offlineResource(NOTES, { verifier }), { isRevoked });
    const silent = await app.diagnostics.explain('good');
    expect(silent).toMatchObject({ decision: 'unknown', reason: undefined, times: undefined });
    expect(outcomes(silent)).toMatchObject({ form: 'passed', verifier: 'unknown', audience: 'not_reached' });
    expect(calls).toEqual([]);

    const called = await app.diagnostics.explain('good', NOTES, { callApplication: true });
    expect(called).toMatchObject({ decision: 'accepted' });
    expect(calls).toEqual(['verify', 'isRevoked u1']);
    for (const token of ['bad', 'broken', 'foreign']) {
      const explained = await app.diagnostics.explain(token, NOTES, { callApplication: true });
      const { reason } = await app.answerTo(token);
      expect([token, explained.decision, explained.reason]).toEqual([token, 'rejected', reason]);
      expect(JSON.stringify(explained)).not.toContain('broken');
    }
  });

  verifies('OPS-62', 'asks isRevoked about valid tokens only, as a request does', async () => {
    const as = await testServer();
    const app = await startExplained(
      { authorizationServers: [as.issuer] },
      {
        isRevoked: ({ subject }) =>
          subject === 'left' ? true : subject === 'odd' ? ('yes' as never) : false,
      },
    );
    await app.diagnostics.check();
    for (const [sub, reason, decision] of [
      ['user-1', undefined, 'accepted'],
      ['left', 'revoked', 'rejected'],
      ['odd', 'unavailable', 'rejected'],
    ] as const) {
      const token = await as.issueToken({ ...GOOD, sub });
      const explained = await app.diagnostics.explain(token, undefined, { callApplication: true });
      expect([sub, explained.decision, explained.reason]).toEqual([sub, decision, reason]);
      expect((await app.answerTo(token)).reason).toBe(reason);
      expect(await app.diagnostics.explain(token)).toMatchObject({ decision: 'unknown' });
    }
    const expired = await as.issueToken({ ...GOOD, sub: 'left', expiresInSeconds: -60 });
    const explained = await app.diagnostics.explain(expired, undefined, { callApplication: true });
    expect(explained.reason).toBe('expired');
    expect(checkOf(explained, 'revocation')?.outcome).toBe('not_reached');
  });

  verifies('OPS-62', 'says what the options make of audience, type, claims and scopes', async () => {
    const as = await testServer();
    const app = await startExplained({
      audienceMatch: 'hierarchical',
      rejectMultipleAudiences: true,
      requiredScopes: [],
      authorizationServers: [
        {
          issuer: as.issuer,
          profile: 'rfc9068',
          maxTokenAgeSeconds: 60,
          requiredClaims: ['tenant'],
          claimNames: {
            scopes: ({ rights }) => {
              if (typeof rights !== 'string') throw new Error('no rights');
              return [rights];
            },
          },
        },
      ],
    });
    await app.diagnostics.check();
    const aud = [ORIGIN, ADMIN];
    const token = await as.issueToken({
      ...GOOD,
      typ: 'JWT',
      issuedAt: new Date(Date.now() - 10_000),
      claims: { aud, rights: 'notes:read', exp: 'soon' },
    });
    const explained = await app.diagnostics.explain(token);
    expect(explained).toMatchObject({ reason: 'type', times: { expiresInSeconds: undefined } });
    expect((await app.answerTo(token)).reason).toBe('type');
    const texts = explained.checks.map(({ name, outcome, expected, found }) => [
      name,
      outcome,
      expected,
      found,
    ]);
    expect(texts).toEqual(
      expect.arrayContaining([
        ['type', 'failed', 'typ at+jwt', 'typ "JWT"'],
        ['audience', 'failed', `${NOTES}, or a parent of it, alone`, JSON.stringify(aud)],
        ['required_claims', 'failed', 'iss, exp, aud, sub, client_id, iat, jti, tenant', expect.any(String)],
        ['scopes', 'passed', 'none', 'notes:read'],
        ['revocation', 'passed', 'nothing', 'isRevoked is not set'],
      ]),
    );
    expect(checkOf(explained, 'time')).toMatchObject({
      expected: 'exp in the future, nbf and iat in the past, iat at most 60 s ago; tolerance 5 s',
      found: expect.stringMatching(/^exp "soon", iat \d+ s ago$/) as unknown,
    });
    const odd = await as.issueToken({ ...GOOD, claims: { tenant: 't' } });
    expect(await app.diagnostics.explain(odd)).toMatchObject({ decision: 'rejected', reason: 'fault' });
    expect(await app.answerTo(odd)).toEqual({ status: 500, reason: 'fault' });
  });

  verifies(
    'OPS-64',
    'holds neither token nor signature, and emits, logs, counts and caches nothing',
    async () => {
      const as = await testServer();
      const app = await startExplained({ authorizationServers: [as.issuer] });
      await app.diagnostics.check();
      const weak = await as.issueToken({ ...GOOD, header: { kid: undefined } });
      const tokens = [
        await as.issueToken(GOOD),
        await as.issueToken({ ...GOOD, audience: ADMIN }),
        weak,
        'opaque-token',
      ];
      const before = { report: app.diagnostics.report(), lines: app.log.lines, events: app.events.length };
      for (const token of [...tokens, ...tokens, ...tokens]) {
        const text = JSON.stringify(await app.diagnostics.explain(token));
        for (const secret of [token, ...token.split('.').slice(1)]) expect(text).not.toContain(secret);
      }
      expect(app.diagnostics.report().caches).toEqual(before.report.caches);
      expect([app.log.lines, app.events.length]).toEqual([before.lines, before.events]);
    },
  );

  verifies('OPS-64', 'is served by no route of the package', async () => {
    const app = await startExplained(offlineResource(NOTES));
    for (const path of ['/explain', '/diagnostics', '/notes/explain', '/.well-known/explain']) {
      expect((await app.send(path)).status).toBe(404);
    }
  });

  it('needs the name of a resource if there are several', async () => {
    const resources = [
      { ...offlineResource(NOTES), name: 'notes' },
      { ...offlineResource(ADMIN), name: 'admin' },
    ];
    const app = await start({ resources });
    const diagnostics = app.app.get(McpAuthDiagnostics, { strict: false });
    for (const name of ['notes', NOTES]) {
      expect(await diagnostics.explain('x', name)).toMatchObject({ resource: NOTES, reason: 'malformed' });
    }
    for (const name of [undefined, 'note']) {
      await expect(diagnostics.explain('x', name)).rejects.toThrow(
        'McpAuthDiagnostics.explain(): needs the name of a resource: one of "notes", "admin"',
      );
    }
  });

  it('shows values of claims cut, and values of a verifier that are no JSON by their type', async () => {
    const verifier = (): TokenClaims => ({ sub: 5n, aud: `${NOTES}/${'x'.repeat(300)}` });
    const app = await startExplained(offlineResource(NOTES, { verifier }));
    const explained = await app.diagnostics.explain('any', NOTES, { callApplication: true });
    expect(checkOf(explained, 'audience')?.found).toHaveLength(201);
    expect(checkOf(explained, 'principal')).toMatchObject({
      reason: 'subject',
      found: 'sub a value of type bigint, client none',
    });
  });
});
