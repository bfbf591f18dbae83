import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { AnswerReader } from './answer-reader.js';

const RESULT = { jsonrpc: '2.0', id: 1, result: { content: [] } };
const FAILED = { jsonrpc: '2.0', id: 2, result: { isError: true, content: [] } };
const ERROR = { jsonrpc: '2.0', id: 'c', error: { code: -32000, message: 'x' } };

describe('AnswerReader', () => {
  const answered = (
    headers: Record<string, string>,
    chunks: readonly (string | Buffer)[],
    { inHead = false }: { inHead?: boolean } = {},
  ): ((id: unknown) => string | undefined) => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const reader = new AnswerReader(response);
    if (inHead) response.writeHead(200, headers);
    else for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    for (const chunk of chunks.slice(0, -1)) response.write(chunk);
    response.end(chunks.at(-1));
    const operation = { method: 'tools/call', kind: undefined, name: undefined };
    return (id) => reader.outcomeOf({ operation, id: id as string | undefined });
  };
  const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
  const EVENTS = { 'content-type': 'text/event-stream' };

  verifies('OPS-22', 'knows results from errors, in a body of any chunks', () => {
    const text = JSON.stringify([RESULT, FAILED, ERROR]);
    for (const chunks of [[text], [text.slice(0, 7), text.slice(7)], [...text], [Buffer.from(text)]]) {
      for (const inHead of [false, true]) {
        const outcome = answered(JSON_TYPE, chunks, { inHead });
        expect([1, 2, 'c', 3, undefined].map(outcome)).toEqual([
          ...['succeeded', 'failed', 'failed', undefined, undefined],
        ]);
      }
    }
  });

  verifies('OPS-22', 'reads events, and no requests of the server', () => {
    const event = (data: object): string => `event: message\ndata: ${JSON.stringify(data)}\n\n`;
    const request = { jsonrpc: '2.0', id: 1, method: 'sampling/createMessage' };
    const stream = [
      ': hello\n\n',
      event(request),
      event(FAILED).slice(0, 9),
      event(FAILED).slice(9),
      event(ERROR),
    ];
    expect([1, 2, 'c'].map(answered(EVENTS, stream))).toEqual([undefined, 'failed', 'failed']);
    // The last event may lack its blank line.
    expect(answered(EVENTS, [event(RESULT).trimEnd()])(1)).toBe('succeeded');
  });

  verifies('OPS-22', 'guesses nothing of what it cannot read', () => {
    const text = JSON.stringify(RESULT);
    const gzip = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect(answered(gzip, [text])(1)).toBeUndefined();
    expect(answered(gzip, [text], { inHead: true })(1)).toBeUndefined();
    expect(answered({ 'content-type': 'text/plain' }, [text])(1)).toBeUndefined();
    expect(answered(JSON_TYPE, [text.slice(0, -1)])(1)).toBeUndefined();
    expect(answered(JSON_TYPE, [JSON.stringify({ id: 1, result: {} })])(1)).toBeUndefined();
    const asks = { ...RESULT, result: { resultType: 'input_required' } };
    expect(answered(JSON_TYPE, [JSON.stringify(asks)])(1)).toBeUndefined();
    const complete = { ...RESULT, result: { resultType: 'complete' } };
    expect(answered(JSON_TYPE, [JSON.stringify(complete)])(1)).toBe('succeeded');
  });

  it('keeps 1 MiB of a body at most', () => {
    const padded = (size: number): string => JSON.stringify(RESULT).padEnd(size);
    expect(answered(JSON_TYPE, [padded(1_048_576)])(1)).toBe('succeeded');
    expect(answered(JSON_TYPE, [padded(1_048_577)])(1)).toBeUndefined();
  });
});
