import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import type { startOpenTelemetry as Start } from '../../sample/operations/src/opentelemetry.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const OTHER_TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENT_SPAN = '00f067aa0ba902b7';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe('sample/operations with OpenTelemetry in memory', () => {
  let as: TestAuthorizationServer;
  let app: INestApplication;
  let folder: string;
  let origin: string;
  let resource: string;
  let startOpenTelemetry: typeof Start;
  let telemetry: ReturnType<typeof Start>;
  let spans: InMemorySpanExporter;
  let metricExporter: InMemoryMetricExporter;
  let reader: PeriodicExportingMetricReader;
  /** One for all tests: a further one would not be told of the module that is loaded. */
  const http = new HttpInstrumentation();

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    folder = await mkdtemp(join(tmpdir(), 'audit-'));
    const port = await freePort();
    origin = `http://127.0.0.1:${String(port)}`;
    resource = `${origin}/notes`;
    Object.assign(process.env, {
      MCP_RESOURCE: resource,
      MCP_ISSUER: as.issuer,
      MCP_CLIENT_ID: as.introspectionClient.clientId,
      MCP_CLIENT_SECRET: as.introspectionClient.clientSecret,
      AUDIT_FILE: join(folder, 'audit.log'),
      LOG_LEVEL: 'silent',
    });
    ({ startOpenTelemetry } = await import('../../sample/operations/src/opentelemetry.js'));
    const { startOperationsServer } = await import('../../sample/operations/src/start.js');
    app = await startOperationsServer(port);
  });

  beforeEach(() => {
    spans = new InMemorySpanExporter();
    metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
  });

  afterEach(async () => {
    await telemetry.stop();
    for (const api of [trace, context, propagation, metrics]) api.disable();
  });

  afterAll(async () => {
    await app.close();
    await as.close();
    await rm(folder, { recursive: true });
  });

  const begin = (instrumentations: Instrumentation[] = [http]): void => {
    const to = { spans: new SimpleSpanProcessor(spans), metrics: reader };
    for (const each of instrumentations) each.enable(); // again, after the test before
    telemetry = startOpenTelemetry(to, instrumentations);
  };
  const issue = (changes: object = {}): Promise<string> =>
    as.issueToken({ audience: resource, scopes: ['notes:read'], sub: 'ada', clientId: 'c1', ...changes });
  const post = (token: string | undefined, body: unknown, headers = {}): Promise<HttpAnswer> =>
    send(origin, '/notes', {
      method: 'POST',
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      body,
    });
  const message = (name: string, meta?: object) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: { secret: 'an-argument' }, ...(meta && { _meta: meta }) },
  });
  const finished = (name: string): ReadableSpan[] =>
    spans.getFinishedSpans().filter((span) => span.name === name);
  /** The one span `mcp.auth`. The HTTP span ends after the client has its answer. */
  const theSpan = (): ReadableSpan => {
    const [span, ...others] = finished('mcp.auth');
    if (!span || others.length > 0) throw new Error(`${String(others.length + (span ? 1 : 0))} spans`);
    return span;
  };

  verifies(
    'OPS-47',
    'a granted call is a span below that of the HTTP request, with its attributes',
    async () => {
      begin();
      const headers = { 'mcp-protocol-version': '2025-11-25' };
      expect((await post(await issue(), message('count_notes'), headers)).status).toBe(200);
      await expect.poll(() => finished('POST')).toHaveLength(1);
      const [ofRequest] = finished('POST');
      const span = theSpan();
      expect(span.parentSpanContext?.spanId).toBe(ofRequest?.spanContext().spanId);
      expect([span.kind, span.status.code, span.links]).toEqual([
        SpanKind.INTERNAL,
        SpanStatusCode.UNSET,
        [],
      ]);
      expect(span.attributes).toEqual({
        'client.address': '127.0.0.1',
        'enduser.id': 'ada',
        'gen_ai.tool.name': 'count_notes',
        'mcp.method.name': 'tools/call',
        'mcp.protocol.version': '2025-11-25',
        'network.transport': 'tcp',
        'nestjs_mcp_auth.client_id': 'c1',
        'nestjs_mcp_auth.credential': 'bearer',
        'nestjs_mcp_auth.decision': 'granted',
        'nestjs_mcp_auth.granted_scopes': ['notes:read'],
        'nestjs_mcp_auth.issuer': as.issuer,
        'nestjs_mcp_auth.operations': 1,
        'nestjs_mcp_auth.request_id': expect.stringMatching(UUID),
        'nestjs_mcp_auth.resource': resource,
        'nestjs_mcp_auth.route': 'NotesEndpoint.post',
      });
      const [seconds, nanoseconds] = span.duration;
      expect(seconds * 1e9 + nanoseconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThan(10);
    },
  );

  verifies('OPS-47', 'a denied call says why and what it needs, and is no error of the server', async () => {
    begin();
    expect((await post(await issue(), message('add_note'))).status).toBe(403);
    const { attributes, status } = theSpan();
    expect(status.code).toBe(SpanStatusCode.UNSET);
    expect(attributes).toMatchObject({
      'gen_ai.tool.name': 'add_note',
      'http.response.status_code': 403,
      'nestjs_mcp_auth.decision': 'denied',
      'nestjs_mcp_auth.reason': 'insufficient_scope',
      'nestjs_mcp_auth.granted_scopes': ['notes:read'],
      'nestjs_mcp_auth.required_scopes': ['notes:read', 'notes:write'],
    });
    expect(attributes).not.toHaveProperty('error.type');
  });

  verifies(
    'OPS-47',
    'a token that cannot be verified makes the span an error, and no token is in it',
    async () => {
      begin();
      as.fail('introspection', { status: 500 });
      const opaque = as.issueOpaqueToken({ audience: resource, scopes: ['notes:read'] });
      expect((await post(opaque, message('count_notes'))).status).toBe(503);
      as.recover();
      const span = theSpan();
      expect(span.status.code).toBe(SpanStatusCode.ERROR);
      expect(span.attributes).toMatchObject({
        'error.type': 'unavailable',
        'http.response.status_code': 503,
        'nestjs_mcp_auth.reason': 'unavailable',
      });
      expect(span.attributes).not.toHaveProperty('enduser.id');
      const all = JSON.stringify(
        spans.getFinishedSpans().map(({ attributes, events }) => [attributes, events]),
      );
      expect(all).not.toContain(opaque);
      expect(all).not.toContain('an-argument');
    },
  );

  verifies('OPS-47', 'belongs to the trace of the header, and links that of the message', async () => {
    begin();
    const traceparent = `00-${TRACE}-${CLIENT_SPAN}-01`;
    await post(await issue(), message('count_notes'), { traceparent });
    await post(await issue(), message('count_notes', { traceparent: `00-${OTHER_TRACE}-${CLIENT_SPAN}-01` }));
    const [first, second] = finished('mcp.auth');
    expect([first?.spanContext().traceId, first?.links]).toEqual([TRACE, []]);
    expect(second?.spanContext().traceId).not.toBe(OTHER_TRACE);
    expect(second?.links).toMatchObject([{ context: { traceId: OTHER_TRACE, spanId: CLIENT_SPAN } }]);
  });

  verifies('OPS-47', 'without a span of the HTTP request, its parent is the span of the client', async () => {
    begin([]);
    await post(await issue(), message('count_notes'), { traceparent: `00-${TRACE}-${CLIENT_SPAN}-01` });
    await post(await issue(), message('count_notes', { traceparent: `00-${OTHER_TRACE}-${CLIENT_SPAN}-01` }));
    await post(await issue(), message('count_notes'), { traceparent: `00-${TRACE}-${CLIENT_SPAN}` });
    const [first, second, third] = finished('mcp.auth');
    expect(first?.spanContext().traceId).toBe(TRACE);
    expect(second?.spanContext().traceId).toBe(OTHER_TRACE);
    expect(second?.parentSpanContext).toMatchObject({ spanId: CLIENT_SPAN, isRemote: true });
    expect(third?.parentSpanContext).toBeUndefined();
    expect(finished('POST')).toEqual([]);
  });

  verifies('OPS-47', 'counts decisions, and measures them and the operations', async () => {
    begin();
    await post(await issue(), message('count_notes'));
    await post(await issue(), message('add_note'));
    await post(undefined, message('invented'));
    await expect.poll(() => finished('POST')).toHaveLength(3);
    await reader.forceFlush();
    const [, decided] = pointsOf('nestjs_mcp_auth.decisions');
    expect(decided).toEqual([
      [{ 'nestjs_mcp_auth.decision': 'granted', 'gen_ai.tool.name': 'count_notes' }, 1],
      [
        {
          'nestjs_mcp_auth.decision': 'denied',
          'nestjs_mcp_auth.reason': 'insufficient_scope',
          'gen_ai.tool.name': 'add_note',
        },
        1,
      ],
      [
        {
          'nestjs_mcp_auth.decision': 'denied',
          'nestjs_mcp_auth.reason': 'missing_token',
          'gen_ai.tool.name': 'other',
        },
        1,
      ],
    ]);
    const [unit, operations] = pointsOf('mcp.server.operation.duration');
    expect([unit, operations]).toMatchObject([
      's',
      [
        [{ 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'count_notes' }, { count: 1 }],
        [{ 'gen_ai.tool.name': 'add_note', 'error.type': 'denied' }, { count: 1 }],
        [{ 'gen_ai.tool.name': 'other', 'error.type': 'denied' }, { count: 1 }],
      ],
    ]);
    expect(pointsOf('nestjs_mcp_auth.duration')).toMatchObject([
      's',
      [
        [{}, { count: 1 }],
        [{}, { count: 1 }],
        [{}, { count: 1 }],
      ],
    ]);
  });

  it('ends with the telemetry', async () => {
    begin();
    await telemetry.stop();
    await post(await issue(), message('count_notes'));
    expect(spans.getFinishedSpans()).toEqual([]);
  });

  /** The unit of a metric, and each of its points as its attributes and its value. */
  function pointsOf(name: string): [string | undefined, [object, unknown][]] {
    const all = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    const metric = all.flatMap((scope) => scope.metrics).find(({ descriptor }) => descriptor.name === name);
    return [
      metric?.descriptor.unit,
      (metric?.dataPoints ?? []).map(({ attributes, value }) => [attributes, value]),
    ];
  }
});
