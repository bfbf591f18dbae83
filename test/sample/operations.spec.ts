import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { toolLabel } from '../../sample/operations/src/tool-label.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { attributesOf, OtlpCollector } from '../fixtures/otlp-collector.js';
import { type SampleProcess, startSample, stopSample } from '../fixtures/sample-process.js';
import { verifies } from '../verifies.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';

/** A line of the audit log, as far as it is compared. */
interface AuditLine {
  readonly type: string;
  readonly time: string;
  readonly requestId: string;
  readonly operations: readonly { name?: string; method: string; outcome?: string }[];
  readonly [member: string]: unknown;
}

describe('sample/operations', () => {
  let as: TestAuthorizationServer;
  let collector: OtlpCollector;
  let folder: string;
  let origin: string;
  let resource: string;
  let sample: SampleProcess;
  /** All tokens that were sent. */
  const tokens: string[] = ['not.a.token', 'token-in-the-query'];

  async function settings(): Promise<Record<string, string>> {
    const port = String(await freePort());
    origin = `http://127.0.0.1:${port}`;
    resource = `${origin}/notes`;
    return {
      MCP_RESOURCE: resource,
      MCP_ISSUER: as.issuer,
      MCP_CLIENT_ID: as.introspectionClient.clientId,
      MCP_CLIENT_SECRET: as.introspectionClient.clientSecret ?? '',
      PORT: port,
      AUDIT_FILE: join(folder, 'audit.log'),
      AUDIT_MAX_SIZE: '4k',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
    };
  }

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    collector = await OtlpCollector.start();
    folder = await mkdtemp(join(tmpdir(), 'audit-'));
    sample = await startSample('operations', 'Stop with Ctrl-C.', await settings());
  });

  afterAll(async () => {
    if (sample.child.exitCode === null) sample.child.kill('SIGKILL');
    await Promise.all([as.close(), collector.close(), rm(folder, { recursive: true })]);
  });

  const issue = async (subject: string, scopes: string[], changes: object = {}): Promise<string> => {
    const token = await as.issueToken({ audience: resource, scopes, sub: subject, ...changes });
    tokens.push(token);
    return token;
  };
  const message = (name: string) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: { secret: 'an-argument' } },
  });
  const post = (
    token: string | undefined,
    body: unknown,
    headers = {},
    path = '/notes',
  ): Promise<HttpAnswer> =>
    send(origin, path, {
      method: 'POST',
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      body,
    });
  const call = (token: string | undefined, name: string, headers = {}): Promise<HttpAnswer> =>
    post(token, message(name), headers);
  const get = (path: string): Promise<HttpAnswer> => send(origin, path);
  const logLines = (): Record<string, unknown>[] =>
    sample
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const TOO_MANY = { statusCode: 429, message: 'ThrottlerException: Too Many Requests' };

  async function auditLines(): Promise<AuditLine[]> {
    const files = (await readdir(folder)).sort((one, other) => numberOf(one) - numberOf(other));
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    return texts
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditLine);
  }

  it('answers a scripted morning', async () => {
    const ada = await issue('ada', ['notes:read', 'notes:write']);
    const bob = await issue('bob', ['notes:read'], { clientId: 'bobs-client' });
    const opaque = as.issueOpaqueToken({ audience: resource, scopes: ['notes:read'], sub: 'eve' });
    tokens.push(opaque);
    const list = await post(bob, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const { tools } = (list.json as { result: { tools: { name: string }[] } }).result;
    expect(tools).toHaveLength(3);
    for (const { name } of tools) expect(toolLabel({ kind: 'tool', name })).toBe(name);
    const statuses = [
      await call(ada, 'add_note', { traceparent: `00-${TRACE}-${CLIENT_SPAN}-01` }),
      await call(bob, 'count_notes'),
      await call(bob, 'add_note'),
      await call(opaque, 'count_notes'),
      await call('not.a.token', 'count_notes'),
      await call(undefined, 'count_notes'),
      await call(await issue('ada', ['notes:read'], { audience: origin }), 'count_notes'),
      await call(bob, 'no_such_tool_1'),
      await call(bob, 'no_such_tool_2'),
      list,
      await post(undefined, message('count_notes'), {}, '/notes?access_token=token-in-the-query'),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 403, 200, 401, 401, 401, 200, 200, 200, 401]);
  });

  verifies('OPS-40', 'serves decisions by tool and reason, and names of no tool share a label', async () => {
    const { status, headers, text } = await get('/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const decisions = text.split('\n').filter((line) => line.startsWith('mcp_auth_decisions_total'));
    expect(decisions.sort()).toEqual([
      'mcp_auth_decisions_total{tool="add_note",decision="denied",reason="insufficient_scope"} 1',
      'mcp_auth_decisions_total{tool="add_note",decision="granted",reason="none"} 1',
      'mcp_auth_decisions_total{tool="count_notes",decision="denied",reason="audience"} 1',
      'mcp_auth_decisions_total{tool="count_notes",decision="denied",reason="inactive"} 1',
      'mcp_auth_decisions_total{tool="count_notes",decision="denied",reason="missing_token"} 2',
      'mcp_auth_decisions_total{tool="count_notes",decision="granted",reason="none"} 2',
      'mcp_auth_decisions_total{tool="none",decision="granted",reason="none"} 1',
      'mcp_auth_decisions_total{tool="other",decision="granted",reason="none"} 2',
    ]);
  });

  verifies('OPS-40', 'serves the time of authentication, by its outcome', async () => {
    const { text } = await get('/metrics');
    const count = (outcome: string) =>
      sampleOf(text, `mcp_auth_authentication_seconds_count{outcome="${outcome}"}`);
    expect([count('succeeded'), count('failed')]).toEqual([7, 2]);
    expect(sampleOf(text, 'mcp_auth_authentication_seconds_bucket{le="10",outcome="succeeded"}')).toBe(7);
    const sum = sampleOf(text, 'mcp_auth_authentication_seconds_sum{outcome="succeeded"}');
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(20);
  });

  verifies('OPS-40', 'serves the state that the diagnostics report', async () => {
    const { text } = await get('/metrics');
    const { issuer } = as;
    expect(sampleOf(text, `mcp_auth_server_status{issuer="${issuer}",status="up"}`)).toBe(1);
    expect(sampleOf(text, `mcp_auth_server_status{issuer="${issuer}",status="down"}`)).toBe(0);
    for (const name of ['mcp_auth_keys_age_seconds', 'mcp_auth_metadata_age_seconds']) {
      expect(sampleOf(text, `${name}{issuer="${issuer}"}`)).toBeLessThan(120);
    }
  });

  verifies('OPS-40', 'serves what the caches found, and how many introspections run', async () => {
    const before = (await get('/metrics')).text;
    const lookups = (text: string, cache: string, result: string) =>
      sampleOf(text, `mcp_auth_cache_lookups_total{cache="${cache}",result="${result}"}`);
    // A token is cached when it is verified for the second time, and Bob sent his five times.
    expect(lookups(before, 'verified_tokens', 'hit')).toBe(3);
    expect(lookups(before, 'verified_tokens', 'miss')).toBeGreaterThan(4);
    const running = `mcp_auth_introspections{issuer="${as.issuer}",state="running"}`;
    expect(sampleOf(before, running)).toBe(0);
    expect(sampleOf(before, `mcp_auth_introspections{issuer="${as.issuer}",state="waiting"}`)).toBe(0);
    as.fail('introspection', { delayMs: 1000 });
    const slow = as.issueOpaqueToken({ audience: resource, scopes: ['notes:read'] });
    const answer = call(slow, 'count_notes');
    await expect.poll(async () => sampleOf((await get('/metrics')).text, running)).toBe(1);
    expect((await answer).status).toBe(200);
    as.recover();
    expect(sampleOf((await get('/metrics')).text, running)).toBe(0);
    // Introspection responses are not cached unless an option says so.
    expect(lookups(before, 'introspection', 'miss')).toBe(0);
  });

  verifies(
    'OPS-41',
    'the dashboard asks for metrics and labels that are served, and for all of them',
    async () => {
      const { text } = await get('/metrics');
      const file = new URL('../../sample/operations/grafana/dashboard.json', import.meta.url);
      const { panels } = JSON.parse(await readFile(file, 'utf8')) as {
        panels: { title: string; targets: { expr: string }[] }[];
      };
      const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      expect(queries.length).toBeGreaterThan(panels.length - 1);
      expect(queries.flatMap((query) => unknownNames(query, text))).toEqual([]);
      expect(unknownNames('sum by (tools) (rate(mcp_auth_decisions{resaon="x"}[5m]))', text)).toEqual([
        'mcp_auth_decisions',
        'tools',
        'resaon',
      ]);
      const served = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name);
      expect(served.filter((name) => !queries.some((query) => query.includes(name)))).toEqual([]);
      const readme = new URL('../../sample/operations/README.md', import.meta.url);
      const documented = (await readFile(readme, 'utf8')).match(/\bmcp_auth_\w+/g);
      expect(new Set(documented)).toEqual(new Set(served));
    },
  );

  verifies('OPS-42', 'readiness is up, and says which authorization server it is about', async () => {
    const server = { issuer: as.issuer, status: 'up' };
    const mcpAuth = { authorizationServers: [server], status: 'up' };
    const { status, json } = await get('/health/ready');
    expect([status, json]).toEqual([
      200,
      { status: 'ok', info: { mcpAuth }, error: {}, details: { mcpAuth } },
    ]);
    expect((await get('/health/live')).json).toEqual({ status: 'ok' });
  });

  verifies('OPS-44', 'limits calls of a tool by a caller, whatever a batch hides', async () => {
    const ada = await issue('ada-2', ['notes:read', 'notes:write']);
    const bob = await issue('bob-2', ['notes:read', 'notes:write']);
    for (let calls = 0; calls < 3; calls += 1) expect((await call(ada, 'purge_notes')).status).toBe(200);
    const { status, headers, json } = await call(ada, 'purge_notes');
    expect([status, json, headers['www-authenticate']]).toEqual([429, TOO_MANY, undefined]);
    expect(headers['retry-after']).toMatch(/^\d+$/);
    expect((await call(ada, 'add_note')).status).toBe(200);
    expect((await call(bob, 'purge_notes')).status).toBe(200);
    const batch = [1, 2, 3].map(() => message('purge_notes'));
    expect((await post(bob, batch)).status).toBe(429);
  });

  verifies('OPS-44', 'limits requests of a caller, and no others of the same address', async () => {
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    const ada = await issue('ada-3', ['notes:read']);
    for (let calls = 0; calls < 60; calls += 1) expect((await post(ada, list)).status).toBe(200);
    const rejected = await post(ada, list);
    expect([rejected.status, rejected.json]).toEqual([429, TOO_MANY]);
    // A further token of the same caller changes nothing.
    expect((await post(await issue('ada-3', ['notes:read']), list)).status).toBe(429);
    expect((await post(await issue('bob-3', ['notes:read']), list)).status).toBe(200);
  });

  verifies('OPS-44', 'limits an address before it authenticates, and no probes', async () => {
    const asked = as.requestCount('introspection');
    let answer = await call('guess', 'count_notes');
    for (let calls = 1; calls < 201 && answer.status === 401; calls += 1)
      answer = await call('guess', 'count_notes');
    const guesses = as.requestCount('introspection') - asked;
    const { status, headers, json } = await call('guess', 'count_notes');
    expect([status, json, headers['www-authenticate']]).toEqual([429, TOO_MANY, undefined]);
    expect(headers['retry-after']).toMatch(/^\d+$/);
    expect(guesses).toBeGreaterThan(50);
    expect(as.requestCount('introspection') - asked).toBe(guesses);
    const paths = [
      '/health/ready',
      '/health/live',
      '/metrics',
      '/.well-known/oauth-protected-resource/notes',
    ];
    for (const path of paths) expect((await get(path)).status).toBe(200);
  });

  verifies('OPS-42', 'readiness is degraded while keys are cached and their server is down', async () => {
    await as.goDown();
    const { issuer } = as;
    await expect
      .poll(async () => (await get('/health/ready')).json, { timeout: 15_000, interval: 500 })
      .toMatchObject({
        status: 'degraded',
        details: { mcpAuth: { status: 'degraded', authorizationServers: [{ issuer, status: 'stale' }] } },
      });
    expect((await get('/health/ready')).status).toBe(200);
    expect(
      sampleOf((await get('/metrics')).text, `mcp_auth_server_status{issuer="${issuer}",status="stale"}`),
    ).toBe(1);
    await as.comeBack();
  });

  verifies('OPS-43', 'the log has the request with its id, and no token', async () => {
    const lines = logLines();
    const requests = lines.filter(({ msg }) => msg === 'request completed') as unknown as {
      requestId?: string;
      req: { url: string; headers: Record<string, string> };
      res: { statusCode: number };
    }[];
    expect(requests[0]).toMatchObject({
      requestId: expect.stringMatching(/^[\w-]{36}$/),
      req: { method: 'POST', url: '/notes', headers: { authorization: '[Redacted]' } },
      res: { statusCode: 200 },
    });
    expect(requests[10]).toMatchObject({ req: { url: '/notes?…' }, res: { statusCode: 401 } });
    expect(requests.every(({ req }) => !/^\/(health|metrics)/.test(req.url))).toBe(true);
    expect(lines.some(({ context }) => context === 'McpAuth')).toBe(true);
    expectNoSecret(sample.output());
  });

  verifies('OPS-45', 'stops, and each line of the audit log is written before', async () => {
    await stopSample(sample);
    const files = await readdir(folder);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect(file).toMatch(/^audit\.([\d-]+\.)?\d+\.log$/);
    const lines = await auditLines();
    expectNoSecret(JSON.stringify(lines));
    const decisions = lines.filter(({ type }) => type !== 'request_completed').slice(0, 11);
    expect(decisions.map(summary)).toEqual([
      'bob tools/list granted',
      'ada add_note granted',
      'bob count_notes granted',
      'bob add_note insufficient_scope 403',
      'eve count_notes granted',
      '- count_notes inactive 401',
      '- count_notes missing_token 401',
      expect.stringMatching(/^(ada|-) count_notes audience 401$/),
      'bob no_such_tool_1 granted',
      'bob no_such_tool_2 granted',
      '- count_notes missing_token 401',
    ]);
    const first = lines.find(({ subject }) => subject === 'ada');
    expect(first).toEqual({
      log: 'audit',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      type: 'access_granted',
      requestId: expect.any(String),
      resource,
      route: 'NotesEndpoint.post',
      operations: [{ method: 'tools/call', kind: 'tool', name: 'add_note' }],
      issuer: as.issuer,
      subject: 'ada',
      clientId: expect.any(String),
      jti: expect.any(String),
      credential: 'bearer',
      remoteAddress: '127.0.0.1',
      traceparent: `00-${TRACE}-${CLIENT_SPAN}-01`,
      granted: ['notes:read', 'notes:write'],
    });
    const ends = lines.filter(({ type }) => type === 'request_completed');
    expect(ends.map(({ requestId }) => requestId)).toEqual(
      expect.arrayContaining(decisions.map(({ requestId }) => requestId)),
    );
    expect(ends.find(({ requestId }) => requestId === first?.requestId)).toMatchObject({
      status: 200,
      operations: [{ name: 'add_note', outcome: 'succeeded' }],
    });
    const logged = logLines().map(({ requestId }) => requestId);
    expect(logged).toContain(first?.requestId);
  });

  verifies('OPS-46', 'spans and metrics reach a collector by OTLP over HTTP', () => {
    const spans = collector.spans.filter(({ name }) => name === 'mcp.auth');
    const span = spans.find(({ traceId }) => traceId === TRACE);
    const parent = collector.spans.find(({ spanId }) => spanId === span?.parentSpanId);
    expect(parent).toMatchObject({ name: 'POST', traceId: TRACE, parentSpanId: CLIENT_SPAN });
    expect(span && attributesOf(span)).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'add_note',
      'enduser.id': 'ada',
      'nestjs_mcp_auth.decision': 'granted',
    });
    const reasons = new Set(spans.map((each) => attributesOf(each)['nestjs_mcp_auth.reason']));
    expect([...reasons].sort()).toEqual(
      [undefined, 'audience', 'inactive', 'insufficient_scope', 'missing_token'].sort(),
    );
    const names = new Set(collector.metrics.map(({ name }) => name));
    expect([...names]).toEqual(
      expect.arrayContaining([
        'nestjs_mcp_auth.decisions',
        'nestjs_mcp_auth.duration',
        'mcp.server.operation.duration',
        'http.server.request.duration',
      ]),
    );
    expectNoSecret(collector.received);
  });

  verifies(
    'OPS-42',
    'readiness is down until an authorization server answers for the first time',
    async () => {
      await as.goDown();
      const collectorIsDown = {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
        OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      };
      sample = await startSample('operations', 'Stop with Ctrl-C.', {
        ...(await settings()),
        ...collectorIsDown,
      });
      const { status, json } = await get('/health/ready');
      expect([status, json]).toMatchObject([
        503,
        {
          status: 'error',
          error: {
            mcpAuth: {
              status: 'down',
              authorizationServers: [{ issuer: as.issuer, status: 'down', lastFailure: expect.any(String) }],
            },
          },
        },
      ]);
      expect((await get('/health/live')).status).toBe(200);
      const ada = await issue('ada', ['notes:read']);
      expect((await call(ada, 'count_notes')).status).toBe(503);
      await as.comeBack();
      await expect
        .poll(async () => (await get('/health/ready')).status, { timeout: 15_000, interval: 500 })
        .toBe(200);
      expect((await call(ada, 'count_notes')).status).toBe(200);
      await stopSample(sample);
    },
  );

  function expectNoSecret(text: string): void {
    for (const token of tokens) expect(text).not.toContain(token);
    expect(text).not.toContain('an-argument');
    expect(text).not.toContain(as.introspectionClient.clientSecret);
  }
});

/** The value of a sample in the text format of Prometheus; NaN if there is none. */
function sampleOf(text: string, sample: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1) ?? NaN);
}

/** The metrics and labels of a query that no sample has. */
function unknownNames(query: string, text: string): string[] {
  const metrics = new Set([...text.matchAll(/^(\w+)[{ ]/gm)].map(([, name]) => name));
  const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, name]) => name));
  const asked = query.match(/\bmcp_auth_\w+/g) ?? ['(no metric)'];
  const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(/,\s*/));
  const selected = [...query.matchAll(/[{,]\s*(\w+)\s*[!=]/g)].map(([, name = '']) => name);
  return [
    ...asked.filter((name) => !metrics.has(name)),
    ...[...grouped, ...selected].filter((name) => !labels.has(name)),
  ];
}

function numberOf(file: string): number {
  return Number(/(\d+)\.log$/.exec(file)?.[1]);
}

function summary({ type, subject, operations, reason, status }: AuditLine): string {
  const [operation] = operations;
  const called = operation?.name ?? operation?.method ?? '-';
  const decision = type === 'access_granted' ? 'granted' : `${String(reason)} ${String(status)}`;
  return `${typeof subject === 'string' ? subject : '-'} ${called} ${decision}`;
}
