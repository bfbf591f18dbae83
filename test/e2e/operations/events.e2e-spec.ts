import { Controller, Get, type LoggerService, UseGuards } from '@nestjs/common';
import {
  type AccessDeniedEvent,
  BearerAuthGuard,
  type McpAuthEvent,
  McpAuthEvents,
  type McpAuthModuleOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { config } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type RunningApp, start } from '../../fixtures/app.js';
import type { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { failing } from '../../fixtures/living-app.js';
import { NOTES } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string {
    return 'notes';
  }

  @Get('write')
  @RequireScopes('notes:write')
  write(): string {
    return 'written';
  }
}

/** Every line of every level, with all its parts. */
class WholeLog implements LoggerService {
  readonly lines: string[] = [];
  readonly log = this.at('log');
  readonly debug = this.at('debug');
  readonly warn = this.at('warn');
  readonly error = this.at('error');

  private at(level: string) {
    return (...parts: unknown[]): void => {
      this.lines.push(`${level} ${parts.map(String).join(' | ')}`);
    };
  }

  of(level: string): string[] {
    return this.lines.filter((line) => line.startsWith(level));
  }
}

interface TellingApp extends RunningApp {
  readonly log: WholeLog;
  readonly events: McpAuthEvents;
  readonly seen: McpAuthEvent[];
  /** Every token and part of one that was sent. */
  readonly secrets: string[];
  ask(token?: string, path?: string): Promise<{ status: number; text: string }>;
}

async function startTelling(
  as: LoopbackAuthorizationServer,
  more: Partial<McpAuthModuleOptions> = {},
): Promise<TellingApp> {
  const log = new WholeLog();
  const resources = {
    resource: NOTES,
    authorizationServers: [as.issuer],
    requiredScopes: ['notes:read'],
  };
  const app = await start({ resources, ...more }, { controllers: [NotesController], log });
  const events = app.app.get(McpAuthEvents);
  const [seen, secrets]: [McpAuthEvent[], string[]] = [[], []];
  events.events$.subscribe((event) => seen.push(event));
  const ask = async (token?: string, path = '/notes') => {
    if (token !== undefined) secrets.push(...token.split('.').filter((part) => part.length > 30));
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return app.send(path, { headers });
  };
  return { ...app, log, events, seen, secrets, ask };
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** The address of a client on this machine, in both forms that platforms give it. */
const LOOPBACK = expect.stringMatching(/^(?:::ffff:)?127\.0\.0\.1$/) as string;

const good = (as: LoopbackAuthorizationServer, claims: Record<string, unknown> = {}): Promise<string> =>
  as.token({ aud: NOTES, scope: 'notes:read', ...claims });

describe('events and log', () => {
  verifies(['F112', 'OPS-06'], 'report each request, and no secret', async () => {
    const as = await server();
    const app = await startTelling(as);
    const token = await good(as, { sub: 'u7', jti: 'j7' });
    await app.ask(token);
    await app.ask(token);
    await app.ask();
    await app.ask(await good(as, { aud: 'https://other.example', jti: 'j8' }));
    await app.ask(`${token.slice(0, -20)}${'A'.repeat(20)}`);
    await app.ask(token, '/notes/write');
    as.at('/jwks', failing);
    const nobody = { issuer: undefined, clientId: undefined, subject: undefined, jti: undefined };
    const principal = { issuer: as.issuer, clientId: 'c1', subject: 'u7', jti: 'j7' };
    const base = {
      ...{ requestId: expect.stringMatching(ID) as string, resource: NOTES, route: 'NotesController.list' },
      ...{ operations: [], credential: 'bearer', binding: undefined, actor: undefined },
      ...{ protocolVersion: undefined, session: undefined, remoteAddress: LOOPBACK, traceparent: undefined },
    };
    const granted = { type: 'access_granted', ...base, ...principal, granted: ['notes:read'] };
    const denied = { type: 'access_denied', ...base, ...nobody, required: [], granted: [] };
    expect(app.seen.filter(({ type }) => type !== 'request_completed')).toEqual([
      granted,
      granted,
      { ...denied, reason: 'missing_token', status: 401, credential: undefined },
      { ...denied, ...principal, subject: 'u1', jti: 'j8', reason: 'audience', status: 401 },
      { ...denied, reason: 'signature', status: 401 },
      {
        ...{ ...denied, ...principal, reason: 'insufficient_scope', status: 403 },
        ...{ route: 'NotesController.write', required: ['notes:read', 'notes:write'] },
        granted: ['notes:read'],
      },
    ]);
    const statuses = (): number[] =>
      app.seen.flatMap((event) => (event.type === 'request_completed' ? [event.status] : []));
    await expect.poll(statuses).toEqual([200, 200, 401, 401, 401, 403]);
    const told = JSON.stringify(app.seen) + app.log.lines.join('\n');
    expect(app.secrets.length).toBeGreaterThan(6);
    for (const secret of app.secrets) expect(told).not.toContain(secret);
    expect(app.log.of('debug').filter((line) => line.includes('Rejected a request'))).toHaveLength(4);
  });

  verifies('SCP-30', 'have an id for missing scopes that the client does not see', async () => {
    const as = await server();
    const app = await startTelling(as);
    const headers = { authorization: `Bearer ${await good(as)}` };
    const answer = await app.send('/notes/write', { headers });
    expect(answer.status).toBe(403);
    const [event] = app.seen as [AccessDeniedEvent];
    expect(event).toMatchObject({
      type: 'access_denied',
      reason: 'insufficient_scope',
      granted: ['notes:read'],
    });
    expect(app.log.of('debug').filter((line) => line.includes(event.requestId))).toEqual([
      expect.stringContaining(
        'insufficient_scope, asked for notes:read notes:write, the token grants notes:read (',
      ) as string,
    ]);
    expect(JSON.stringify(answer)).not.toContain(event.requestId);
    expect(JSON.stringify(answer)).not.toMatch(ID);
  });

  verifies('OPS-06', 'are not forged by claims or by what a verifier throws', async () => {
    const as = await server();
    const forged = 'x\n{fake}\u2028[Nest] ERROR';
    const app = await startTelling(as);
    await app.ask(await good(as, { sub: forged, jti: forged, client_id: forged }));
    await app.ask(await good(as, { sub: forged, aud: forged }));
    await app.ask(await good(as, { sub: forged, scope: 'x' }));
    const subjects = (): unknown[] => app.seen.map((event) => (event as { subject?: string }).subject);
    await expect.poll(subjects).toEqual(Array(6).fill(forged));
    const throwing = await startTelling(as, {
      verifier: (token) => {
        throw new Error(`${forged} ${token}`);
      },
    });
    expect((await throwing.ask(await good(as))).status).toBe(500);
    expect(throwing.log.of('error').join()).toContain('Error: x\\u000a{fake}\\u2028[Nest] ERROR [token]');
    for (const { lines } of [app.log, throwing.log]) {
      expect(lines.filter((line) => /^\{fake\}/m.test(line) || line.includes('\u2028'))).toEqual([]);
    }
    for (const secret of throwing.secrets) expect(throwing.log.lines.join()).not.toContain(secret);
  });

  verifies('F111', 'limit the lines that clients cause, and report each request to listeners', async () => {
    const as = await server();
    let now = Date.now();
    const app = await startTelling(as, { now: () => new Date(now) });
    for (let i = 0; i < 60; i++) await app.ask('abc');
    const rejections = (): string[] => app.log.of('debug').filter((line) => /malformed/.test(line));
    expect(rejections()).toHaveLength(10);
    expect(app.seen.filter(({ type }) => type === 'access_denied')).toHaveLength(60);
    now += 60_000;
    await app.ask('abc');
    expect(rejections()).toHaveLength(12);
    expect(rejections()[10]).toContain('… and 50 more in 60 s: malformed');
  });

  it('report an isRevoked that throws as an outage, by a warning', async () => {
    const as = await server();
    const app = await startTelling(as, {
      isRevoked: () => {
        throw new Error('redis\nis down');
      },
    });
    expect((await app.ask(await good(as))).status).toBe(503);
    const principal = { issuer: as.issuer, subject: 'u1', jti: 'j1' };
    await expect
      .poll(() => app.seen)
      .toMatchObject([
        { type: 'access_denied', reason: 'unavailable', status: 503, ...principal },
        { type: 'request_completed', status: 503, ...principal },
      ]);
    expect(app.log.of('warn').at(-1)).toContain(
      `Answered 503 for ${NOTES}: Could not get the verification of ${as.issuer} (the option "isRevoked" threw: redis\\u000ais down)`,
    );
  });

  it('name the issuer, client and id of a revoked token', async () => {
    const as = await server();
    const app = await startTelling(as, { isRevoked: () => Promise.resolve(true) });
    expect((await app.ask(await good(as))).status).toBe(401);
    expect(app.seen[0]).toMatchObject({ reason: 'revoked', issuer: as.issuer, clientId: 'c1', jti: 'j1' });
  });

  verifies('F112', 'continue, and requests too, whatever a listener throws', async () => {
    const as = await server();
    const app = await startTelling(as);
    app.events.on('access_granted', () => {
      throw new Error('listener\nfault');
    });
    app.events.on('access_granted', async () => Promise.reject(new Error('later')));
    // What an observer throws is for rxjs to report.
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const observer = app.events.events$.subscribe(() => {
      throw new Error('observer');
    });
    const types: string[] = [];
    const end = app.events.on('access_granted', ({ type }) => types.push(type));
    for (let i = 0; i < 30; i++) expect((await app.ask(await good(as))).status).toBe(200);
    await expect.poll(() => [types.length, app.seen.length]).toEqual([30, 60]);
    end();
    observer.unsubscribe();
    await app.ask(await good(as));
    expect(types).toHaveLength(30);
    config.onUnhandledError = null;
    expect(unhandled).toHaveLength(60);
    const errors = app.log.of('error');
    expect(errors[0]).toContain('A listener of McpAuthEvents threw Error: listener\\u000afault');
    expect(errors).toHaveLength(10);
  });

  it('report renewed keys', async () => {
    const as = await server();
    let now = Date.now();
    const app = await startTelling(as, { now: () => new Date(now), tokenCache: false });
    await app.ask(await good(as));
    now += 700_000;
    await app.ask(await good(as, { exp: Math.floor(now / 1000) + 300 }));
    await app.ask(await good(as, { exp: Math.floor(now / 1000) + 300 }));
    expect(app.seen.filter(({ type }) => type === 'keys_refreshed')).toEqual([
      { type: 'keys_refreshed', issuer: as.issuer },
    ]);
  });

  it('end with the application, after its last request', async () => {
    const app = await startTelling(await server());
    const told: string[] = [];
    app.events.events$.subscribe({ next: ({ type }) => told.push(type), complete: () => told.push('end') });
    await app.ask('bad');
    await app.app.close();
    expect(told).toEqual(['access_denied', 'request_completed', 'end']);
  });
});
