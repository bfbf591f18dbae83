import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from './http.js';
import { initialize, LEGACY, message, MODERN, responseIn } from './messages.js';

const URL = 'https://api.example.com/mcp';

function answer(type: string, text: string): HttpAnswer {
  return { kind: 'answer', status: 200, headers: [['Content-Type', type]], text, isCut: false };
}

describe('messages', () => {
  it('of the older era have a version header, except the handshake', () => {
    expect(initialize(URL).headers).not.toHaveProperty('mcp-protocol-version');
    const { headers, body } = message(URL, LEGACY, 'tools/list');
    expect(headers).toMatchObject({ 'mcp-protocol-version': LEGACY });
    expect(JSON.parse(body ?? '')).toEqual({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
  });

  it('of the newer era say all about themselves', () => {
    const { headers, body } = message(URL, MODERN, 'tools/call', { name: 'x' });
    expect(headers).toMatchObject({
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/call',
      'mcp-name': 'x',
    });
    expect(JSON.parse(body ?? '')).toMatchObject({
      params: { name: 'x', _meta: { 'io.modelcontextprotocol/protocolVersion': MODERN } },
    });
  });

  it('that are notifications have no id', () => {
    expect(JSON.parse(message(URL, LEGACY, 'notifications/initialized').body ?? '')).not.toHaveProperty('id');
  });

  it('are answered by a body or by an event', () => {
    const response = { jsonrpc: '2.0', id: 1, result: {} };
    const text = JSON.stringify(response);
    expect(responseIn(answer('application/json', text))).toEqual(response);
    expect(responseIn(answer('text/event-stream', `: x\r\n\r\ndata:${text}\r\n\r\n`))).toEqual(response);
    for (const [type, other] of [
      ['application/json', text.replace('"id":1', '"id":2')],
      ['application/json', `[${text}]`],
      ['application/json', 'null'],
      ['application/json', '<html>'],
      ['text/event-stream', `data:${text}\n`],
      ['text/event-stream', text],
    ] as const) {
      expect([other, responseIn(answer(type, other))]).toEqual([other, undefined]);
    }
  });
});
