import { afterEach, describe, expect, it, vi } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { resolveOptions } from './resolve-options.js';

const ISSUER = 'https://auth.example.com';
const PATH = 'resources[0].authorizationServers[0].oneTimeTokens';
const store = { reserve: () => Promise.resolve(true) };

function problemsOf(oneTimeTokens: unknown, more: object = {}): string[] {
  const authorizationServers = [{ issuer: ISSUER, oneTimeTokens }];
  try {
    resolveOptions({
      resources: { resource: 'https://api.example.com/notes', authorizationServers },
      ...more,
    });
    return [];
  } catch (error) {
    if (!(error instanceof McpAuthConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe('replicas', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const message =
    `${PATH}: remembers what was used in the memory of one process, and "replicas" is "several": at another replica it could ` +
    'be used again; give it a "replayStore" that all replicas share, for example RedisReplayStore of nestjs-mcp-auth/redis';

  verifies('POP-49', 'fails startup in production if several replicas would remember in memory', () => {
    vi.stubEnv('NODE_ENV', 'production');
    for (const inMemory of [true, {}]) {
      expect(problemsOf(inMemory, { replicas: 'several' })).toEqual([message]);
      expect(problemsOf(inMemory, { replicas: 'one' })).toEqual([]);
      expect(problemsOf(inMemory)).toEqual([]);
    }
    for (const fine of [{ replayStore: store }, false, undefined])
      expect(problemsOf(fine, { replicas: 'several' })).toEqual([]);
  });

  verifies('POP-49', 'lets several replicas remember in memory elsewhere', () => {
    for (const environment of ['test', 'development', 'Production', '']) {
      vi.stubEnv('NODE_ENV', environment);
      expect(problemsOf(true, { replicas: 'several' })).toEqual([]);
    }
  });

  it('must be one of two words', () => {
    expect(problemsOf(false, { replicas: 2 })).toEqual(['replicas: must be one of one, several; got 2']);
  });
});

describe('oneTimeTokens', () => {
  it('must be a boolean or an object with a store', () => {
    const circular: Record<string, unknown> = { set: () => undefined };
    circular['self'] = circular;
    const noStore = `${PATH}.replayStore: must be an object with a method "reserve"; got a value of type object`;
    expect(problemsOf({ replayStore: circular })).toEqual([noStore]);
    expect(problemsOf({ replayStore: null })).toEqual([noStore.replace('a value of type object', 'null')]);
    expect(problemsOf({ replayStore: 'redis' })).toEqual([
      noStore.replace('a value of type object', '"redis"'),
    ]);
    expect(problemsOf({ store })).toEqual([`${PATH}.store: is not an option.`]);
    for (const other of [null, 'yes', 1, []])
      expect(problemsOf(other)).toEqual([
        expect.stringMatching(`^${PATH.replaceAll(/[[\].]/g, '\\$&')}: must be true, false or an object`),
      ]);
  });

  it('keeps a store as it is, and calls it with itself as this', async () => {
    class Store {
      private count = 0;
      readonly self = this;

      reserve(): Promise<boolean> {
        this.count += 1;
        return Promise.resolve(this.count === 1);
      }
    }
    const given = new Store();
    const { resources } = resolveOptions({
      resources: {
        resource: 'https://api.example.com/notes',
        authorizationServers: [{ issuer: ISSUER, oneTimeTokens: { replayStore: given } }],
      },
    });
    expect(Object.isFrozen(given)).toBe(false);
    const kept = resources[0]?.authorizationServers[0]?.oneTimeTokens?.replayStore;
    expect([await kept?.reserve('k', 1), await kept?.reserve('k', 1)]).toEqual([true, false]);
  });
});
