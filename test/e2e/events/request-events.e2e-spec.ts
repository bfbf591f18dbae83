import { request as httpRequest } from 'node:http';
import { hash } from 'node:crypto';
import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type AppParts, defaultPlatform, type RunningApp, start as startApp } from '../../fixtures/app.js';
import { auditedApp, AuditedTools } from '../../fixtures/audited-endpoints.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { inMemoryServer, startWithoutHttp } from '../../fixtures/in-memory.js';
import { failing } from '../../fixtures/living-app.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import {
  bearer,
  called,
  completed,
  denied,
  ended,
  granted,
  NOBODY,
  operation,
  RequestLog,
} from '../../fixtures/request-log.js';
import { NOTES } from '../../fixtures/resources.js';
import { selfMounted } from '../../fixtures/self-mounted.js';
import { TRANSPORTS } from '../../fixtures/transports.js';
import { verifies } from '../../verifies.js';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const VERSION = '2025-11-25';

describe(`the events of a request, on ${defaultPlatform}`, () => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  const started = async (
    more: Partial<McpAuthModuleOptions> = {},
    parts: AppParts = auditedApp(),
    resource: object = {},
  ): Promise<RunningApp & { log: RequestLog }> => {
    const resources = {
      ...{ resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
      ...resource,
    };
    const app = await startApp({ resources, ...more }, parts);
    return { ...app, log: new RequestLog(app.app) };
  };

  const token = (scope = 'notes:read', claims: object = {}) => as.token({ aud: NOTES, scope, ...claims });

  const post = async (app: RunningApp, body: unknown, headers = {}, scope = 'notes:read') =>
    app.send('/notes', {
      method: 'POST',
      headers: { ...MCP_HEADERS, authorization: `Bearer ${await token(scope)}`, ...headers },
      body,
    });

  const get = async (app: RunningApp, path: string, scope?: string, headers = {}) =>
    app.send(path, {
      headers: { ...(scope !== undefined && { authorization: `Bearer ${await token(scope)}` }), ...headers },
    });

  /** What the events of a tool call at the guarded endpoint have. */
  const mcp = (...operations: ReturnType<typeof called>[]) => ({
    ...bearer(as.issuer),
    ...{ route: 'NotesEndpoint.post', protocolVersion: VERSION, operations },
  });
  const rest = (route: string) => ({ ...bearer(as.issuer), route: `AuditedRoutes.${route}` });

  verifies(
    ['OPS-20', 'OPS-22'],
    'say who called which tool, that it was allowed and how it ended',
    async () => {
      const { log, ...app } = await started();
      const open = called('open');
      expect((await post(app, toolCall('open'), { traceparent: TRACE })).status).toBe(200);
      const base = { ...mcp(open), traceparent: TRACE };
      expect(await log.ofOne(2)).toEqual([
        granted(base, 'notes:read'),
        completed(base, 200, [ended(open, 'succeeded')]),
      ]);
      const purge = called('purge');
      expect((await post(app, toolCall('purge'))).status).toBe(403);
      const required = 'notes:read notes:admin';
      expect(await log.ofOne(2)).toEqual([
        denied(mcp(purge), 'insufficient_scope', 403, required, 'notes:read'),
        completed(mcp(purge), 403, [ended(purge, 'denied')]),
      ]);
      const broken = called('broken');
      expect((await post(app, toolCall('broken'))).status).toBe(200);
      expect(await log.ofOne(2)).toEqual([
        granted(mcp(broken), 'notes:read'),
        completed(mcp(broken), 200, [ended(broken, 'failed')]),
      ]);
    },
  );

  verifies(
    ['OPS-20', 'OPS-22'],
    'name each message of a batch, without arguments, and its outcome',
    async () => {
      const { log, ...app } = await started();
      const batch = [
        toolCall('open', 1, { secret: 'x' }),
        { jsonrpc: '2.0', id: 2, method: 'tools/list' },
        toolCall('broken', 3),
      ];
      const operations = [called('open'), operation('tools/list'), called('broken')];
      const version = { 'mcp-protocol-version': '2025-03-26' };
      expect((await post(app, batch, version)).status).toBe(200);
      const base = { ...mcp(...operations), protocolVersion: '2025-03-26' };
      const outcomes = ['succeeded', 'succeeded', 'failed'] as const;
      expect(await log.ofOne(2)).toEqual([
        granted(base, 'notes:read'),
        completed(
          base,
          200,
          operations.map((each, at) => ended(each, outcomes[at]!)),
        ),
      ]);
      // One call that is denied denies the batch.
      expect((await post(app, [toolCall('open'), toolCall('purge', 2)], version)).status).toBe(403);
      const both = [called('open'), called('purge')];
      const other = { ...mcp(...both), protocolVersion: '2025-03-26' };
      expect(await log.ofOne(2)).toEqual([
        denied(other, 'insufficient_scope', 403, 'notes:read notes:admin', 'notes:read'),
        completed(
          other,
          403,
          both.map((each) => ended(each, 'denied')),
        ),
      ]);
    },
  );

  verifies('OPS-22', 'do not guess an outcome: a notification has none', async () => {
    const { log, ...app } = await started();
    const sent = operation('notifications/initialized');
    await post(app, { jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(await log.ofOne(2)).toEqual([
      granted(mcp(sent), 'notes:read'),
      completed(mcp(sent), 202, [ended(sent, 'unknown')]),
    ]);
  });

  verifies(['OPS-20', 'OPS-21'], 'have a second decision if a handler denies its call', async () => {
    const { log, ...app } = await started();
    const late = called('late');
    expect((await post(app, toolCall('late'))).status).toBe(403);
    expect(await log.ofOne(3)).toEqual([
      granted(mcp(late), 'notes:read'),
      denied(mcp(late), 'insufficient_scope', 403, 'notes:read notes:late', 'notes:read'),
      completed(mcp(late), 403, [ended(late, 'denied')]),
    ]);
    expect((await post(app, toolCall('late'), {}, 'notes:read notes:late')).status).toBe(200);
    expect((await log.ofOne(2)).map(({ type }) => type)).toEqual(['access_granted', 'request_completed']);
  });

  verifies('OPS-20', 'are those of routes too, also without a token', async () => {
    const { log, ...app } = await started();
    expect((await get(app, '/rest', 'notes:read')).status).toBe(200);
    expect(await log.ofOne(2)).toEqual([granted(rest('read'), 'notes:read'), completed(rest('read'), 200)]);
    expect((await get(app, '/rest/public')).status).toBe(200);
    const nobody = { ...NOBODY, route: 'AuditedRoutes.open' };
    expect(await log.ofOne(2)).toEqual([granted(nobody, ''), completed(nobody, 200)]);
    expect((await get(app, '/rest')).status).toBe(401);
    const rejected = { ...NOBODY, route: 'AuditedRoutes.read' };
    expect(await log.ofOne(2)).toEqual([denied(rejected, 'missing_token', 401), completed(rejected, 401)]);
    expect((await get(app, '/rest/fault', 'notes:read')).status).toBe(500);
    expect(await log.ofOne(2)).toEqual([granted(rest('fault'), 'notes:read'), completed(rest('fault'), 500)]);
  });

  verifies('OPS-21', 'have one decision, whichever of several layers makes it', async () => {
    const { log, ...app } = await started();
    const twice = { ...bearer(as.issuer), route: 'TwiceGuarded.read' };
    expect((await get(app, '/twice', 'notes:read')).status).toBe(403);
    expect(await log.ofOne(2)).toEqual([
      denied(twice, 'insufficient_scope', 403, 'notes:read notes:strict', 'notes:read'),
      completed(twice, 403),
    ]);
    const scope = 'notes:read notes:strict';
    expect((await get(app, '/twice', scope)).status).toBe(200);
    expect(await log.ofOne(2)).toEqual([granted(twice, scope), completed(twice, 200)]);
    const behind = bearer(as.issuer);
    expect((await get(app, '/behind', 'notes:read')).status).toBe(200);
    expect(await log.ofOne(2)).toEqual([granted(behind, 'notes:read'), completed(behind, 200)]);
    expect((await get(app, '/behind', 'other')).status).toBe(403);
    expect(await log.ofOne(2)).toEqual([
      denied(behind, 'insufficient_scope', 403, 'notes:read', 'other'),
      completed(behind, 403),
    ]);
    const both = { ...bearer(as.issuer), route: 'BehindBoth.read' };
    expect((await get(app, '/both', 'notes:read')).status).toBe(403);
    expect(await log.ofOne(2)).toEqual([
      denied(both, 'insufficient_scope', 403, 'notes:read notes:write', 'notes:read'),
      completed(both, 403),
    ]);
    expect((await get(app, '/both', 'notes:read notes:write')).status).toBe(200);
    expect(await log.ofOne(2)).toEqual([granted(both, 'notes:read notes:write'), completed(both, 200)]);
  });

  verifies('OPS-21', 'have one decision with early authentication, in front of a guard', async () => {
    const { log, ...app } = await started({ earlyAuthentication: true });
    const [open, purge] = [called('open'), called('purge')];
    expect((await post(app, toolCall('open'))).status).toBe(200);
    expect(await log.ofOne(2)).toEqual([
      granted(mcp(open), 'notes:read'),
      completed(mcp(open), 200, [ended(open, 'succeeded')]),
    ]);
    expect((await post(app, toolCall('purge'))).status).toBe(403);
    const [refused] = await log.ofOne(2);
    expect(refused).toMatchObject({ type: 'access_denied', operations: [purge] });
    expect((await post(app, toolCall('open'), { authorization: 'Bearer x' })).status).toBe(401);
    const early = { ...NOBODY, credential: 'bearer', protocolVersion: VERSION };
    expect(await log.ofOne(2)).toEqual([denied(early, 'malformed', 401), completed(early, 401)]);
  });

  verifies('OPS-21', 'have one decision in front of a transport that mounts its own route', async () => {
    const { log, ...app } = await started(
      { earlyAuthentication: true },
      { controllers: [AuditedTools], prepare: selfMounted({ mount: true, endpoint: 'notes' }) },
    );
    const [open, purge, late] = [called('open'), called('purge'), called('late')];
    const base = (each: typeof open) => ({ ...mcp(each), route: undefined });
    expect((await post(app, toolCall('open'))).status).toBe(200);
    expect(await log.ofOne(2)).toEqual([
      granted(base(open), 'notes:read'),
      completed(base(open), 200, [ended(open, 'succeeded')]),
    ]);
    expect((await post(app, toolCall('purge'))).status).toBe(403);
    expect(await log.ofOne(2)).toEqual([
      denied(base(purge), 'insufficient_scope', 403, 'notes:read notes:admin', 'notes:read'),
      completed(base(purge), 403, [ended(purge, 'denied')]),
    ]);
    expect((await post(app, toolCall('late'))).status).toBe(403);
    expect((await log.ofOne(3)).map(({ type }) => type)).toEqual([
      ...['access_granted', 'access_denied', 'request_completed'],
    ]);
    expect(base(late).operations).toEqual([late]);
  });

  verifies('OPS-20', 'say why nothing was decided on the token: origin, outage, fault', async () => {
    const { log, ...app } = await started();
    const evil = { origin: 'https://evil.example' };
    expect((await get(app, '/rest', 'notes:read', evil)).status).toBe(403);
    const base = { ...NOBODY, credential: 'bearer', route: 'AuditedRoutes.read' };
    expect(await log.ofOne(2)).toEqual([denied(base, 'origin', 403), completed(base, 403)]);
    // At the path of the resource the request meets no route.
    expect((await post(app, toolCall('open'), evil)).status).toBe(403);
    const [first] = await log.ofOne(2);
    expect(first).toMatchObject({ reason: 'origin', route: undefined });
    const down = await LoopbackAuthorizationServer.start();
    down.at('/jwks', failing);
    const authorizationServers = [down.issuer];
    const outage = await started({}, auditedApp(), { authorizationServers });
    const headers = { authorization: `Bearer ${await down.token({ aud: NOTES, scope: 'notes:read' })}` };
    expect((await outage.send('/rest', { headers })).status).toBe(503);
    const waiting = { ...base, issuer: down.issuer };
    expect(await outage.log.ofOne(2)).toEqual([denied(waiting, 'unavailable', 503), completed(waiting, 503)]);
    await down.close();
    const faulty = await started({
      verifier: () => {
        throw new Error('of the application');
      },
    });
    expect((await get(faulty, '/rest', 'notes:read')).status).toBe(500);
    expect(await faulty.log.ofOne(2)).toEqual([denied(base, 'fault', 500), completed(base, 500)]);
  });

  verifies('OPS-23', 'have version, trace context and actor only in the right form', async () => {
    const { log, ...app } = await started();
    const meta = {
      traceparent: TRACE,
      'io.modelcontextprotocol/protocolVersion': VERSION,
    };
    const body = { jsonrpc: '2.0', id: 1, method: 'ping', params: { _meta: meta } };
    await post(app, body, { 'mcp-protocol-version': [] });
    const [first] = await log.ofOne(2);
    expect(first).toMatchObject({ traceparent: TRACE, protocolVersion: VERSION });
    const other = TRACE.replace('4bf9', '5bf9');
    await post(app, body, { traceparent: other });
    expect((await log.ofOne(2))[0]).toMatchObject({ traceparent: other });
    const wrong = [
      TRACE.slice(0, -1),
      TRACE.replace('00-4', '01-4'),
      TRACE.toUpperCase(),
      TRACE.replace(/4b[0-9a-f]{30}/, '0'.repeat(32)),
      TRACE.replace(/00f0[0-9a-f]{12}/, '0'.repeat(16)),
    ];
    for (const traceparent of wrong) {
      await post(app, { ...body, params: {} }, { traceparent });
      expect((await log.ofOne(2))[0]).toMatchObject({ traceparent: undefined });
    }
    await app.send('/rest', {
      headers: { authorization: `Bearer ${await token('notes:read', { act: { sub: 'agent' } })}` },
    });
    expect((await log.ofOne(2))[0]).toMatchObject({ subject: 'u1', actor: 'agent' });
    await app.send('/rest', {
      headers: {
        authorization: `Bearer ${await token('notes:read', { act: 'agent' })}`,
        'mcp-protocol-version': 'x'.repeat(50),
      },
    });
    expect((await log.ofOne(2))[0]).toMatchObject({ actor: undefined, protocolVersion: undefined });
  });

  verifies('OPS-23', 'cut off names and count at most 100 operations', async () => {
    const { log, ...app } = await started();
    const long = 'x'.repeat(201);
    await post(app, { jsonrpc: '2.0', id: 1, method: long });
    expect((await log.ofOne(2))[0]).toMatchObject({ operations: [operation(long.slice(1))] });
    await post(app, toolCall(long));
    expect((await log.ofOne(2))[0]).toMatchObject({ operations: [called(long.slice(1))] });
    const many = Array.from({ length: 101 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' }));
    await post(app, many, { 'mcp-protocol-version': '2025-03-26' });
    const [first] = await log.ofOne(2);
    expect(first?.operations).toEqual(Array(100).fill(operation('ping')));
  });

  verifies(
    'OPS-23',
    'have a hash of the session that the client named, also of one of another caller',
    async () => {
      const transport = TRANSPORTS.find(({ name }) => name === 'SDK v1 stateful')!;
      const { log, ...app } = await started({}, transport.make());
      const opened = await post(app, INITIALIZE);
      const id = String(opened.headers['mcp-session-id']);
      expect((await log.ofOne(2))[0]).toMatchObject({ session: undefined });
      const session = hash('sha256', id, 'base64url');
      const call = { ...MCP_HEADERS, 'mcp-session-id': id };
      expect((await post(app, toolCall('list'), call)).status).toBe(200);
      const [first, last] = await log.ofOne(2);
      expect([first, last]).toMatchObject([
        { session },
        { session, operations: [ended(called('list'), 'succeeded')] },
      ]);
      const other = `Bearer ${await token('notes:read', { sub: 'u2' })}`;
      expect((await post(app, toolCall('list'), { ...call, authorization: other })).status).toBe(400);
      expect((await log.ofOne(2))[0]).toMatchObject({ session, subject: 'u2' });
    },
  );

  verifies('OPS-22', 'say status 0 if the client left before the answer began', async () => {
    const { log, ...app } = await started();
    const authorization = `Bearer ${await token()}`;
    const request = httpRequest(`${app.origin}/rest/slow`, { headers: { authorization } });
    request.on('error', () => undefined);
    request.end();
    await expect.poll(() => log.events.length).toBe(1);
    request.destroy();
    expect(await log.ofOne(2)).toEqual([granted(rest('slow'), 'notes:read'), completed(rest('slow'), 0)]);
  });

  verifies('OPS-24', 'have what the option redact makes of subject and address', async () => {
    const { log, ...app } = await started({
      redact: { subject: (subject) => `#${subject}`, remoteAddress: () => undefined },
    });
    const act = { act: { sub: 'agent' } };
    const headers = { authorization: `Bearer ${await token('notes:read', act)}` };
    expect((await app.send('/rest', { headers })).status).toBe(200);
    const base = { ...rest('read'), subject: '#u1', actor: '#agent', remoteAddress: undefined };
    expect(await log.ofOne(2)).toEqual([granted(base, 'notes:read'), completed(base, 200)]);
    const lines: string[] = [];
    const line = (...parts: unknown[]) => void lines.push(parts.map(String).join(' '));
    const failing = await started(
      {
        redact: {
          subject: (subject) => {
            throw new Error(`cannot hash ${subject}`);
          },
          remoteAddress: (() => Promise.reject(new Error('x'))) as never,
        },
      },
      { ...auditedApp(), log: { log: line, error: line, warn: line, debug: line } },
    );
    expect((await get(failing, '/rest', 'notes:read')).status).toBe(200);
    const left = { ...rest('read'), subject: undefined, remoteAddress: undefined };
    expect(await failing.log.ofOne(2)).toEqual([granted(left, 'notes:read'), completed(left, 200)]);
    expect(lines.filter((each) => each.includes('redact'))).toEqual([
      expect.stringContaining('the option "redact.remoteAddress" failed, so events leave the value out: '),
      expect.stringContaining(
        'the option "redact.subject" failed, so events leave the value out: Error: cannot hash [token]',
      ),
      expect.stringContaining('the option "redact.subject" failed'),
    ]);
  });

  verifies(['OPS-20', 'OPS-21'], 'are those of a call over stdio', async () => {
    const server = inMemoryServer('stdio');
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const options = { resources, stdio: { subject: 'eve', clientId: 'cli', scopes: ['notes:read'] } };
    const app = await startWithoutHttp(options, { controllers: [AuditedTools] }, server);
    const log = new RequestLog(app);
    const client = await server.connect();
    await client.callTool({ name: 'purge', arguments: {} }).catch(() => undefined);
    const purge = called('purge');
    const base = {
      ...{ ...NOBODY, credential: 'local', operations: [purge], remoteAddress: undefined },
      route: 'AuditedTools.purge',
    };
    expect(await log.ofOne(1)).toEqual([
      denied(
        { ...base, subject: 'eve', clientId: 'cli' },
        'insufficient_scope',
        403,
        'notes:read notes:admin',
        'notes:read',
      ),
    ]);
    const caller = { ...base, subject: 'eve', clientId: 'cli' };
    const richer = inMemoryServer('stdio');
    const admin = { subject: 'eve', clientId: 'cli', scopes: ['notes:read', 'notes:admin'] };
    const second = await startWithoutHttp(
      { resources, stdio: admin },
      { controllers: [AuditedTools] },
      richer,
    );
    const others = new RequestLog(second);
    await (await richer.connect()).callTool({ name: 'purge', arguments: {} });
    expect(await others.ofOne(1)).toEqual([granted(caller, 'notes:read notes:admin')]);
  });

  for (const transport of TRANSPORTS.filter(({ name }) => name.startsWith('SDK v'))) {
    verifies(['OPS-20', 'OPS-22'], `are the same with the ${transport.name}, ${transport.era}`, async () => {
      const { log, ...app } = await started({}, transport.make());
      let headers: Record<string, string> = {};
      if (transport.hasSessions) {
        headers = { 'mcp-session-id': String((await post(app, INITIALIZE)).headers['mcp-session-id']) };
        await log.take(2);
      }
      const list = called('list');
      expect((await post(app, toolCall('list'), headers)).status).toBe(200);
      const [first, last] = await log.ofOne(2);
      expect(first).toMatchObject({ type: 'access_granted', operations: [list] });
      expect(last).toMatchObject({ type: 'request_completed', operations: [ended(list, 'succeeded')] });
      expect((await post(app, toolCall('write'), headers)).status).toBe(403);
      expect((await log.ofOne(2))[0]).toMatchObject({
        ...{ type: 'access_denied', operations: [called('write')] },
        required: ['notes:read', 'notes:write'],
      });
    });
  }
});
