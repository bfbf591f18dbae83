import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { mediaTypeOf, replaceHeaderIn } from './response-arguments.js';

describe('mediaTypeOf', () => {
  it.each<[string, (response: ServerResponse) => void, string]>([
    [
      'set before',
      (response) => {
        response.setHeader('Content-Type', 'Text/Event-Stream').flushHeaders();
      },
      'text/event-stream',
    ],
    [
      'given with the head',
      (response) => response.writeHead(200, ['Content-Type', 'text/event-stream']),
      'text/event-stream',
    ],
    ['left out', (response) => response.writeHead(200, { 'x-content-type': 'text/plain' }), ''],
  ])('tells a type that was %s', (_, send, type) => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    send(response);
    expect([response.headersSent, mediaTypeOf(response)]).toEqual([true, type]);
  });
});

describe('replaceHeaderIn', () => {
  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ['an object', [200, { A: 'b', 'X-Id': 'a' }], [200, { A: 'b', 'X-Id': 'z' }]],
    ['an object after a reason', [200, 'x-id', { 'x-id': ['a'] }], [200, 'x-id', { 'x-id': 'z' }]],
    [
      'names and values',
      [200, ['a', 'x-id', 'X-ID', 'a', 'x-id', 'b']],
      [200, ['a', 'x-id', 'X-ID', 'z', 'x-id', 'z']],
    ],
    [
      'pairs',
      [
        200,
        [
          ['a', 'x-id'],
          ['x-id', 'a'],
        ],
      ],
      [
        200,
        [
          ['a', 'x-id'],
          ['x-id', 'z'],
        ],
      ],
    ],
    ['other names', [200, { 'x-id-2': 'a' }], [200, { 'x-id-2': 'a' }]],
    ['no headers', [204], [204]],
    ['nothing in their place', [200, undefined, null], [200, undefined, null]],
  ])('replaces a header in %s', (_, given, replaced) => {
    expect(replaceHeaderIn(given, 'x-id', 'z')).toEqual(replaced);
  });

  it('does not change its arguments', () => {
    const headers = Object.freeze({ 'x-id': 'a' });
    replaceHeaderIn([200, headers], 'x-id', 'z');
    expect(headers).toEqual({ 'x-id': 'a' });
  });
});
