import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, start } from '../../fixtures/app.js';
import { EveryLine } from '../../fixtures/attacked-app.js';
import { AuditedRoutes } from '../../fixtures/audited-endpoints.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { NOTES } from '../../fixtures/resources.js';
import { RequestLog } from '../../fixtures/request-log.js';
import { verifies } from '../../verifies.js';

/** A whole second, at which the clock stands: no line depends on how fast the test is. */
const NOW = Math.floor(Date.now() / 1000);

describe('the debug line of a rejection', () => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  const started = async (server: object = {}, more: Partial<McpAuthModuleOptions> = {}, resource = {}) => {
    const log = new EveryLine();
    const resources = {
      ...{ resource: NOTES, authorizationServers: [{ issuer: as.issuer, ...server }] },
      ...{ requiredScopes: ['notes:read'], ...resource },
    };
    const app = await start(
      { resources, now: () => new Date(NOW * 1000), ...more },
      { controllers: [AuditedRoutes], log },
    );
    return { app, log };
  };

  /** What stands between the resource and the id. */
  const detail = async (
    { app, log }: { app: RunningApp; log: EveryLine },
    token: string,
    path = '/rest',
    headers = {},
  ): Promise<string> => {
    log.lines.length = 0;
    await app.send(path, { headers: { authorization: `Bearer ${token}`, ...headers } });
    const found = log.lines.filter((line) => line.includes('Rejected a request for'));
    expect(found).toHaveLength(1);
    for (const part of token.split('.').filter((each) => each.length > 20))
      expect(found[0]).not.toContain(part);
    return (/notes: (.*) \([0-9a-f-]{36}\)/.exec(found[0]!) ?? [])[1] ?? found[0]!;
  };

  const token = (claims: Record<string, unknown> = {}, options = {}) =>
    as.token({ aud: NOTES, scope: 'notes:read', iat: NOW, exp: NOW + 300, ...claims }, options);

  verifies('OPS-27', 'says how far times are from now, with the tolerance', async () => {
    const app = await started({ maxTokenAgeSeconds: 60 });
    expect(await detail(app, await token({ exp: NOW - 35 }))).toBe(
      'expired; it expired 35 s ago, tolerance 5 s',
    );
    expect(await detail(app, await token({ nbf: NOW + 40 }))).toBe(
      'not_yet_valid; it is valid in 40 s, tolerance 5 s',
    );
    expect(await detail(app, await token({ iat: NOW - 90 }))).toBe(
      'too_old; it was issued 90 s ago, tolerance 5 s',
    );
    expect(await detail(app, await token({ exp: undefined, nbf: 'soon' }))).toBe(
      'time_claims; expected numbers of seconds; "exp" is missing, "nbf" is of type string, "iat" is a number',
    );
  });

  verifies('OPS-27', 'says which scopes were asked for and which the token grants', async () => {
    const app = await started();
    expect(await detail(app, await token(), '/rest/write')).toBe(
      'insufficient_scope, asked for notes:read notes:write, the token grants notes:read',
    );
    expect(await detail(app, await token({ scope: '' }))).toBe(
      'insufficient_scope, asked for notes:read, the token grants none',
    );
    const many = Array.from({ length: 30 }, (_, index) => `s${String(index)}`);
    expect(await detail(app, await token({ scope: many.join(' ') }))).toBe(
      `insufficient_scope, asked for notes:read, the token grants ${many.slice(0, 20).join(' ')} and 10 more`,
    );
  });

  verifies('OPS-27', 'says which issuer was expected, and which came only if that is verified', async () => {
    const app = await started();
    expect(await detail(app, await token({ iss: 'https://secret.example' }))).toBe(
      `issuer; expected "${as.issuer}", the token is not verified and names another, or none`,
    );
    const own = await started({}, { verifier: () => ({ iss: 'https://other.example', aud: NOTES }) });
    expect(await detail(own, 'opaque')).toBe(
      `issuer; expected "${as.issuer}", the token has "https://other.example"`,
    );
  });

  verifies('OPS-27', 'names algorithm and type only as standards define them', async () => {
    const app = await started({ algorithms: ['ES256'] });
    expect(await detail(app, await token())).toBe(
      'algorithm; expected "alg" to be one of ES256, the token has "RS256"',
    );
    const typed = await started({ profile: 'rfc9068' });
    expect(await detail(typed, await token({}, { header: { typ: 'JWT' } }))).toBe(
      'type; expected an access token by the profile rfc9068, the token has "JWT"',
    );
    const forged = 'x\n[Nest] ERROR';
    expect(await detail(typed, await token({}, { header: { typ: forged } }))).toBe(
      'type; expected an access token by the profile rfc9068, the token has a value that no standard defines',
    );
  });

  verifies('OPS-27', 'names claims that are missing or too many, and no values of them', async () => {
    const app = await started({ requiredClaims: ['tenant', 'jti'] });
    expect(await detail(app, await token({ email: 'ann@people.example' }))).toMatch(
      /^missing_claim; expected "tenant", the token has (?:"[a-z_]+"(?:, )?)+$/,
    );
    const plain = await started();
    expect(await detail(plain, await token({ nonce: 'secret' }))).toContain('"nonce"');
    expect(await detail(plain, await token({ cnf: { jkt: 'secret' } }))).toMatch(
      /^sender_constrained; expected a token without "cnf", or a proof that the resource verifies, the token has .*"cnf"/,
    );
    const names = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`c${String(at)}\n`, 'secret']));
    const line = await detail(plain, await token({ ...names, nonce: 'x' }));
    expect(line).toContain(' more');
    expect(line).not.toMatch(/secret|\n/);
  });

  verifies('OPS-27', 'says what is wrong with a request before its token is read', async () => {
    const app = await started({}, { maxTokenLength: 1024 });
    expect(await detail(app, 'x'.repeat(1025))).toBe(
      'too_long; expected at most 1024 characters ("maxTokenLength"), the token has 1025',
    );
    expect(await detail(app, 'x', '/rest', { authorization: 'Basic YTpi' })).toBe(
      'unsupported_scheme; expected "Authorization: Bearer TOKEN"',
    );
    expect(await detail(app, 'x', '/rest?access_token=y')).toBe(
      'multiple_credentials; expected one token, in one Authorization header and nowhere else',
    );
    expect(await detail(app, 'x', '/rest', { origin: 'https://evil.example' })).toBe(
      'origin; allowed are "https://api.example.com"',
    );
  });

  it('has the id of the events of its request', async () => {
    const { app, log } = await started();
    const events = new RequestLog(app.app);
    await app.send('/rest', { headers: { authorization: `Bearer ${await token({ exp: NOW - 35 })}` } });
    await expect.poll(() => events.events.length).toBe(2);
    const [{ requestId } = { requestId: '' }] = events.events;
    expect(log.lines.filter((line) => line.includes(`(${requestId})`))).toHaveLength(1);
  });
});
