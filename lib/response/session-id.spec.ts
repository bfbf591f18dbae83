import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isSoundSessionId, mayOpenSession, replaceHeader } from './session-id.js';

function requestWith(...rawHeaders: string[]): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.rawHeaders.push(...rawHeaders);
  const headers = request.headers as Record<string, string>;
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers[String(rawHeaders[at]).toLowerCase()] = String(rawHeaders[at + 1]);
  return request;
}

describe('replaceHeader', () => {
  it('puts a value wherever Node tells the header, in place of all there were', () => {
    const request = requestWith(
      'Host',
      'x',
      'MCP-Session-Id',
      'a',
      'X-A',
      'mcp-session-id',
      'mcp-session-id',
      'b',
    );
    expect(request.headersDistinct['host']).toBeUndefined(); // Node has read it before
    replaceHeader(request, 'mcp-session-id', 'new');
    expect(request.headers).toEqual({ host: 'x', 'x-a': 'mcp-session-id', 'mcp-session-id': 'new' });
    expect(request.headersDistinct['mcp-session-id']).toEqual(['new']);
    expect(request.rawHeaders).toEqual(['Host', 'x', 'X-A', 'mcp-session-id', 'mcp-session-id', 'new']);
  });

  it('takes a header away', () => {
    const request = requestWith('Last-Event-ID', '7', 'Host', 'x');
    replaceHeader(request, 'last-event-id', undefined);
    expect(request.headers).toEqual({ host: 'x' });
    expect('last-event-id' in request.headersDistinct).toBe(false);
    expect(request.rawHeaders).toEqual(['Host', 'x']);
  });

  it('bears a header that is named as a member of every object', () => {
    const request = requestWith('Mcp-Session-Id', 'a', '__proto__', 'x', 'toString', 'y');
    replaceHeader(request, 'mcp-session-id', 'new');
    const own = ['__proto__', 'tostring', 'mcp-session-id'].map((name) => request.headersDistinct[name]);
    expect(own).toEqual([['x'], ['y'], ['new']]);
  });

  it('takes what has headers only, as tests make it', () => {
    const request = { headers: { 'mcp-session-id': ['a', 'b'] } };
    replaceHeader(request, 'mcp-session-id', 'new');
    expect(request).toEqual({ headers: { 'mcp-session-id': 'new' } });
  });
});

describe('mayOpenSession', () => {
  it.each([
    [{ method: 'initialize' }, true],
    [[{ method: 'ping' }, { method: 'initialize' }], true],
    [undefined, true],
    [null, true],
    ['{"method":"initialize"}', true],
    [Buffer.from('{}'), true],
    [{}, true],
    [[[]], true],
    [[], false],
    [{ method: 'Initialize' }, false],
    [{ method: 'tools/call' }, false],
    [[{ method: 'ping' }], false],
  ])('takes %j: %j', (body, expected) => {
    expect(mayOpenSession(body)).toBe(expected);
  });
});

describe('isSoundSessionId', () => {
  it.each([
    ['0123456789abcdefghijkl', true],
    ['0123456789abcdefghijk', false],
    ['00000000-0000-4000-8000-000000000000', true],
    ['00000000 0000 4000 8000 000000000000', false],
    ['00000000-0000-4000-8000-00000000000é', false],
  ])('takes %j: %j', (id, expected) => {
    expect(isSoundSessionId(id)).toBe(expected);
  });
});
