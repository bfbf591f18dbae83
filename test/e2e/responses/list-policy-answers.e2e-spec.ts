import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { Injectable } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpHandlerSource } from 'nestjs-mcp-auth';
import { RecordingLogger, type RunningApp, start, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { MCP_HEADERS } from '../../fixtures/mcp-endpoint.js';
import { message } from '../../fixtures/operations-app.js';
import { NOTES } from '../../fixtures/resources.js';
import { sdkController } from '../../fixtures/transport-servers.js';
import { verifies } from '../../verifies.js';

@Injectable()
class Declared extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'tool', name: 'open', requirements: [] },
      { kind: 'tool', name: 'purge', requirements: ['notes:admin'] },
      { kind: 'tool', name: 'löschen', requirements: ['notes:admin'] },
    ] as const;
  }
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

/** What the server behind the guard does, by hand. */
let answer: Answer;

const endpoint = sdkController(async (request, response) => {
  await answer(response, request);
});

const TOOLS = [{ name: 'open', title: '🔓 é' }, { name: 'purge' }, { name: 'löschen' }];
const OPEN = TOOLS.slice(0, 1);

const result = (tools: unknown, more: object = {}, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  result: { tools, ...more },
});

const REJECTED = { code: -32603, message: 'The list cannot be given' };
const LIST = message('tools/list', {});
const OLDEST = { 'mcp-protocol-version': '2025-03-26' };

/** An answer of JSON in these pieces, with its length told or not. */
const jsonIn =
  (pieces: readonly (string | Buffer)[], headers: Record<string, string | number> = {}): Answer =>
  (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', ...headers });
    for (const piece of pieces) response.write(piece);
    response.end();
  };

const eventsIn =
  (...pieces: (string | Buffer)[]): Answer =>
  (response) => {
    response.writeHead(200, 'Fine', { 'content-type': 'text/event-stream', 'X-Own': 'kept' });
    response.flushHeaders();
    for (const piece of pieces) response.write(piece);
    response.end();
  };

describe('answers whose lists are rewritten', () => {
  let as: LoopbackAuthorizationServer;
  let hiding: RunningApp;
  let marking: RunningApp;
  let log: RecordingLogger;

  const options = (listPolicy: 'show' | 'hide') => ({
    resources: { resource: NOTES, authorizationServers: [as.issuer] },
    listPolicy,
    toolSecuritySchemes: listPolicy === 'show',
  });
  const parts = { controllers: [endpoint], providers: [Declared] };

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    log = new RecordingLogger();
    marking = await startApp(options('show'), parts);
    // The last one, as all apps of a process log to the same place.
    hiding = await startApp(options('hide'), { ...parts, log });
  });

  afterAll(async () => {
    await hiding.close();
    await marking.close();
    await as.close();
  });

  beforeEach(() => {
    log.errors.length = 0;
  });

  const bearer = async () => ({
    authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}`,
  });

  async function ask(app: RunningApp, by: Answer, body: unknown = LIST, more: Record<string, string> = {}) {
    answer = by;
    const headers = { ...MCP_HEADERS, ...(await bearer()), ...more };
    return app.send('/notes', { method: 'POST', headers, body });
  }

  async function listen(app: RunningApp, by: Answer, more: Record<string, string> = {}) {
    answer = by;
    const headers = { ...MCP_HEADERS, ...(await bearer()), accept: 'text/event-stream', ...more };
    return app.send('/notes', { headers });
  }

  verifies(['SCP-23', 'F74'], 'are JSON in whatever pieces it comes, with the right length', async () => {
    const text = Buffer.from(JSON.stringify(result(TOOLS)));
    const bytes = [...text].map((byte) => Buffer.from([byte]));
    const sends: Answer[] = [
      jsonIn([text]),
      jsonIn(bytes),
      jsonIn([text], { 'content-length': text.length, ETag: '"1"' }),
      (response) => void response.setHeader('content-type', 'application/json; charset=utf-8').end(text),
      (response) => void response.end(text.toString('latin1'), 'latin1'),
      (response) => void response.end(new Uint8Array(text)),
      (response) => void response.writeHead(200, ['Content-Length', String(text.length)]).end(text),
      (response) => {
        response.setHeader('content-type', 'application/json');
        response.setHeader('transfer-encoding', 'chunked');
        response.end(text);
      },
    ];
    for (const by of sends) {
      const { status, headers, json, text: sent } = await ask(hiding, by);
      expect([status, json]).toEqual([200, result(OPEN)]);
      expect(headers.etag).toBeUndefined();
      expect(headers['content-length'] ?? String(Buffer.byteLength(sent))).toBe(
        String(Buffer.byteLength(sent)),
      );
      expect(headers.connection).toBe('keep-alive');
    }
  });

  verifies(['SCP-23', 'F74'], 'keep all bytes where there is nothing to hide', async () => {
    const odd =
      '{ "jsonrpc":"2.0","id":1,\n "result": {"tools": [ {"name":"open","n":1.0} ],"nextCursor":"a"} }';
    const bodies = [
      odd,
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"No \\u0062"}}',
      '{"jsonrpc":"2.0","id":1,"result":{"tools":{"name":"purge"}}}',
      '{"jsonrpc":"2.0","id":1,"result":{"content":[{"name":"purge"}]}}',
      '  {"jsonrpc":"2.0","id":1,"result":null}',
      'null',
      '',
    ];
    for (const body of bodies) {
      const { status, headers, text } = await ask(hiding, jsonIn([body], { ETag: '"1"', 'X-Own': 'kept' }));
      expect([status, text]).toEqual([200, body]);
      expect(headers).toMatchObject({ etag: '"1"', 'x-own': 'kept' });
    }
    for (const method of ['tools/call', 'tools/lists', 'Tools/list', 'resources/read']) {
      const whole = JSON.stringify(result(TOOLS));
      const params = { name: 'open', uri: 'a://b' };
      expect((await ask(hiding, jsonIn([whole]), message(method, params))).text).toBe(whole);
    }
  });

  verifies(['SCP-23', 'F74'], 'are answers of a batch, each by what it holds and not by its id', async () => {
    const batch = [message('ping', {}), LIST, { jsonrpc: '2.0', method: 'notifications/initialized' }];
    const answers = [
      { jsonrpc: '2.0', id: 2, result: {} },
      result(TOOLS, {}, '1'),
      result(TOOLS, { nextCursor: 'n' }, 7),
    ];
    const { json } = await ask(hiding, jsonIn([JSON.stringify(answers)]), batch, OLDEST);
    expect(json).toEqual([answers[0], result(OPEN, {}, '1'), result(OPEN, { nextCursor: 'n' }, 7)]);
  });

  verifies(['SCP-23', 'F74'], 'leave pages as they are, also those that become empty', async () => {
    const page = result([{ name: 'purge' }], { nextCursor: 'next', other: 1 });
    const { json } = await ask(hiding, jsonIn([JSON.stringify(page)]));
    expect(json).toEqual(result([], { nextCursor: 'next', other: 1 }));
  });

  verifies(['SCP-23', 'F74'], 'have no entry that nobody could call', async () => {
    const odd = [null, 'purge', {}, { name: 1 }, { name: ['open'] }, ...OPEN, { name: 'constructor' }];
    const { json } = await ask(hiding, jsonIn([JSON.stringify(result(odd))]));
    expect(json).toEqual(result([...OPEN, { name: 'constructor' }]));
    const { json: marked } = await ask(marking, jsonIn([JSON.stringify(result(odd))]));
    expect((marked as { result: { tools: unknown[] } }).result.tools.slice(0, 5)).toEqual(odd.slice(0, 5));
  });

  verifies(['SCP-23', 'F74'], 'are single events of a stream, whose other bytes stay', async () => {
    const before =
      ': keep-alive\n\nid: 0\ndata: \n\nevent: message\r\ndata: {"method":"notifications/tools/list_changed"}\r\n\r\n';
    const after = 'data: {"jsonrpc":"2.0",\ndata: "id":2,"result":{}}\n\nevent: ping\ndata: now\n\n: end';
    const list = JSON.stringify(result(TOOLS));
    // Lines end between the members.
    const at = list.indexOf(',"result"') + 1;
    const event = `event: message\nid: 7\n: é\ndata:${list.slice(0, at)}\ndata:${list.slice(at)}\n\n`;
    const whole = Buffer.from(before + event + after);
    const expected = `${before}event: message\nid: 7\n: é\ndata: ${JSON.stringify(result(OPEN))}\n\n${after}`;
    for (const pieces of [[whole], [...whole].map((byte) => Buffer.from([byte]))]) {
      const { text, headers, status } = await ask(hiding, eventsIn(...pieces));
      expect([status, text]).toEqual([200, expected]);
      expect(headers).toMatchObject({ 'x-own': 'kept', 'content-type': 'text/event-stream' });
    }
  });

  verifies(['SCP-23', 'F74'], 'are streams that go out as they come', async () => {
    let goOn: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => (goOn = resolve));
    answer = async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"method":"notifications/progress"}\n\n');
      await seen;
      response.write(`data: ${JSON.stringify(result(TOOLS))}\n\n`, () => response.end());
    };
    const response = await fetch(new URL('/notes', hiding.origin), {
      method: 'POST',
      headers: { ...MCP_HEADERS, ...(await bearer()), 'content-type': 'application/json' },
      body: JSON.stringify(LIST),
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe('data: {"method":"notifications/progress"}\n\n');
    goOn();
    expect((await reader.read()).value).toBe(`data: ${JSON.stringify(result(OPEN))}\n\n`);
    expect((await reader.read()).done).toBe(true);
  });

  verifies(['SCP-23', 'F74'], 'are given once more on a stream that is opened by GET', async () => {
    const changed = 'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n';
    const stream = `id: 1\n${changed}id: 2\ndata: ${JSON.stringify(result(TOOLS))}\n\n`;
    const expected = `id: 1\n${changed}id: 2\ndata: ${JSON.stringify(result(OPEN))}\n\n`;
    expect((await listen(hiding, eventsIn(stream), { 'last-event-id': '0' })).text).toBe(expected);
    expect((await listen(hiding, eventsIn(stream), { accept: '*/*' })).text).toBe(expected);
    // Anything else that is got is none of MCP.
    const page = JSON.stringify(result(TOOLS));
    expect((await listen(hiding, jsonIn([page]))).text).toBe(page);
    expect((await listen(hiding, eventsIn('data: no JSON\n\n'))).text).toBe('');
  });

  verifies(
    ['SCP-23', 'F74'],
    'are rejected where they cannot be read, and never sent as they are',
    async () => {
      const list = JSON.stringify(result(TOOLS));
      const rejected = { jsonrpc: '2.0', id: 1, error: REJECTED };
      const unreadable: Answer[] = [
        jsonIn([list, ',']),
        jsonIn([list.slice(0, -1)]),
        jsonIn([`\uFEFF${list}`]),
        jsonIn([gzipSync(list)], { 'Content-Encoding': 'gzip' }),
        jsonIn([gzipSync(list)]),
        jsonIn([`data: ${list}\n\n`]),
        (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${list}`),
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'br' });
          response.write(list);
          response.end(list);
        },
      ];
      for (const by of unreadable) {
        const { status, headers, json } = await ask(hiding, by);
        expect([status, json]).toEqual([500, rejected]);
        expect(headers).toMatchObject({ 'content-type': 'application/json' });
        expect(headers['content-encoding']).toBeUndefined();
      }
      expect(log.errors).toHaveLength(unreadable.length);
      expect(new Set(log.errors)).toEqual(
        new Set([
          `Answered with an error for ${NOTES}: a list was not given, as the answer is no JSON, is encoded, or has more than ` +
            '4194304 bytes',
        ]),
      );
      const batch = [LIST, { ...LIST, id: 'b' }, { jsonrpc: '2.0', method: 'notifications/initialized' }];
      const { json } = await ask(hiding, jsonIn(['no']), batch, OLDEST);
      expect(json).toEqual([rejected, { ...rejected, id: 'b' }]);
      // Where nothing is hidden there is nothing to keep.
      for (const by of unreadable.slice(0, 7)) {
        expect((await ask(marking, by)).status).toBe(200);
      }
      expect((await ask(marking, jsonIn([list, ',']))).text).toBe(`${list},`);
    },
  );

  verifies(['SCP-23', 'F74'], 'are rejected in the stream once that has begun', async () => {
    const rejected = JSON.stringify({ jsonrpc: '2.0', id: 1, error: REJECTED });
    const list = JSON.stringify(result(TOOLS));
    const changed = 'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n';
    for (const bad of [`${list},`, list.slice(1)]) {
      const { status, text } = await ask(hiding, eventsIn(changed, `id: 3\ndata: ${bad}\n\n`, changed));
      expect([status, text]).toEqual([200, `${changed}id: 3\ndata: ${rejected}\n\n${changed}`]);
    }
    // One that never ends is cut off by no blank line, and read all the same.
    expect((await ask(hiding, eventsIn(`data: ${list}`))).text).toBe(`data: ${JSON.stringify(result(OPEN))}`);
    expect((await ask(hiding, eventsIn(`data: ${list.slice(1)}`))).text).toBe(`data: ${rejected}`);
    expect((await ask(marking, eventsIn(`data: ${list.slice(1)}\n\n`))).text).toBe(
      `data: ${list.slice(1)}\n\n`,
    );
  });

  verifies(['SCP-23', 'F74'], 'are read up to a size, and rejected above it', async () => {
    const tool = { name: 'open', description: 'x'.repeat(1_000_000) };
    const fits = JSON.stringify(result([tool, tool, tool, { name: 'purge' }]));
    expect((await ask(hiding, jsonIn([fits]))).json).toEqual(result([tool, tool, tool]));
    const huge = JSON.stringify(result([tool, tool, tool, tool, tool, { name: 'purge' }]));
    const pieces = [huge.slice(0, 3_000_000), huge.slice(3_000_000)];
    const rejected = { jsonrpc: '2.0', id: 1, error: REJECTED };
    for (const by of [jsonIn(pieces), jsonIn([...pieces, 'more'], { 'Content-Length': huge.length + 4 })]) {
      const { status, json } = await ask(hiding, by);
      expect([status, json]).toEqual([500, rejected]);
    }
    const { text } = await ask(hiding, eventsIn(`data: ${pieces[0]!}`, `${pieces[1]!}\n\n`, ': on\n\n'));
    expect(text).toBe(`data: ${JSON.stringify(rejected)}\n\n: on\n\n`);
    expect((await ask(marking, jsonIn(pieces))).text).toBe(huge);
    const event = `data: ${huge}\n\n`;
    expect((await ask(marking, eventsIn(event, ': on\n\n'))).text).toBe(`${event}: on\n\n`);
  });

  verifies(['SCP-23', 'F74'], 'are passed on where the server rejects', async () => {
    const by: Answer = (response) => void response.writeHead(503, { 'retry-after': '1' }).end('later');
    const { status, text, headers } = await ask(hiding, by);
    expect([status, text, headers['retry-after']]).toEqual([503, 'later', '1']);
    expect((await ask(hiding, (response) => void response.writeHead(202).end())).status).toBe(202);
    expect((await ask(hiding, (response) => void response.writeHead(204).end())).status).toBe(204);
  });

  verifies(['SCP-23', 'F74'], 'let the server use them like any other response', async () => {
    const told: unknown[] = [];
    await ask(hiding, (response) => {
      told.push(response.headersSent);
      response.writeHead(200, { 'content-type': 'application/json' });
      told.push(response.headersSent);
      expect(() => response.writeHead(500)).toThrow('Cannot write headers after they are sent');
      response.write(JSON.stringify(result(TOOLS)), () => {
        told.push('written');
        response.end(() => told.push('ended'));
        told.push(response.writableEnded);
        response.end();
      });
    });
    await expect.poll(() => told).toEqual([false, true, 'written', true, 'ended']);
    const { status, text } = await ask(hiding, (response) => {
      response.write('x'.repeat(5_000_000));
      response.write('more', () => told.push('dropped'));
      response.end(() => told.push('closed'));
    });
    expect([status, text]).toEqual([500, JSON.stringify({ jsonrpc: '2.0', id: 1, error: REJECTED })]);
    await expect.poll(() => told.slice(5)).toEqual(['dropped', 'closed']);
  });

  verifies(['SCP-23', 'F74'], 'are not asked for compressed, while others are', async () => {
    const seen: unknown[] = [];
    const by: Answer = (response, { headers }) => {
      seen.push(headers['accept-encoding']);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    };
    const gzip = { 'accept-encoding': 'gzip' };
    await ask(hiding, by, LIST, gzip);
    await ask(hiding, by, message('tools/call', { name: 'open' }), gzip);
    await listen(hiding, by, gzip);
    await listen(hiding, by, { ...gzip, accept: 'application/json' });
    expect(seen).toEqual([undefined, 'gzip', undefined, 'gzip']);
    const early = await start({ ...options('hide'), earlyAuthentication: true }, parts);
    await ask(early, by, LIST, gzip);
    await ask(early, by, message('tools/call', { name: 'open' }), gzip);
    expect(seen.slice(4)).toEqual([undefined, 'gzip']);
    const page = JSON.stringify(result(TOOLS));
    expect((await ask(early, jsonIn([page]), message('tools/call', { name: 'open' }))).text).toBe(page);
    expect((await ask(early, jsonIn([page]))).json).toEqual(result(OPEN));
  });

  verifies(
    ['SCP-23', 'F74'],
    'are private to their caller where results say how they are cached',
    async () => {
      const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
      const text = (more: object) => JSON.stringify(result(OPEN, more));
      for (const app of [hiding, await start({ ...options('hide'), toolSecuritySchemes: true }, parts)]) {
        const sent = async (more: object, headers?: Record<string, string>) => {
          const { json } = await ask(app, jsonIn([text(more)]), LIST, headers);
          return (json as { result: Record<string, unknown> }).result['cacheScope'];
        };
        expect(await sent({ cacheScope: 'public', ttlMs: 1 }, modern)).toBe('private');
        expect(await sent({ cacheScope: 'public', ttlMs: 1, nextCursor: 'a' }, modern)).toBe('private');
        expect(await sent({}, modern)).toBe('private');
        expect(await sent({ cacheScope: 'public', ttlMs: 1 })).toBe('private');
        expect(await sent({})).toBeUndefined();
      }
      const call = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [], cacheScope: 'public' } });
      expect((await ask(hiding, jsonIn([call]), LIST, modern)).text).toBe(call);
    },
  );

  it.each([
    ['show', 'public', 2],
    ['hide', 'private', 1],
  ] as const)(
    'with %s are %s from the SDK v2, whose server says public',
    async (listPolicy, scope, count) => {
      const handler = toNodeHandler(
        createMcpHandler(() => {
          const cacheHints = { 'tools/list': { cacheScope: 'public' as const, ttlMs: 1000 } };
          const server = new McpServer({ name: 'notes', version: '1.0.0' }, { cacheHints });
          server.registerTool('open', {}, () => ({ content: [] }));
          server.registerTool('purge', {}, () => ({ content: [] }));
          return server;
        }),
      );
      const controller = sdkController((request, response, body) =>
        handler(request as Parameters<typeof handler>[0], response, body),
      );
      const app = await start(options(listPolicy), { ...parts, controllers: [controller] });
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
      const { text, json } = await ask(app, () => undefined, message('tools/list', { _meta }), headers);
      const body = (json ?? JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? 'null')) as {
        result: { tools: unknown[] };
      };
      expect(body.result).toMatchObject({ cacheScope: scope, ttlMs: 1000, resultType: 'complete' });
      expect(body.result.tools).toHaveLength(count);
    },
  );
});
