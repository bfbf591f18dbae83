import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import {
  type AuthenticationTrace,
  McpAuthEvents,
  type McpAuthModuleOptions,
  type ServerTrace,
  TraceFailure,
} from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { describe, expect, onTestFinished } from 'vitest';
import { type RunningApp, start } from '../../fixtures/app.js';
import { AuditedRoutes } from '../../fixtures/audited-endpoints.js';
import { TestClock } from '../../fixtures/clock.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const TYPES = [
  ...['access_granted', 'access_denied', 'request_completed'],
  ...['keys_refreshed', 'metadata_refreshed', 'discovery_failed', 'stale_used'],
] as const;

interface Started {
  readonly app: RunningApp;
  readonly as: TestAuthorizationServer;
  readonly clock: TestClock;
  readonly get: (token: string) => Promise<number>;
}

async function started(more: Partial<McpAuthModuleOptions> = {}, introspects = false): Promise<Started> {
  const as = closeAfterTest(await TestAuthorizationServer.start());
  const clock = new TestClock();
  const { clientId, clientSecret = '' } = as.introspectionClient;
  const introspection = { clientId, clientSecret };
  const server = { issuer: as.issuer, ...(introspects && { introspection }) };
  const resources = { resource: NOTES, authorizationServers: [server], requiredScopes: ['notes:read'] };
  const app = await start({ resources, now: clock.now, ...more }, { controllers: [AuditedRoutes] });
  const get = async (token: string): Promise<number> =>
    (await app.send('/rest', { headers: { authorization: `Bearer ${token}` } })).status;
  return { app, as, clock, get };
}

/** Subscribes until the test ends. */
function listen(name: string, told: (message: unknown) => void): void {
  subscribe(name, told);
  onTestFinished(() => void unsubscribe(name, told));
}

/** Everything that a tracing channel publishes, by the name of the part. */
function trace(name: string): { part: string; context: Record<string, unknown> }[] {
  const found: { part: string; context: Record<string, unknown> }[] = [];
  const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
  for (const part of parts)
    listen(`tracing:nestjs-mcp-auth:${name}:${part}`, (message) => {
      found.push({ part, context: message as Record<string, unknown> });
    });
  return found;
}

const partsOf = (found: readonly { part: string }[]): string[] => found.map(({ part }) => part);
const GOOD = ['start', 'end', 'asyncStart', 'asyncEnd'];
const BAD = ['start', 'end', 'error', 'asyncStart', 'asyncEnd'];

describe('the diagnostics channels', () => {
  verifies('OPS-25', 'have each event of their type, the same object that listeners get', async () => {
    const { app, as, clock, get } = await started();
    const published: [string, unknown][] = [];
    for (const type of TYPES) listen(`nestjs-mcp-auth:${type}`, (message) => published.push([type, message]));
    const heard: [string, unknown][] = [];
    for (const type of TYPES) app.app.get(McpAuthEvents).on(type, (event) => heard.push([type, event]));
    const claims = { audience: NOTES, scopes: ['notes:read'], expiresInSeconds: 90_000 };
    const token = await as.issueToken(claims);
    expect([await get(token), await get('x')]).toEqual([200, 401]);
    clock.forward(4000);
    as.fail('jwks', { status: 500 });
    as.fail('metadata', { status: 500 });
    expect(await get(await as.issueToken({ ...claims, scopes: ['notes:read'] }))).toBe(503);
    as.recover();
    clock.forward(120);
    expect(await get(await as.issueToken({ ...claims, scopes: ['notes:read', 'a'] }))).toBe(200);
    await expect.poll(() => published.length).toBe(heard.length);
    expect(published.every(([type, event], at) => heard[at]![0] === type && heard[at]![1] === event)).toBe(
      true,
    );
    const types = new Set(published.map(([type]) => type));
    for (const type of ['access_granted', 'access_denied', 'request_completed', 'discovery_failed'])
      expect(types).toContain(type);
    expect(published.every(([type, event]) => (event as { type: string }).type === type)).toBe(true);
    expect(published.every(([, event]) => Object.isFrozen(event))).toBe(true);
  });

  verifies(
    'OPS-25',
    'tell of stale keys and metadata that are used, and of metadata that was renewed',
    async () => {
      const { as, clock, get } = await started({ metadataRefreshSeconds: 900 });
      const published: unknown[] = [];
      for (const type of ['metadata_refreshed', 'stale_used', 'keys_refreshed'])
        listen(`nestjs-mcp-auth:${type}`, (message) => published.push(message));
      const claims = { audience: NOTES, scopes: ['notes:read'], expiresInSeconds: 90_000 };
      const fresh = async (at: number): Promise<number> =>
        get(await as.issueToken({ ...claims, claims: { at } }));
      expect(await fresh(0)).toBe(200);
      published.length = 0;
      as.fail('jwks', { status: 500 });
      as.fail('metadata', { status: 500 });
      clock.forward(1000);
      expect(await fresh(1)).toBe(200);
      const stale = (what: string) => ({
        type: 'stale_used',
        issuer: as.issuer,
        what,
        ageSeconds: expect.any(Number) as number,
      });
      expect(published).toEqual(expect.arrayContaining([stale('keys'), stale('metadata')]));
      for (const event of published) {
        const { type, ageSeconds } = event as { type: string; ageSeconds: number };
        expect([type, Math.floor(ageSeconds / 100)]).toEqual(['stale_used', 10]);
      }
      published.length = 0;
      as.recover();
      clock.forward(120);
      expect(await fresh(2)).toBe(200);
      await expect
        .poll(() => published)
        .toEqual(
          expect.arrayContaining([
            { type: 'metadata_refreshed', issuer: as.issuer },
            { type: 'keys_refreshed', issuer: as.issuer },
          ]),
        );
      published.length = 0;
      expect(await fresh(3)).toBe(200);
      expect(published).toEqual([]);
    },
  );

  verifies('OPS-25', 'make events for a subscriber alone, and for no longer', async () => {
    const { get, as } = await started();
    const token = await as.issueToken({ audience: NOTES, scopes: ['notes:read'] });
    const seen: unknown[] = [];
    const told = (message: unknown) => seen.push(message);
    subscribe('nestjs-mcp-auth:access_granted', told);
    expect(await get(token)).toBe(200);
    unsubscribe('nestjs-mcp-auth:access_granted', told);
    expect(channel('nestjs-mcp-auth:access_granted').hasSubscribers).toBe(false);
    expect(await get(token)).toBe(200);
    expect(seen).toMatchObject([{ type: 'access_granted', route: 'AuditedRoutes.read' }]);
  });

  verifies('OPS-25', 'leave what a subscriber throws to the process, after the request went on', async () => {
    const { get, as } = await started();
    const uncaught: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const keep = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', keep);
    onTestFinished(() => {
      process.off('uncaughtException', keep);
      for (const each of others) process.on('uncaughtException', each);
    });
    const fault = new Error('of a subscriber');
    listen('nestjs-mcp-auth:access_granted', () => {
      throw fault;
    });
    const seen: unknown[] = [];
    listen('nestjs-mcp-auth:access_granted', (message) => seen.push(message));
    expect(await get(await as.issueToken({ audience: NOTES, scopes: ['notes:read'] }))).toBe(200);
    expect([seen.length, uncaught]).toEqual([1, [fault]]);
  });
});

describe('the tracing channels', () => {
  verifies('OPS-26', 'tell of the authentication of each token, with the id of its request', async () => {
    const { app, get, as } = await started();
    const found = trace('authentication');
    const ids: string[] = [];
    app.app.get(McpAuthEvents).on('access_granted', ({ requestId }) => ids.push(requestId));
    const token = await as.issueToken({ audience: NOTES, scopes: ['notes:read'] });
    for (const status of [200, 200]) expect(await get(token)).toBe(status);
    expect(partsOf(found)).toEqual([...GOOD, ...GOOD]);
    const contexts = [...new Set(found.map(({ context }) => context))];
    expect(contexts).toEqual(ids.map((requestId) => ({ resource: NOTES, requestId, result: undefined })));
    found.length = 0;
    const foreign = await as.issueToken({ audience: 'https://other.example' });
    expect(await get(foreign)).toBe(401);
    expect(partsOf(found)).toEqual(BAD);
    const { error } = found[0]!.context as unknown as AuthenticationTrace;
    expect(error).toBeInstanceOf(TraceFailure);
    expect([error?.message, error?.reason, error?.cause]).toEqual([
      'TokenRejectedError: Access token rejected: audience',
      'audience',
      undefined,
    ]);
    // A missing token is not authenticated.
    found.length = 0;
    expect((await app.send('/rest')).status).toBe(401);
    expect(found).toEqual([]);
  });

  verifies('OPS-26', 'tell of fetches of metadata, keys and introspection, and why they failed', async () => {
    const all = { metadata: trace('metadata'), keys: trace('keys'), introspection: trace('introspection') };
    const { as, get } = await started({}, true);
    const of = { issuer: as.issuer };
    expect(partsOf(all.metadata)).toEqual(GOOD);
    expect(all.metadata[0]!.context).toMatchObject(of);
    expect(await get(await as.issueToken({ audience: NOTES, scopes: ['notes:read'] }))).toBe(200);
    expect(partsOf(all.keys)).toEqual(GOOD);
    expect(all.keys[0]!.context).toEqual({ ...of, result: undefined });
    const opaque = as.issueOpaqueToken({ audience: NOTES, scopes: ['notes:read'] });
    expect(await get(opaque)).toBe(200);
    expect(partsOf(all.introspection)).toEqual(GOOD);
    as.fail('introspection', { status: 500 });
    const second = as.issueOpaqueToken({ audience: NOTES, scopes: ['notes:read'] });
    expect(await get(second)).toBe(503);
    expect(partsOf(all.introspection)).toEqual([...GOOD, ...BAD]);
    const { issuer, error } = all.introspection.at(-1)!.context as unknown as ServerTrace;
    expect([issuer, error?.reason, error?.message]).toEqual([
      as.issuer,
      'unavailable',
      `AuthorizationServerUnavailableError: Could not get the introspection of ${as.issuer}`,
    ]);
    const shown = JSON.stringify(Object.values(all)) + String(error?.stack);
    for (const secret of [opaque, second]) expect(shown).not.toContain(secret);
  });

  verifies('OPS-26', 'have no token that a verifier puts into its error', async () => {
    const { get } = await started({
      verifier: (token) => {
        throw new Error(`cannot check ${token}`, { cause: token });
      },
    });
    const found = trace('authentication');
    expect(await get('secret-of-the-client')).toBe(500);
    const { error } = found.at(-1)!.context as unknown as AuthenticationTrace;
    expect([error?.message, error?.reason]).toEqual(['Error: cannot check [token]', 'fault']);
    expect(`${String(error?.stack)} ${JSON.stringify(found)}`).not.toContain('secret-of-the-client');
  });

  verifies('OPS-26', 'run the work in the stores that a subscriber binds', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks');
    const store = new AsyncLocalStorage<object>();
    const { start: begin } = tracingChannel<unknown, AuthenticationTrace>('nestjs-mcp-auth:authentication');
    const seen: unknown[] = [];
    const { get, as } = await started({
      isRevoked: () => {
        seen.push(store.getStore());
        return false;
      },
    });
    begin.bindStore(store, (context) => ({ span: context.resource }));
    onTestFinished(() => void begin.unbindStore(store));
    expect(await get(await as.issueToken({ audience: NOTES, scopes: ['notes:read'] }))).toBe(200);
    expect(seen).toEqual([{ span: NOTES }]);
  });
});
