import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isFastify } from './fastify.js';
import { nodeRequestOf, nodeResponseOf, type PlatformResponse } from './node-message.js';

interface Instance {
  readonly initialConfig: { readonly bodyLimit: number };
  readonly use?: unknown;
  addHook(name: string, hook: (request: object, reply: PlatformResponse) => Promise<void>): void;
  get(path: string, handler: () => string): void;
  inject(path: string): Promise<unknown>;
}

describe('what this package uses of Fastify', () => {
  it('is known by the type of the adapter', () => {
    expect(isFastify(new FastifyAdapter())).toBe(true);
  });

  it('tells the limit of bodies, which is 1 MiB by default', () => {
    const limitOf = (adapter: FastifyAdapter): number =>
      adapter.getInstance<Instance>().initialConfig.bodyLimit;
    expect(limitOf(new FastifyAdapter())).toBe(1024 * 1024);
    expect(limitOf(new FastifyAdapter({ bodyLimit: 7 }))).toBe(7);
  });

  it('takes middleware once the adapter is initialized, and not before', async () => {
    const adapter = new FastifyAdapter();
    expect(adapter.getInstance<Instance>().use).toBeUndefined();
    await adapter.init();
    expect(adapter.getInstance<Instance>().use).toBeTypeOf('function');
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
