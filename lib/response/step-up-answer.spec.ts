import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type HttpAnswer, send } from '../../test/fixtures/http.js';
import { StepUpAnswer, type SteppedUp } from './step-up-answer.js';
import { explained } from './step-up-messages.js';
import { transformResponse } from './transform-response.js';

const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call' };
const FAILED = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { isError: true, content: [] } });
const GOOD = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [] } });

/** What a client gets where an answer is held and then written like this. */
async function answered(
  write: (response: ServerResponse) => void,
  body: unknown = CALL,
  { isCurrent = true, says }: { isCurrent?: boolean; says?: string } = {},
): Promise<HttpAnswer> {
  const stepUp: SteppedUp = {
    body,
    isCurrent,
    isThrown: says === undefined,
    isSaidIn: (text) => says === undefined || text.includes(says),
    rejection: () => ({
      status: 403,
      headers: { 'WWW-Authenticate': 'Bearer' },
      body: { error: 'e', error_description: 'd' },
    }),
    explained: (message) => explained(message, 'because'),
  };
  const listener: RequestListener = (_, response) => {
    transformResponse(response, new StepUpAnswer(stepUp));
    write(response);
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await send(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, '/');
  } finally {
    server.close();
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS = { 'content-type': 'text/event-stream' };

describe('StepUpAnswer', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['a status of failure', (response) => response.writeHead(500).end('x')],
    ['a status that is set before', (response) => Object.assign(response, { statusCode: 404 }).end()],
    ['JSON in one piece', (response) => response.writeHead(200, JSON_TYPE).end(FAILED)],
    [
      'JSON in pieces',
      (response) => {
        response.setHeader('Content-Type', 'application/json; charset=utf-8');
        response.setHeader('Content-Length', FAILED.length);
        response.write(FAILED.slice(0, 9));
        response.write(Buffer.from(FAILED.slice(9, 20)), () => undefined);
        response.end(FAILED.slice(20), 'utf8', () => undefined);
      },
    ],
    ['a message beside the status', (response) => response.writeHead(200, 'Fine', JSON_TYPE).end(FAILED)],
    [
      'a flat list of headers',
      (response) => response.writeHead(200, ['Content-Type', 'application/json']).end(FAILED),
    ],
    [
      'an event, and events after it',
      (response) => {
        response.writeHead(200, EVENTS).flushHeaders();
        response.write(': hello\n\n');
        response.write(`data: ${FAILED}\n\n`);
        response.write('data: more\n\n');
        response.writeHead(200).end('data: end\n\n');
      },
    ],
    [
      'an event in pieces, with data in several lines that end with CR LF',
      (response) => {
        response.writeHead(200, EVENTS);
        for (const piece of `\uFEFFdata: ${FAILED.replace(',', ',\r\ndata: ')}\r\n\r\n`)
          response.write(piece);
        response.end();
      },
    ],
    [
      'a flushed status',
      (response) => {
        response.statusCode = 500;
        response.flushHeaders();
        response.end();
      },
    ],
  ])('replaces %s', async (_, write) => {
    const answer = await answered(write);
    expect([answer.status, answer.json]).toEqual([403, { error: 'e', error_description: 'd' }]);
    expect(answer.headers).toMatchObject({
      'www-authenticate': 'Bearer',
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(answer.text.length),
    });
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['a good answer', (response) => response.writeHead(200, JSON_TYPE).end(GOOD), GOOD],
    [
      'another type',
      (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(FAILED),
      FAILED,
    ],
    [
      'no type',
      (response) => {
        response.write('a');
        response.end('b');
      },
      'ab',
    ],
    [
      'an encoded body',
      (response) => response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'br' }).end(FAILED),
      FAILED,
    ],
    ['nothing', (response) => response.writeHead(202).end(), ''],
    ['comments', (response) => response.writeHead(200, EVENTS).end(': hello\n\n'), ': hello\n\n'],
    [
      'a stream that goes on',
      (response) => {
        response.writeHead(200, EVENTS).write(': hello\n\n');
        response.write('data: {"jsonrpc":"2.0","method":"a"}\n\n');
        response.end(`data: ${GOOD}\n\n`);
      },
      `: hello\n\ndata: {"jsonrpc":"2.0","method":"a"}\n\ndata: ${GOOD}\n\n`,
    ],
    [
      'a long answer',
      (response) => {
        response.writeHead(200, JSON_TYPE).write(' '.repeat(2_000_000));
        response.end(FAILED);
      },
      ' '.repeat(2_000_000) + FAILED,
    ],
  ])('lets through %s', async (_, write, text) => {
    const answer = await answered(write);
    expect(answer.status).toBeLessThan(300);
    expect(answer.text).toBe(text);
  });

  it('explains a failure in a stream that it has let through', async () => {
    const { text } = await answered((response) => {
      response.writeHead(200, EVENTS).write('data: {"jsonrpc":"2.0","method":"a"}\n\n');
      response.write(`data: ${FAILED}\n\n`);
      response.end();
    });
    expect(text).toContain('{"isError":true,"content":[{"type":"text","text":"because"}]}');
  });

  it('looks at nothing but the status where the request is no call', async () => {
    for (const body of [null, { a: 1 }, 'text', []]) {
      const good = await answered((response) => response.writeHead(200, JSON_TYPE).end(FAILED), body);
      expect(good.text).toBe(FAILED);
      expect((await answered((response) => response.writeHead(400).end(), body)).status).toBe(403);
    }
  });

  it('leaves the answer to a layer that has rejected the request meanwhile', async () => {
    const answer = await answered((response) => response.writeHead(401).end('own'), CALL, {
      isCurrent: false,
    });
    expect([answer.status, answer.text]).toEqual([401, 'own']);
  });
});

describe('a StepUpAnswer to a request whose handler has caught the denial', () => {
  const says = 'needs a:b';
  const toolError = (text: string): string =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, result: { isError: true, content: [{ type: 'text', text }] } });

  it.each<[string, (response: ServerResponse) => void]>([
    ['a status', (response) => response.writeHead(500).end(`Error: ${says}`)],
    ['a JSON-RPC message', (response) => response.writeHead(200, JSON_TYPE).end(toolError(`It ${says}`))],
    ['an event', (response) => response.writeHead(200, EVENTS).end(`data: ${toolError(says)}\n\n`)],
  ])('replaces %s of failure that says the denial', async (_, write) => {
    expect((await answered(write, CALL, { says })).status).toBe(403);
  });

  it.each<[string, (response: ServerResponse) => void, number, string]>([
    ['a status', (response) => response.writeHead(404).end('Not found'), 404, 'Not found'],
    ['a status without a body', (response) => response.writeHead(404).end(), 404, ''],
    ['a JSON-RPC message', (response) => response.writeHead(200, JSON_TYPE).end(FAILED), 200, FAILED],
    [
      'an event',
      (response) => response.writeHead(200, EVENTS).end(`data: ${FAILED}\n\n`),
      200,
      `data: ${FAILED}\n\n`,
    ],
  ])('lets through %s of another failure', async (_, write, status, text) => {
    const answer = await answered(write, CALL, { says });
    expect([answer.status, answer.text]).toEqual([status, text]);
  });
});

describe('an event of a StepUpAnswer', () => {
  const json = (members: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, ...members });
  const rpcError = json({ error: { code: -32603, message: 'x' } });
  const progress = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: {} });
  const made = (isBatch: boolean): StepUpAnswer =>
    new StepUpAnswer({
      body: isBatch ? [CALL] : CALL,
      isCurrent: true,
      isThrown: true,
      isSaidIn: () => true,
      rejection: () => ({ status: 403, headers: {}, body: { error: 'e', error_description: 'd' } }),
      explained: (message) => explained(message, 'because'),
    });

  it.each([
    [`event: message\ndata: ${FAILED}\n\n`, false, 'failed'],
    [`data:${rpcError}\n\n`, false, 'failed'],
    [`data: ${rpcError.replace(',', ',\ndata: ')}\n\n`, false, 'failed'],
    [`data: ${GOOD}\n\n`, false, 'answered'],
    [`data: ${progress}\n\n`, false, 'answered'],
    [`id: 1\ndata: \n\n: comment\n\n`, false, 'open'],
    ['', false, 'open'],
    [`data: ${GOOD}\n\n`, true, 'open'],
    [`data: ${GOOD}\n\ndata: ${FAILED}\n\n`, true, 'failed'],
    [`data: ${progress}\n\n`, true, 'answered'],
    [`: ${FAILED}\n\n`, false, 'open'],
  ])('of %j, of a batch: %j, is %s', (events, isBatch, verdict) => {
    const answer = made(isBatch);
    const seen = events.split(/(?<=\n\n)/).map((event) => answer.event(event, false));
    const isReplaced = seen.some((event) => typeof event === 'object');
    expect(isReplaced ? 'failed' : answer.isUndecided() ? 'open' : 'answered').toBe(verdict);
  });

  it('says why it fails where the answer has begun, and nothing else', () => {
    const explained = made(false).event(`id: 3\nevent: message\ndata: ${rpcError}\n\n`, true);
    const error = { code: -32603, message: 'because' };
    expect(explained).toBe(`id: 3\nevent: message\ndata: ${json({ error })}\n\n`);
    const result = { isError: true, content: [{ type: 'text', text: 'because' }] };
    expect(made(false).event(`data: ${FAILED}\n\n`, true)).toBe(`data: ${json({ result })}\n\n`);
  });

  it.each([`data: ${GOOD}\n\n`, `data: ${progress}\n\n`, ': ping\n\n', 'data: {\n\n'])(
    'is left alone where the answer has begun: %j',
    (event) => {
      expect(made(false).event(event, true)).toBe(event);
    },
  );
});
