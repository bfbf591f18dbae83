import type { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { offlineResource } from '../../test/fixtures/resources.js';
import type { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { resolveOptions } from '../options/resolve-options.js';
import { ProtectedResourceRegistry } from '../resource/protected-resource.registry.js';
import { ResourcePaths } from '../resource/resource-paths.js';
import type { HandlerScan } from './handler-scan.js';
import { SelfMountedRoutes } from './self-mounted-routes.js';

/** An HTTP adapter that keeps what is mounted on it, in a private member as a platform may. */
class Adapter {
  readonly #mounted: string[] = [];
  readonly kind = 'adapter';

  post(path: string): this {
    this.#mounted.push(path);
    return this;
  }

  close(): string {
    return 'closed';
  }

  get mounted(): readonly string[] {
    return this.#mounted;
  }
}

/** A transport that mounts a route as soon as it starts, and keeps what it was started with. */
class Transport {
  context: { httpAdapter?: Adapter; more?: string } | undefined;

  constructor(private readonly path: string) {}

  start(context: { httpAdapter?: Adapter; more?: string }): string {
    this.context = context;
    context.httpAdapter?.post(this.path);
    return 'started';
  }
}

function watch(adapter: Adapter, earlyAuthentication: boolean, hasMcpHandlers = true) {
  const targets = new Subject<unknown>();
  const options = resolveOptions({
    resources: offlineResource('https://api.example.com/notes'),
    earlyAuthentication,
  });
  const resources = new ProtectedResourceRegistry(options, {} as AuthorizationServerRegistry);
  const modules = { getRpcTargetRegistry: () => targets };
  const host = { httpAdapter: adapter } as unknown as HttpAdapterHost;
  const routes = { hasMcpHandlers: () => hasMcpHandlers } as HandlerScan;
  const make = (container: unknown) =>
    new SelfMountedRoutes(
      container as ModulesContainer,
      host,
      routes,
      resources,
      new ResourcePaths(resources),
      options,
    );
  const connect = (target: unknown): void => {
    targets.next(target);
  };
  return { routes: make(modules), connect, make };
}

describe('SelfMountedRoutes', () => {
  it('starts a transport with what it was given, and lets it mount what is covered', () => {
    const adapter = new Adapter();
    const transport = new Transport('/notes/mcp');
    watch(adapter, true).connect({ options: { transports: [transport, {}] } });
    expect(transport.start({ httpAdapter: adapter, more: 'more' })).toBe('started');
    expect(adapter.mounted).toEqual(['/notes/mcp']);
    expect(transport.context?.more).toBe('more');
    expect(transport.context?.httpAdapter?.kind).toBe('adapter');
    expect(transport.context?.httpAdapter?.close()).toBe('closed');
  });

  it('lets one start that has no HTTP adapter', () => {
    const transport = new Transport('/x');
    watch(new Adapter(), false).connect({ options: { transports: [transport] } });
    expect(transport.start({})).toBe('started');
  });

  it.each([
    ['elsewhere', true, '/mcp'],
    ['by a pattern', true, '/notes/:any'],
    ['by none', true, undefined as unknown as string],
    ['where the documents are', true, '/.well-known/x'],
    ['without early authentication', false, '/notes'],
  ])('mounts nothing %s', (_, early, path) => {
    const adapter = new Adapter();
    const transport = new Transport(path);
    watch(adapter, early).connect({ options: { transports: [transport] } });
    expect(() => transport.start({ httpAdapter: adapter })).toThrow(McpAuthConfigError);
    expect(adapter.mounted).toEqual([]);
  });

  it('uses the application that a transport was connected to last', () => {
    const [first, second] = [new Adapter(), new Adapter()];
    const transport = new Transport('/notes');
    watch(first, true).connect({ options: { transports: [transport] } });
    expect(() => transport.start({ httpAdapter: second })).toThrow(McpAuthConfigError);
    watch(second, true).connect({ options: { transports: [transport] } });
    expect(transport.start({ httpAdapter: second })).toBe('started');
    expect([first.mounted, second.mounted]).toEqual([[], ['/notes']]);
  });

  it('leaves other microservices alone', () => {
    const { connect } = watch(new Adapter(), false);
    for (const target of [{}, { options: {} }, { options: { transports: 'none' } }]) connect(target);
  });

  it('has a problem where Nest does not tell of transports and there may be some', () => {
    const adapter = new Adapter();
    expect(watch(adapter, false).routes.problems()).toEqual([]);
    expect(watch(adapter, false, false).make({}).problems()).toEqual([]);
    expect(watch(adapter, false).make({}).problems()).toEqual([
      {
        path: '@nestjs/core',
        message:
          'does not tell of transports that mount routes by themselves, past all guards; update it to 11.1.6 or later',
      },
    ]);
  });
});
