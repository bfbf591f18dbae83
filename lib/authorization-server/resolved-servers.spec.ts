import { describe, expect, it } from 'vitest';
import { server } from '../../test/fixtures/servers.js';
import { offlineResource } from '../../test/fixtures/resources.js';
import { verifies } from '../../test/verifies.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import type { ResolveAuthorizationServer } from '../options/authorization-server-resolver.js';
import { resolveOptions } from '../options/resolve-options.js';
import { DynamicAuthorizationServers } from './dynamic-authorization-servers.js';
import { FetchNeeded } from './fetch-needed.js';
import { ResolvedServers } from './resolved-servers.js';

const RESOURCE = 'http://127.0.0.1/notes';

describe('ResolvedServers', () => {
  let time = Date.now();

  function make(resolve: ResolveAuthorizationServer, more: object = {}) {
    let fetches = 0;
    const options = resolveOptions({
      resources: offlineResource(RESOURCE),
      now: () => new Date(time),
      fetch: (...request: Parameters<typeof fetch>) => {
        fetches += 1;
        return fetch(...request);
      },
      ...more,
    });
    const servers = new DynamicAuthorizationServers(
      options,
      new McpAuthEvents(options),
      new RateLimitedLogger(options),
    );
    const resolved = new ResolvedServers({ options, resource: options.resources[0]!, servers, resolve });
    return { resolved, servers, fetches: () => fetches };
  }

  /** How often each outcome occurs for so many invented issuers. */
  async function flood(resolved: ResolvedServers, from: number, count: number) {
    const outcomes = { unknown: 0, found: 0, unavailable: 0 };
    for (let at = from; at < from + count; at += 1) {
      try {
        outcomes[(await resolved.find(`https://i${String(at)}.example`)) ? 'found' : 'unknown'] += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(AuthorizationServerUnavailableError);
        outcomes.unavailable += 1;
      }
    }
    return outcomes;
  }

  verifies(
    'TEN-08',
    'bounds the calls and the memory of 20,000 invented issuers, and keeps those in use',
    async () => {
      const as = await server();
      const asked: string[] = [];
      const { resolved, servers, fetches } = make((issuer) => {
        asked.push(issuer);
        return issuer === as.issuer ? { issuer } : undefined;
      });
      const known = await resolved.find(as.issuer);
      await known?.metadata();
      expect(await flood(resolved, 0, 20_000)).toEqual({ unknown: 1999, found: 0, unavailable: 18_001 });
      expect(asked).toHaveLength(2000);
      for (let window = 1; window < 10; window += 1) {
        time += 10_000;
        expect(await flood(resolved, window * 2000, 2000)).toEqual({
          unknown: 2000,
          found: 0,
          unavailable: 0,
        });
      }
      expect(resolved.find(as.issuer)).toBe(known);
      time += 600_000;
      await flood(resolved, 0, 2001);
      expect(await resolved.find(as.issuer)).toBe(known);
      expect(asked.filter((issuer) => issuer === as.issuer)).toHaveLength(2);
      expect([fetches(), servers.size]).toEqual([1, 1]);
    },
  );

  verifies('TEN-08', 'makes at most 1,000 servers in 10 seconds, and keeps those in use', async () => {
    const as = await server();
    const { resolved, servers, fetches } = make((issuer) => ({ issuer }));
    const known = await resolved.find(as.issuer);
    await known?.metadata();
    expect(await flood(resolved, 0, 1500)).toEqual({ unknown: 0, found: 999, unavailable: 501 });
    time += 10_000;
    expect(await flood(resolved, 2000, 500)).toEqual({ unknown: 0, found: 500, unavailable: 0 });
    expect([resolved.find(as.issuer) === known, servers.size, fetches()]).toEqual([true, 1500, 1]);
  });

  it('keeps a server whose options are the same, and takes another if they changed', async () => {
    const options = { issuer: 'https://a.example', introspection: { clientId: 'c', clientSecret: 's' } };
    let secret = 's';
    const { resolved } = make(() => ({
      ...options,
      introspection: { ...options.introspection, clientSecret: secret },
    }));
    const first = await resolved.find(options.issuer);
    time += 600_000;
    expect(await resolved.find(options.issuer)).toBe(first);
    expect(resolved.known(options.issuer)).toBe(first);
    secret = 't';
    time += 600_000;
    const second = await resolved.find(options.issuer);
    expect([second === first, resolved.known(options.issuer) === second]).toEqual([false, true]);
  });

  it('rejects used tokens that only one replica would know, in production with several replicas', async () => {
    const environment = process.env['NODE_ENV'];
    const resolve: ResolveAuthorizationServer = (issuer) => ({ issuer, oneTimeTokens: true });
    const { resolved } = make(resolve, { replicas: 'several' });
    expect(await resolved.find('https://a.example')).toBeDefined();
    process.env['NODE_ENV'] = 'production';
    try {
      await expect(resolved.find('https://b.example')).rejects.toThrow(
        `authorizationServerResolver of ${RESOURCE}.oneTimeTokens: remembers what was used in the memory of one process`,
      );
    } finally {
      process.env['NODE_ENV'] = environment;
    }
  });

  it('asks nothing offline', async () => {
    const { resolved } = make((issuer) => (issuer === 'https://a.example' ? { issuer } : null));
    const offline = resolved.offline();
    expect(() => offline.find('https://a.example')).toThrow(FetchNeeded);
    const found = await resolved.find('https://a.example');
    expect(await resolved.find('https://b.example')).toBeUndefined();
    expect(offline.offline().find('https://a.example')).toBe(found);
    expect(offline.known('https://a.example')).toBe(found);
    expect([offline.find('https://b.example'), offline.find('none')]).toEqual([undefined, undefined]);
    time += 600_000;
    expect(() => offline.find('https://a.example')).toThrow(FetchNeeded);
    expect(() => offline.find('https://b.example')).toThrow(FetchNeeded);
  });
});
