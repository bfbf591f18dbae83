import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { describe, expect, it } from 'vitest';
import { adapterOf, PLATFORMS } from '../../test/fixtures/app.js';
import { send } from '../../test/fixtures/http.js';
import { addHook, wholeTree } from './http-adapter.js';
import { nodeRequestOf, takeResponse } from './node-message.js';

describe('nodeRequestOf', () => {
  const node = new IncomingMessage(new Socket());

  it('finds the Node request that a platform has put something around', () => {
    expect(nodeRequestOf({ raw: node, body: {} })).toBe(node);
  });

  it.each([
    ['nothing', undefined],
    ['a raw body', Buffer.from('{}')],
    ['a text', 'raw'],
    ['a flag', true],
    ['null', null],
    ['something else', { headers: {} }],
  ])('takes a request for itself that has %s by that name', (_, raw) => {
    const requests = [new IncomingMessage(new Socket()), { headers: {}, rawHeaders: [] }];
    for (const request of requests) expect(nodeRequestOf(Object.assign(request, { raw }))).toBe(request);
  });

  it('takes what stands for a request in tests for itself', () => {
    const request = { headers: {} };
    expect(nodeRequestOf(request)).toBe(request);
  });
});

describe('takeResponse', () => {
  const node = new ServerResponse(new IncomingMessage(new Socket()));

  it('gives the response of Node as it is', () => {
    expect(takeResponse(node)).toBe(node);
  });

  it('takes the response out of the hands of Fastify, which would answer too', () => {
    let hijacked = 0;
    expect(takeResponse({ raw: node, hijack: () => (hijacked += 1) })).toBe(node);
    expect(hijacked).toBe(1);
  });
});

describe('wholeTree', () => {
  it('says "anything below" as each platform does, and as most do for an unknown one', () => {
    expect(wholeTree(new ExpressAdapter().getType())).toEqual(['', '*path']);
    expect(wholeTree(new FastifyAdapter().getType())).toEqual(['', '*']);
    expect(wholeTree('other')).toEqual(['', '*']);
    expect(wholeTree('constructor')).toEqual(['', '*']);
  });
});

describe.each(PLATFORMS)('addHook, on %s', (platform) => {
  it('puts hooks before what comes later, early ones before late ones, and lets each of them answer', async () => {
    const adapter = adapterOf(platform);
    const calls: string[] = [];
    const called =
      (name: string) =>
      ({ url }: { url?: string | undefined }, _: unknown, next: () => void): void => {
        calls.push(`${name} ${url ?? ''}`);
        next();
      };
    addHook(adapter, 'onRequest', called('first'));
    addHook(adapter, 'onRequest', ({ url }, response, next) => {
      if (url === '/hook') takeResponse(response).writeHead(418).end('hook');
      else next();
    });
    addHook(adapter, 'preHandler', called('late'));
    adapter.get('/route', (_: unknown, response: { send(text: string): void }) => {
      calls.push('route');
      response.send('route');
    });
    if (adapter instanceof ExpressAdapter) adapter.initHttpServer({});
    await adapter.init();
    await new Promise<void>((resolve) => {
      adapter.listen(0, '127.0.0.1', () => {
        resolve();
      });
    });
    const { port } = (adapter.getHttpServer() as { address(): { port: number } }).address();
    const origin = `http://127.0.0.1:${String(port)}`;
    expect(await send(origin, '/route')).toMatchObject({ status: 200, text: 'route' });
    expect(calls).toEqual(['first /route', 'late /route', 'route']);
    calls.length = 0;
    expect(await send(origin, '/hook')).toMatchObject({ status: 418, text: 'hook' });
    expect(calls).toEqual(['first /hook']);
    calls.length = 0;
    expect((await send(origin, '/nothing')).status).toBe(404);
    expect(calls[0]).toBe('first /nothing');
    await adapter.close();
  });
});
