import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { TenantRejectedError } from '../errors/rejection.errors.js';
import type { TenantOptions } from '../options/tenant-options.js';
import type { ResolveTenant } from '../options/tenant-resolver.js';
import { TenantDirectory } from './tenant-directory.js';

const ANSWER: TenantOptions = { authorizationServers: ['https://as.example'] };

interface Made {
  readonly tenant: string;
  readonly answer: object;
}

/** A directory whose clock the test sets. */
function directoryOf(resolve: ResolveTenant, timeoutMs = 10_000) {
  const asked: string[] = [];
  const renewed: Made[] = [];
  const clock = { seconds: 0 };
  const directory = new TenantDirectory<Made>({
    resolve: (tenant) => {
      asked.push(tenant);
      return resolve(tenant);
    },
    make: (tenant, answer) => {
      if (!('authorizationServers' in answer)) throw new TypeError('no servers');
      return { tenant, answer };
    },
    renew: (made) => renewed.push(made),
    seconds: () => clock.seconds,
    timeoutMs,
  });
  /** What is found, or the reason why nothing is. */
  const find = async (tenant: string): Promise<unknown> => {
    try {
      return await directory.find(tenant);
    } catch (error) {
      return error instanceof TenantRejectedError ? error.reason : (error as Error).message;
    }
  };
  return { directory, find, asked, renewed, clock };
}

const isKnown: ResolveTenant = (tenant) => (tenant.startsWith('x') ? undefined : { ...ANSWER });

describe('a TenantDirectory', () => {
  verifies('TEN-36', 'calls the resolver once for all requests, and again after 60 seconds', async () => {
    const { directory, find, asked, clock } = directoryOf(isKnown);
    const found = await Promise.all([find('acme'), find('acme'), find('beta')]);
    expect(found[0]).toBe(found[1]);
    expect(asked).toEqual(['acme', 'beta']);
    clock.seconds = 59.9;
    expect(directory.find('acme')).toBe(found[0]);
    expect(asked).toEqual(['acme', 'beta']);
    clock.seconds = 60;
    const again = await Promise.all([find('acme'), find('acme')]);
    expect(again).toEqual([found[0], found[0]]);
    expect(asked).toEqual(['acme', 'beta', 'acme']);
  });

  verifies('TEN-36', 'remembers for 10 seconds that there is no tenant, also if it is null', async () => {
    for (const nothing of [undefined, null]) {
      const { find, asked, clock } = directoryOf(() => nothing);
      expect(await Promise.all([find('x1'), find('x1')])).toEqual(['unknown_tenant', 'unknown_tenant']);
      clock.seconds = 9.9;
      expect(await find('x1')).toBe('unknown_tenant');
      expect(asked).toEqual(['x1']);
      clock.seconds = 10;
      expect(await find('x1')).toBe('unknown_tenant');
      expect(asked).toEqual(['x1', 'x1']);
    }
  });

  verifies(['TEN-43', 'TEN-29'], 'notices what has changed, and keeps what has not', async () => {
    const answers: Record<string, TenantOptions | undefined> = {
      acme: { authorizationServers: ['https://a.example'] },
    };
    const { find, renewed, clock } = directoryOf((tenant) => answers[tenant]);
    const first = await find('acme');
    clock.seconds = 60;
    answers['acme'] = { authorizationServers: ['https://a.example'] };
    expect(await find('acme')).toBe(first);
    expect(renewed).toEqual([first]);
    // Changed in place.
    clock.seconds = 120;
    (answers['acme'].authorizationServers as string[])[0] = 'https://b.example';
    const second = await find('acme');
    expect(second).not.toBe(first);
    clock.seconds = 180;
    answers['acme'] = undefined;
    expect(await find('acme')).toBe('unknown_tenant');
    answers['acme'] = { authorizationServers: ['https://b.example'] };
    clock.seconds = 189;
    expect(await find('acme')).toBe('unknown_tenant');
    clock.seconds = 190;
    expect(await find('acme')).toEqual(second);
  });

  it('compares functions and stores by what they are, patterns by their text, and what is no data not at all', async () => {
    const clientSecret = (): string => 's';
    const replayStore = { reserve: () => Promise.resolve(true), used: 1n };
    const circular: { self?: object; authorizationServers: string[] } = { authorizationServers: [] };
    circular.self = circular;
    const rounds = [
      { introspection: { clientSecret, opaqueTokenPattern: /^a/ }, oneTimeTokens: { replayStore } },
      { introspection: { clientSecret, opaqueTokenPattern: /^a/ }, oneTimeTokens: { replayStore } },
      { introspection: { clientSecret, opaqueTokenPattern: /^b/ }, oneTimeTokens: { replayStore } },
      {
        introspection: { clientSecret: () => 's', opaqueTokenPattern: /^b/ },
        oneTimeTokens: { replayStore },
      },
    ].map((server) => ({ authorizationServers: [server] }));
    let round: object = {};
    const { find, clock } = directoryOf(() => round as TenantOptions);
    const found: unknown[] = [];
    for (const next of [...rounds, circular, circular]) {
      round = next;
      found.push(await find('acme'));
      clock.seconds += 60;
    }
    const [a, b, c, d, e, f] = found;
    expect(a).toBe(b);
    expect(new Set([b, c, d, e, f]).size).toBe(5);
  });

  verifies('TEN-35', 'finds nothing if the resolver throws, rejects, hangs or returns nonsense', async () => {
    const broken: [ResolveTenant, string][] = [
      [
        () => {
          throw new Error('down');
        },
        'tenant_unavailable',
      ],
      [() => Promise.reject(new Error('down')), 'tenant_unavailable'],
      [() => new Promise(() => undefined), 'tenant_unavailable'],
      [() => ({}) as TenantOptions, 'no servers'],
      [
        () => true as unknown as TenantOptions,
        "Cannot use 'in' operator to search for 'authorizationServers' in true",
      ],
    ];
    for (const [resolve, reason] of broken) {
      let isBroken = true;
      const { find, asked, clock } = directoryOf((tenant) => (isBroken ? resolve(tenant) : ANSWER), 20);
      expect(await find('acme')).toBe(reason);
      // Not at once again.
      expect(await find('acme')).toBe(reason);
      expect(asked).toEqual(['acme']);
      isBroken = false;
      clock.seconds = 1;
      expect(await find('acme')).toEqual({ tenant: 'acme', answer: ANSWER });
      // A tenant that was known is not served with an old answer.
      isBroken = true;
      clock.seconds = 61;
      expect(await find('acme')).toBe(reason);
    }
  });

  verifies(
    'TEN-37',
    'is not called for new tenants after too many failures, and still for known ones',
    async () => {
      const { find, asked, clock } = directoryOf(isKnown);
      await find('acme');
      const flood = Array.from({ length: 5000 }, (_, index) => find(`x${String(index)}`));
      const outcomes = await Promise.all(flood);
      const unknown = outcomes.filter((outcome) => outcome === 'unknown_tenant').length;
      expect(unknown).toBe(asked.length - 1);
      expect(unknown).toBeGreaterThanOrEqual(1000);
      expect(unknown).toBeLessThanOrEqual(1050);
      expect(new Set(outcomes)).toEqual(new Set(['unknown_tenant', 'tenant_unavailable']));
      expect(await find('beta')).toBe('tenant_unavailable');
      clock.seconds = 60;
      asked.length = 0;
      expect(await find('acme')).toMatchObject({ tenant: 'acme' });
      expect(asked).toEqual(['acme']);
      expect(await find('beta')).toMatchObject({ tenant: 'beta' });
      for (let index = 0; index < 1500; index++) await find(`x-${String(index)}`);
      expect(asked.length).toBe(1002);
      // 100 in a second
      clock.seconds = 61;
      for (let index = 0; index < 200; index++) await find(`x--${String(index)}`);
      expect(asked.length).toBe(1102);
    },
  );

  verifies(
    'TEN-37',
    'calls the resolver for 50 new tenants at once, and for known ones beside them',
    async () => {
      const waiting: (() => void)[] = [];
      let isSlow = false;
      const { find, asked, clock } = directoryOf((tenant) =>
        isSlow && tenant !== 'acme'
          ? new Promise((resolve) =>
              waiting.push(() => {
                resolve(ANSWER);
              }),
            )
          : ANSWER,
      );
      await find('acme');
      isSlow = true;
      clock.seconds = 60;
      const flood = Array.from({ length: 120 }, (_, index) => find(`t${String(index)}`));
      await turn();
      expect(asked.length).toBe(51);
      expect(await find('acme')).toMatchObject({ tenant: 'acme' });
      while (waiting.length > 0) {
        for (const answer of waiting.splice(0)) answer();
        await turn();
      }
      expect((await Promise.all(flood)).every((found) => typeof found === 'object')).toBe(true);
    },
  );

  it('gives up waiting for a turn', async () => {
    const { find } = directoryOf(() => new Promise(() => undefined), 20);
    const flood = Array.from({ length: 60 }, (_, index) => find(`t${String(index)}`));
    expect(new Set(await Promise.all(flood))).toEqual(new Set(['tenant_unavailable']));
  });

  verifies(
    'TEN-37',
    'evicts the tenant that was used least recently, of 10,000, and no tenant for an invented one',
    async () => {
      const { directory, find, asked, clock } = directoryOf(isKnown);
      for (let index = 0; index < 10_000; index++) await find(`t${String(index)}`);
      clock.seconds = 2;
      await find('t0');
      for (let round = 0; round < 12; round++) {
        for (let index = 0; index < 1000; index++) await find(`x${String(round)}-${String(index)}`);
        clock.seconds += 2;
      }
      expect(directory.size).toBe(10_000);
      asked.length = 0;
      expect(await Promise.all([find('t0'), find('t1')])).toMatchObject([{ tenant: 't0' }, { tenant: 't1' }]);
      expect(asked).toEqual([]);
      clock.seconds += 2;
      await find('t1');
      await find('new');
      await find('new2');
      expect(directory.size).toBe(10_000);
      asked.length = 0;
      await find('t0');
      await find('t1');
      await find('t4');
      expect(asked).toEqual([]);
      await find('t2');
      await find('t3');
      expect(asked).toEqual(['t2', 't3']);
    },
  );
});
