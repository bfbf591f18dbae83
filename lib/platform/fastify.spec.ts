import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addBeforeMiddleware, fastifyJsonParser, isFastify } from './fastify.js';
import { type Hook, nodeRequestOf, nodeResponseOf, type PlatformResponse } from './node-message.js';

interface Instance {
  readonly initialConfig: { readonly bodyLimit: number };
  readonly use?: unknown;
  addHook(name: string, hook: (request: object, reply: PlatformResponse) => Promise<void>): void;
  get(path: string, handler: () => string): void;
  inject(path: string): Promise<unknown>;
}

/** What a parser says of a request whose body claims this length. */
function errorOf(read: Hook, length: number): Promise<unknown> {
  const request = new IncomingMessage(new Socket());
  request.headers = { 'content-length': String(length) };
  request.complete = true;
  request.push('{}');
  return new Promise((resolve) => {
    read(request, new ServerResponse(request), resolve);
  });
}

describe('what this package uses of Fastify', () => {
  it('is known by the type of the adapter', () => {
    expect(isFastify(new FastifyAdapter())).toBe(true);
  });

  it.each([
    ['1 MiB by default', new FastifyAdapter(), 1024 * 1024],
    ['as the application sets it', new FastifyAdapter({ bodyLimit: 7 }), 7],
  ])('tells the limit of bodies: %s', async (_, adapter, limit) => {
    expect(adapter.getInstance<Instance>().initialConfig.bodyLimit).toBe(limit);
    const read = fastifyJsonParser(adapter);
    expect(await errorOf(read, limit)).toBeUndefined();
    expect(await errorOf(read, limit + 1)).toMatchObject({ statusCode: 413 });
  });

  it('takes middleware once the adapter is initialized, and not before', async () => {
    const adapter = new FastifyAdapter();
    const called: string[] = [];
    const hook =
      (name: string): Hook =>
      (_, __, next) => {
        called.push(name);
        next();
      };
    expect(adapter.getInstance<Instance>().use).toBeUndefined();
    addBeforeMiddleware(adapter, hook('before'));
    await adapter.init();
    expect(adapter.getInstance<Instance>().use).toBeTypeOf('function');
    addBeforeMiddleware(adapter, hook('after'));
    await adapter.getInstance<Instance>().inject('/');
    expect(called).toEqual(['after']);
    await adapter.close();
  });

  it('keeps the request and the response of Node in "raw"', async () => {
    const adapter = new FastifyAdapter();
    const instance = adapter.getInstance<Instance>();
    const seen: object[] = [];
    instance.addHook('onRequest', async (request, reply) => {
      expect('hijack' in reply).toBe(true);
      seen.push(nodeRequestOf(request), nodeResponseOf(reply));
    });
    instance.get('/', () => 'route');
    await instance.inject('/');
    // Fastify injects requests and responses of its own, with the members of Node's.
    expect(seen).toEqual([
      expect.objectContaining({ rawHeaders: expect.any(Array) as unknown }),
      expect.any(ServerResponse),
    ]);
    expect(seen[0]).not.toBeInstanceOf(IncomingMessage);
    await adapter.close();
  });
});
