import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type McpAuthModuleOptions,
  McpAuthStreams,
  MemoryRevocationList,
  type Revocation,
} from 'nestjs-mcp-auth';
import { type RunningApp, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES } from '../../fixtures/resources.js';
import { SESSION_ENDPOINTS, StreamController } from '../../fixtures/stream-endpoints.js';
import { openStream, type OpenStream, settlesWithin, until } from '../../fixtures/streams.js';
import { verifies } from '../../verifies.js';

const { invalidToken } = notesRejections('notes:read');
const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

describe('McpAuthStreams', () => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  const bearing = async (claims: Record<string, unknown> = {}, more: Record<string, string> = {}) => {
    const token = await as.token({ aud: NOTES, scope: 'notes:read', jti: randomUUID(), ...claims });
    return { authorization: `Bearer ${token}`, ...more };
  };

  function startWith(parts: Parameters<typeof start>[1], more: Partial<McpAuthModuleOptions> = {}) {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    return start({ resources, ...more }, parts);
  }

  /** Opens an endless stream of server-sent events. */
  const stream = async (app: RunningApp, claims: Record<string, unknown>): Promise<OpenStream> => {
    const opened = await openStream(app.origin, '/notes/events', { headers: await bearing(claims) });
    expect(opened.status).toBe(200);
    return opened;
  };

  const hasEnded = (opened: OpenStream): Promise<boolean> => settlesWithin(100, opened.ended);

  verifies('POP-66', 'ends the streams of a token or a principal, and no others', async () => {
    const app = await startWith({ controllers: [StreamController] });
    const streams = app.app.get(McpAuthStreams);
    const { issuer } = as;
    const open = {
      ada: await stream(app, { jti: 'j1', sub: 'ada' }),
      adaElsewhere: await stream(app, { jti: 'j2', sub: 'ada', client_id: 'other' }),
      adaAgain: await stream(app, { jti: 'j3', sub: 'ada' }),
      bob: await stream(app, { jti: 'j4', sub: 'bob' }),
    };
    const endedBy = async (revocation: Revocation): Promise<[number, string[]]> => {
      const count = streams.end(revocation);
      const ended: string[] = [];
      for (const [name, each] of Object.entries(open)) if (await hasEnded(each)) ended.push(name);
      return [count, ended];
    };
    expect(await endedBy({ issuer: `${issuer}/`, jti: 'j1' })).toEqual([0, []]);
    expect(await endedBy({ issuer, subject: 'ad' })).toEqual([0, []]);
    expect(await endedBy({ issuer, subject: 'ada', issuedBefore: 1_700_000_000 })).toEqual([0, []]);
    expect(await endedBy({ issuer, jti: 'j1' })).toEqual([1, ['ada']]);
    expect(await endedBy({ issuer, jti: 'j1' })).toEqual([0, ['ada']]);
    expect(await endedBy({ issuer, subject: 'ada', clientId: 'other' })).toEqual([
      1,
      ['ada', 'adaElsewhere'],
    ]);
    expect(await endedBy({ issuer, subject: 'ada' })).toEqual([1, ['ada', 'adaElsewhere', 'adaAgain']]);
    expect(await endedBy({ issuer, clientId: 'c1' })).toEqual([1, Object.keys(open)]);
  });

  verifies('POP-66', 'ends nothing for a revocation that names nobody', async () => {
    const app = await startWith({ controllers: [StreamController] });
    const open = await stream(app, {});
    for (const wrong of [{}, { issuer: as.issuer }, { issuer: as.issuer, subject: '' }, undefined])
      expect(() => app.app.get(McpAuthStreams).end(wrong as Revocation)).toThrow(TypeError);
    expect(await hasEnded(open)).toBe(false);
    open.abort();
  });

  verifies(
    'POP-66',
    'ends streams at a revocation by a list, and rejects the token from then on',
    async () => {
      const list = new MemoryRevocationList();
      const app = await startWith({ controllers: [StreamController] }, { isRevoked: list.isRevoked });
      const streams = app.app.get(McpAuthStreams);
      list.onRevoked((revocation) => streams.end(revocation));
      const headers = await bearing({ jti: 'revoked' });
      const open = await openStream(app.origin, '/notes/events', { headers });
      await list.revoke({ issuer: as.issuer, jti: 'revoked' }, inAnHour());
      expect(await open.ended).toBe(true);
      expect(rejectedAs(await app.send('/notes/events', { headers }))).toEqual(invalidToken);
    },
  );

  verifies('POP-66', 'with isRevoked, also ends streams that would not end with their token', async () => {
    const claims = { iss: as.issuer, sub: 'ada', aud: NOTES, scope: 'notes:read', jti: 'endless' };
    const headers = { authorization: 'Bearer opaque' };
    const settings = { verifier: () => claims, isRevoked: () => false };
    for (const more of [settings, { ...settings, endStreamsAtExpiry: false }]) {
      const app = await startWith({ controllers: [StreamController] }, more);
      const open = await openStream(app.origin, '/notes/events', { headers });
      expect(app.app.get(McpAuthStreams).end({ issuer: as.issuer, jti: 'endless' })).toBe(1);
      expect(await open.ended).toBe(true);
    }
    const app = await startWith({ controllers: [StreamController] }, { verifier: () => claims });
    const unknown = await openStream(app.origin, '/notes/events', { headers });
    expect(app.app.get(McpAuthStreams).end({ issuer: as.issuer, jti: 'endless' })).toBe(0);
    unknown.abort();
  });

  verifies(
    'POP-66',
    'sends a call that waits in a stream a JSON-RPC error, with its reason if that is shown',
    async () => {
      const [[, make] = []] = SESSION_ENDPOINTS as readonly [string, () => Parameters<typeof start>[1]][];
      const app = await startWith(make?.(), { showErrorDetails: true });
      const mine = await bearing({ jti: 'call' }, MCP_HEADERS);
      const initialized = await app.send('/notes', { method: 'POST', headers: mine, body: INITIALIZE });
      const session = { 'mcp-session-id': String(initialized.headers['mcp-session-id']) };
      const call = openStream(app.origin, '/notes', {
        method: 'POST',
        headers: { ...mine, ...session },
        body: toolCall('slow', 7),
      });
      const opened = await call;
      expect(app.app.get(McpAuthStreams).end({ issuer: as.issuer, jti: 'call' })).toBe(1);
      expect(await settlesWithin(3000, opened.ended)).toBe(true);
      const [, data = ''] = /data: (.*)\n\n$/.exec(opened.text()) ?? [];
      expect(JSON.parse(data)).toEqual({
        jsonrpc: '2.0',
        id: 7,
        error: {
          code: 401,
          message: 'The access token is invalid or expired',
          data: {
            error: 'invalid_token',
            error_description: 'The access token is invalid or expired',
            reason: 'revoked',
          },
        },
      });
    },
  );

  verifies('POP-67', 'ends a stream that begins after its token was revoked', async () => {
    const revocation = { issuer: as.issuer, jti: 'early' };
    const checked: string[] = [];
    const app = await startWith(
      { controllers: [StreamController] },
      {
        // The revocation comes after the last look at it, and before the stream.
        isRevoked: ({ jti }) => {
          checked.push(String(jti));
          if (jti === 'early') app.app.get(McpAuthStreams).end(revocation);
          return false;
        },
      },
    );
    const [early, other] = [await stream(app, { jti: 'early' }), await stream(app, { jti: 'other' })];
    expect(await settlesWithin(3000, early.ended)).toBe(true);
    expect(await hasEnded(other)).toBe(false);
    other.abort();
    await until(() => checked.length === 2);
  });
});
