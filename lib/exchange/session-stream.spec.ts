import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { onAnnouncedSession, targetValues, replaceTargetValue } from './session-stream.js';

const STREAM = { 'content-type': 'text/event-stream' };

describe('onAnnouncedSession', () => {
  function announced(type: object, ...chunks: unknown[]): string[] {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const ids: string[] = [];
    onAnnouncedSession(response, (id) => ids.push(id));
    response.writeHead(200, type as Record<string, string>);
    for (const chunk of chunks) response.write(chunk);
    return ids;
  }

  it.each([
    ['event: endpoint\ndata: /messages?sessionId=a\n\n'],
    ['event:endpoint\r\ndata:/m?x=1&sessionId=a#x\r\n\r\n'],
    [Buffer.from('event: endpoint\ndata: https://x.example/messages?sessionId=a\n\n')],
  ])('finds the session in the first event %j', (chunk) => {
    expect(announced(STREAM, chunk, chunk)).toEqual(['a']);
  });

  it('finds none elsewhere', () => {
    const event = 'event: endpoint\ndata: /messages?sessionId=a\n\n';
    expect(announced(STREAM, ': hello\n\n', event)).toEqual([]);
    expect(announced(STREAM, 'event: endpoint\ndata: /messages\n\n')).toEqual([]);
    expect(announced(STREAM, 'event: message\ndata: /messages?sessionId=a\n\n')).toEqual([]);
    expect(announced({ 'content-type': 'text/plain' }, event)).toEqual([]);
    expect(announced({}, event)).toEqual([]);
  });
});

describe('the target of a request', () => {
  it.each([
    [{ url: '/m?sessionId=a' }, 'a'],
    [{ url: '/m?x=%61' }, 'a'],
    [{ url: '/m?x[y]=b&x[]=a' }, 'a'],
    [{ url: '/', originalUrl: '/m?x=a' }, 'a'],
    [{ url: '/m#sessionId=a' }, 'a'],
    [{ url: '/m;sessionId=a' }, 'a'],
    [{ url: '/m/a' }, 'a'],
    [{ url: '/m/b?x=%zz&y=a' }, 'a'],
    [{ url: '/ab?aa=A%zz' }, undefined],
    [{ url: '/m' }, undefined],
    [{}, undefined],
  ])('of %j has the value: %j', (request, found) => {
    expect(targetValues(request).find((value) => value === 'a')).toBe(found);
  });

  it('has another value in its place wherever it was', () => {
    const node = { url: '/a?x=1%202&y=%zz&sessionId=a', originalUrl: '/m/a?sessionId=%61&sessionId=b' };
    const request = { query: { x: 'a', y: ['a', { z: 'a' }], n: null, o: 'b' }, params: { id: 'a' } };
    replaceTargetValue(request, node, 'a', 'new');
    expect(node).toEqual({
      url: '/new?x=1%202&y=%zz&sessionId=new',
      originalUrl: '/m/new?sessionId=new&sessionId=b',
    });
    expect(request.query).toEqual({ x: 'new', y: ['new', { z: 'new' }], n: null, o: 'b' });
    expect(request.params).toEqual({ id: 'new' });
    const nothing = {};
    replaceTargetValue({}, nothing, 'a', 'new');
    expect(nothing).toEqual({});
  });
});
