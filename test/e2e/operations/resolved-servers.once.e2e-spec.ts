import { describe, expect, it } from 'vitest';
import { McpAuthDiagnostics } from 'nestjs-mcp-auth';
import { RecordingLogger } from '../../fixtures/app.js';
import { TestClock } from '../../fixtures/clock.js';
import { rejectedAs, UNAVAILABLE } from '../../fixtures/notes-rejections.js';
import {
  FOR_NOTES,
  issuerServer,
  knowing,
  LOCAL_INVALID,
  LOCAL_NOTES,
  startResolving,
} from '../../fixtures/resolving-app.js';
import { ISSUER } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

describe('the operation of resolved authorization servers', () => {
  verifies(['TEN-15', 'TEN-18'], 'reports them, and an outage of one affects its tokens alone', async () => {
    const clock = new TestClock();
    const servers = await Promise.all(Array.from({ length: 22 }, () => issuerServer(clock)));
    const [up, ...down] = servers as [(typeof servers)[0], ...typeof servers];
    const log = new RecordingLogger();
    const app = await startResolving(knowing(servers).resolve, clock, { log });
    expect(log.notes.join('\n')).toContain(`tokens from ${ISSUER}, and others that its resolver knows`);
    const diagnostics = app.app.get(McpAuthDiagnostics, { strict: false });
    const report = () => diagnostics.report().dynamicAuthorizationServers;
    expect(report()).toEqual({ count: 0, byStatus: { up: 0, stale: 0, down: 0, unknown: 0 }, failing: [] });
    expect((await app.ask(await up.issueToken(FOR_NOTES))).status).toBe(200);
    for (const each of down) each.fail('metadata', { status: 500 });
    for (const each of down) {
      const token = await each.issueToken(FOR_NOTES);
      expect(rejectedAs(await app.ask(token))).toEqual(UNAVAILABLE);
    }
    expect(report()).toMatchObject({ count: 22, byStatus: { up: 1, stale: 0, down: 21, unknown: 0 } });
    expect(report().failing).toHaveLength(20);
    expect(report().failing[0]).toMatchObject({ issuer: down[0]?.issuer, status: 'down' });
    const checked = await diagnostics.check();
    expect([checked.isHealthy, checked.authorizationServers.map(({ issuer }) => issuer)]).toEqual([
      true,
      [ISSUER],
    ]);
    expect(checked.options.resources[0]?.hasAuthorizationServerResolver).toBe(true);
    expect(down[0]?.requestCount()).toBe(1);
    expect(log.warnings.length + log.errors.length).toBeLessThan(25);
    expect((await app.ask(await up.issueToken(FOR_NOTES))).status).toBe(200);

    up.fail('jwks', { status: 500 });
    clock.forward(3000);
    expect((await app.ask(await up.issueToken(FOR_NOTES))).status).toBe(200);
    expect(report().byStatus).toMatchObject({ stale: 1 });
    clock.forward(3000);
    expect(rejectedAs(await app.ask(await up.issueToken(FOR_NOTES)))).toEqual(UNAVAILABLE);
    up.recover();
    up.publishRawJwks({ kty: 'oct', k: 'AAAA' });
    clock.forward(61);
    expect((await app.ask(await up.issueToken(FOR_NOTES))).status).toBe(200);
    expect(log.errors.join('\n')).toContain('publishes 1 key that cannot be used');
  });

  verifies('TEN-15', 'explain() decides as requests, and calls the resolver only if it may', async () => {
    const clock = new TestClock();
    const [as, stranger] = await Promise.all([issuerServer(clock), issuerServer(clock)]);
    const { asked, resolve } = knowing([as]);
    const app = await startResolving(resolve, clock);
    const diagnostics = app.app.get(McpAuthDiagnostics, { strict: false });
    const expected = `${ISSUER}, or one that authorizationServerResolver knows`;
    const good = await as.issueToken(FOR_NOTES);
    const bad = await stranger.issueToken(FOR_NOTES);

    const before = await diagnostics.explain(good);
    expect(before).toMatchObject({ decision: 'unknown', times: undefined });
    expect(before.checks.slice(0, 3)).toMatchObject([
      { name: 'form', outcome: 'passed' },
      {
        ...{ name: 'issuer', outcome: 'unknown', expected },
        found: '"authorizationServerResolver" has not been called for the issuer of the token',
      },
      { name: 'algorithm', outcome: 'not_reached' },
    ]);
    expect(asked).toEqual([]);

    expect(await diagnostics.explain(bad, undefined, { callApplication: true })).toMatchObject({
      ...{ decision: 'rejected', reason: 'issuer' },
    });
    expect(asked).toEqual([stranger.issuer]);
    expect(rejectedAs(await app.ask(bad))).toEqual(LOCAL_INVALID);
    expect((await diagnostics.explain(bad)).reason).toBe('issuer');

    expect((await app.ask(good)).status).toBe(200);
    const after = await diagnostics.explain(good);
    expect(after.decision).toBe('accepted');
    expect(after.checks[1]).toMatchObject({ outcome: 'passed', expected, found: `"${as.issuer}"` });
    expect(asked).toEqual([stranger.issuer, as.issuer]);
  });

  verifies(
    'TEN-15',
    'explain() tells an outage of the resolver, and the issuer that a verifier names',
    async () => {
      const clock = new TestClock();
      const as = await issuerServer(clock);
      const token = await as.issueToken(FOR_NOTES);
      const failing = await startResolving(() => Promise.reject(new Error('no')), clock);
      const told = await failing.app
        .get(McpAuthDiagnostics, { strict: false })
        .explain(token, undefined, { callApplication: true });
      expect(told).toMatchObject({ decision: 'rejected', reason: 'unavailable' });

      const verifier = (iss: string) => ({ iss, sub: 'a', client_id: 'c', aud: LOCAL_NOTES });
      const { resolve } = knowing([{ issuer: 'http://localhost/as' }]);
      const named = (text: string) => verifier(Buffer.from(text, 'base64url').toString());
      const app = await startResolving(resolve, clock, { resource: { verifier: named } });
      const diagnostics = app.app.get(McpAuthDiagnostics, { strict: false });
      const explain = (iss: string) =>
        diagnostics.explain(Buffer.from(iss).toString('base64url'), undefined, { callApplication: true });
      expect((await explain('http://localhost/as')).decision).toBe('accepted');
      expect(await explain('http://localhost/other')).toMatchObject({
        decision: 'rejected',
        reason: 'issuer',
      });
    },
  );

  it('names the resolver in the line about a rejected issuer', async () => {
    const clock = new TestClock();
    const as = await issuerServer(clock);
    const lines: string[] = [];
    const log = new RecordingLogger();
    const debug = (message: unknown): void => void lines.push(String(message));
    const app = await startResolving(() => null, clock, { log: Object.assign(log, { debug }) });
    await app.ask(await as.issueToken(FOR_NOTES));
    expect(lines.join('\n')).toContain(
      `issuer; expected "${ISSUER}", or one that "authorizationServerResolver" knows, the token is not verified`,
    );
    expect(lines.join('\n')).not.toContain(as.issuer);
  });
});
