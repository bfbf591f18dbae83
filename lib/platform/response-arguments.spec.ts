import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { mediaTypeOf } from './response-arguments.js';

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
