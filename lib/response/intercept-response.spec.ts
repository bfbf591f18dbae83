import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { beforeHead, endResponse, rewriteHeader } from './intercept-response.js';

describe('beforeHead', () => {
  const NAME = 'mcp-session-id';

  function sent(send: (response: ServerResponse) => void): unknown[] {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const heads: unknown[] = [];
    beforeHead(response, ({ status, header }) => heads.push([status, header(NAME), response.headersSent]));
    send(response);
    return heads;
  }

  it.each<[string, (response: ServerResponse) => void, unknown]>([
    ['an object', (response) => response.writeHead(200, { 'Mcp-Session-Id': 'a' }), [200, 'a', false]],
    [
      'a reason too',
      (response) => response.writeHead(201, 'Yes', { 'MCP-Session-Id': ['a'] }),
      [201, 'a', false],
    ],
    ['names and values', (response) => response.writeHead(200, ['x', NAME, NAME, 'a']), [200, 'a', false]],
    ['pairs', (response) => response.writeHead(200, [[NAME, 'a']] as unknown as string[]), [200, 'a', false]],
    [
      'pairs of others',
      (response) => response.writeHead(200, [['x', NAME]] as unknown as string[]),
      [200, undefined, false],
    ],
    [
      'others before',
      (response) => response.setHeader(NAME, 'a').writeHead(200, { x: 'y' }),
      [200, 'a', false],
    ],
    [
      'itself before',
      (response) => response.setHeader(NAME, 'b').writeHead(200, { [NAME]: 'a' }),
      [200, 'a', false],
    ],
    ['a number', (response) => response.setHeader(NAME, 5).writeHead(404), [404, '5', false]],
    ['nothing', (response) => response.writeHead(204), [204, undefined, false]],
    ['an end', (response) => response.setHeader(NAME, 'a').end('x'), [200, 'a', false]],
    ['a write', (response) => response.setHeader(NAME, 'a').write('x'), [200, 'a', false]],
  ])('sees the head before it is sent, by %s', (_, send, head) => {
    expect(sent(send)).toEqual([head]);
  });
});

describe('rewriteHeader', () => {
  const NAME = 'mcp-session-id';

  function sent(send: (response: ServerResponse) => void): readonly string[] {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    rewriteHeader(response, NAME, (value, status) => `${value}.${String(status)}`);
    send(response);
    const { _header: head } = response as unknown as { readonly _header: string };
    return head.split('\r\n').filter((line) => /^(mcp|x):?/i.test(line));
  }

  it.each<[string, (response: ServerResponse) => void, readonly string[]]>([
    [
      'an object',
      (response) => response.writeHead(200, { 'Mcp-Session-Id': 'a' }),
      ['Mcp-Session-Id: a.200'],
    ],
    ['a reason too', (response) => response.writeHead(201, 'Yes', { [NAME]: ['a'] }), [`${NAME}: a.201`]],
    [
      'names and values',
      (response) => response.writeHead(200, ['x', NAME, NAME, 'a']),
      [`x: ${NAME}`, `${NAME}: a.200`],
    ],
    [
      'pairs',
      (response) => response.writeHead(200, [[NAME, 'a']] as unknown as string[]),
      [`${NAME}: a.200`],
    ],
    [
      'others before',
      (response) => response.setHeader('Mcp-Session-Id', 'a').writeHead(200, { x: 'y' }),
      [`${NAME}: a.200`, 'x: y'],
    ],
    [
      'itself before',
      (response) => response.setHeader(NAME, 'b').writeHead(200, { [NAME]: 'a' }),
      [`${NAME}: a.200`],
    ],
    [
      'itself before a list',
      (response) => response.setHeader(NAME, 'b').writeHead(200, [NAME, 'a']),
      [`${NAME}: a.200`],
    ],
    ['an end', (response) => response.setHeader(NAME, ['a']).end('x'), [`${NAME}: a.200`]],
    ['an empty value', (response) => response.setHeader(NAME, '').end('x'), [`${NAME}: `]],
    ['no value', (response) => response.writeHead(200, { x: 'y' }), ['x: y']],
  ])('sends another value, given by %s', (_, send, lines) => {
    expect(sent(send)).toEqual(lines);
  });
});

describe('endResponse', () => {
  it('lets nothing more be written, and calls back for what still is', async () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    endResponse(response, 'last');
    await new Promise<void>((resolve) =>
      response.write('more', () => {
        resolve();
      }),
    );
    await new Promise<void>((resolve) => response.writeHead(500).end('more', resolve));
    response.flushHeaders();
    expect([response.writableEnded, response.statusCode]).toEqual([true, 200]);
  });
});
