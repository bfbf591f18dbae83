import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Logger } from '@nestjs/common';
import type { LoopbackAuthorizationServer } from '../../test/fixtures/authorization-server.js';
import { registriesOf } from '../../test/fixtures/registries.js';
import { bareServer, server } from '../../test/fixtures/servers.js';
import { OAUTH } from '../../test/fixtures/discovery.js';
import { offlineResource } from '../../test/fixtures/resources.js';
import { verifies } from '../../test/verifies.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import type { McpAuthEvent } from '../events/mcp-auth-event.interface.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { resolveAuthorizationServer, resolveOptions } from '../options/resolve-options.js';
import { DynamicAuthorizationServers } from './dynamic-authorization-servers.js';

describe('DynamicAuthorizationServers', () => {
  let time = Date.now();
  let events: McpAuthEvent[];
  let logged: string[];

  beforeEach(() => {
    events = [];
    logged = [];
    const record = (message: unknown): void => {
      logged.push(String(message));
    };
    Logger.overrideLogger({ log: record, error: record, warn: record });
  });

  afterEach(() => {
    Logger.overrideLogger(false);
  });

  function make(more: object = {}): DynamicAuthorizationServers {
    const resources = offlineResource('https://a.example');
    const options = resolveOptions({ resources, now: () => new Date(time), ...more });
    const all = new McpAuthEvents(options);
    all.events$.subscribe((event) => events.push(event));
    return new DynamicAuthorizationServers(options, all, new RateLimitedLogger(options));
  }

  const resolved = (given: unknown) => resolveAuthorizationServer(given, 'here', true);

  it('makes one server for each issuer and configuration, and fetches nothing for it', async () => {
    const as = await server();
    const { issuer } = as;
    const servers = make();
    const one = servers.acquire(resolved(issuer));
    expect(servers.acquire(resolved({ issuer, type: 'auto' }))).toBe(one);
    expect(servers.find(resolved({ issuer }))).toBe(one);
    const jwks = () => ({ keys: [] });
    const replayStore = { reserve: () => Promise.resolve(true) };
    const introspection = { clientId: 'c', clientSecret: 's', opaqueTokenPattern: /^a/ };
    const bearer = { clientId: 'c', bearerToken: 'b' };
    const exchange = { clientId: 'c', clientSecret: 's' };
    const privateKey = { kty: 'EC', kid: 'a', alg: 'ES256' };
    const all = [
      one,
      ...[
        { algorithms: ['ES256'] },
        { jwks },
        { jwks: () => ({ keys: [] }) },
        { oneTimeTokens: { replayStore } },
        { oneTimeTokens: { replayStore: { ...replayStore } } },
        { oneTimeTokens: true },
        { introspection },
        { introspection: { ...introspection, clientSecret: 't' } },
        { introspection: { ...introspection, clientSecret: () => 's' } },
        { introspection: { ...introspection, opaqueTokenPattern: /^b/ } },
        { introspection: bearer },
        { introspection: { ...bearer, bearerToken: 'c' } },
        { tokenExchange: exchange },
        { tokenExchange: { ...exchange, clientSecret: 't' } },
        { tokenExchange: { ...exchange, clientSecret: () => 's' } },
        { tokenExchange: { clientId: 'c', privateKey } },
        { tokenExchange: { clientId: 'c', privateKey: { ...privateKey, kid: 'b' } } },
      ].map((more) => {
        const given = { issuer, ...more };
        const made = servers.acquire(resolved(given));
        expect(servers.acquire(resolved(given))).toBe(made);
        return made;
      }),
    ];
    expect([new Set(all).size, servers.size, [...servers.all()].length]).toEqual([18, 18, 18]);
    const fresh = { issuer, introspection: { ...introspection, clientSecret: 's' } };
    expect(all).toContain(servers.find(resolved(fresh)));
    expect(as.requests).toEqual([]);
    expect((await one.metadata()).issuer).toBe(issuer);
    expect(as.paths).toEqual([OAUTH]);
  });

  it('takes the issuer of a server with configured metadata from that', () => {
    const servers = make();
    const given = { metadata: { issuer: 'https://b.example' }, jwks: { keys: [] } };
    const made = servers.acquire(resolved(given));
    expect([made.issuer, servers.acquire(resolved(given)) === made]).toEqual(['https://b.example', true]);
  });

  verifies('TEN-11', 'evicts servers that never answered first, and makes evicted ones again', async () => {
    const as = await server();
    const servers = make();
    const { keys } = registriesOf(resolveOptions({ resources: offlineResource('https://a.example') }));
    const used = servers.acquire(resolved(as.issuer));
    const first = servers.acquire(resolved('https://b.example'));
    await used.metadata();
    const invented = resolved('https://i.example');
    for (let at = 0; at < 10_000; at += 1)
      servers.acquire({ ...invented, issuer: `https://i${String(at)}.example` });
    expect(servers.size).toBe(10_000);
    expect(servers.find(resolved(as.issuer))).toBe(used);
    expect(servers.find(resolved('https://b.example'))).toBeUndefined();
    expect(servers.acquire(resolved('https://b.example'))).not.toBe(first);
    expect(keys.of(first)).toBe(keys.of(first));
    await expect(first.metadata()).rejects.toThrow('Could not get the metadata of https://b.example');
  });

  verifies('TEN-18', 'does not retry in the background, and recovers with a token', async () => {
    const as = await bareServer();
    as.at(OAUTH, (_, response) => response.writeHead(500).end());
    const servers = make();
    const down = servers.acquire(resolved(as.issuer));
    await expect(down.metadata()).rejects.toThrow('Could not get the metadata');
    await expect(down.metadata()).rejects.toThrow('Could not get the metadata');
    expect(as.paths).toEqual([OAUTH]);
    expect([logged.length, events.map(({ type }) => type)]).toEqual([1, ['discovery_failed']]);
    as.at(OAUTH, as.metadata());
    time += 6000;
    expect((await down.metadata()).issuer).toBe(as.issuer);
    time += 86_400_000;
    as.at(OAUTH, as.metadata({ issuer: 'https://other.example' }));
    expect((await down.metadata()).issuer).toBe(as.issuer);
    as.at(OAUTH, as.metadata());
    time += 60_000;
    await down.metadata();
    await expect.poll(() => events.at(-1)?.type).toBe('metadata_refreshed');
    expect(events.map(({ type }) => type)).toContain('stale_used');
  });

  it('says nothing of what fails because the application has ended', async () => {
    const as = await bareServer();
    as.at(OAUTH, () => undefined);
    const servers = make();
    const pending = servers.acquire(resolved(as.issuer)).metadata();
    await expect.poll(() => as.paths.length).toBe(1);
    servers.onApplicationShutdown();
    await expect(pending).rejects.toThrow('Could not get the metadata');
    await expect(servers.acquire(resolved('https://c.example')).metadata()).rejects.toThrow();
    expect([logged, events]).toEqual([[], []]);
  });

  it('logs what a failing function of the application throws', async () => {
    const transpileData = (): never => {
      throw new Error('mine');
    };
    const as: LoopbackAuthorizationServer = await server();
    const made = make().acquire(resolved({ issuer: as.issuer, transpileData }));
    await expect(made.metadata()).rejects.toThrow();
    expect(logged.join('\n')).toContain('mine');
  });
});
