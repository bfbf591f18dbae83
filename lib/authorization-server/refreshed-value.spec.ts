import { beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { RefreshedValue } from './refreshed-value.js';

const FRESH = 100;
const STALE = 1000;

/** A load under way. */
interface Load {
  succeed(value: string): void;
  fail(reason?: string): void;
}

describe('RefreshedValue', () => {
  let time: number;
  let loads: Load[];
  let told: string[];
  let value: RefreshedValue<string>;

  beforeEach(() => {
    time = 1_000_000;
    loads = [];
    told = [];
    value = new RefreshedValue<string>(
      () =>
        new Promise((resolve, reject) => {
          loads.push({
            succeed: resolve,
            fail: (reason = 'down') => {
              reject(new Error(reason));
            },
          });
        }),
      {
        freshSeconds: FRESH,
        staleSeconds: STALE,
        now: () => new Date(time * 1000),
        onLoaded: () => told.push('loaded'),
        onFailed: (error) => told.push((error as Error).message),
      },
    );
  });

  /** Asks, and lets the load that this begins end so. */
  const get = async (end: (load: Load) => void): Promise<string> => {
    const before = loads.length;
    const result = value.get();
    await Promise.resolve();
    expect(loads).toHaveLength(before + 1);
    end(loads[before]!);
    return result;
  };
  const loaded = (name: string) =>
    get((load) => {
      load.succeed(name);
    });
  const failed = () =>
    get((load) => {
      load.fail();
    });
  /** What is there without any load. */
  const kept = async (): Promise<string> => {
    const before = loads.length;
    try {
      return await value.get();
    } finally {
      expect(loads).toHaveLength(before);
    }
  };

  it('loads when it is first asked, and keeps what it has until the second it is too old', async () => {
    expect(loads).toEqual([]);
    expect(value.state()).toEqual({ ageSeconds: undefined, failure: undefined, isUsable: false });
    expect(await loaded('a')).toBe('a');
    time += FRESH - 1;
    expect(await kept()).toBe('a');
    expect(value.state()).toEqual({ ageSeconds: FRESH - 1, failure: undefined, isUsable: true });
    time += 1;
    expect(await loaded('b')).toBe('b');
    expect(await kept()).toBe('b');
    expect(told).toEqual(['loaded', 'loaded']);
  });

  verifies(['KEY-04', 'F22'], 'loads once however many ask', async () => {
    const all = Array.from({ length: 200 }, () => value.get());
    expect(loads).toHaveLength(1);
    loads[0]!.succeed('a');
    expect(new Set(await Promise.all(all))).toEqual(new Set(['a']));
    time += FRESH;
    const again = [...Array.from({ length: 200 }, () => value.get()), value.refresh()];
    expect(loads).toHaveLength(2);
    loads[1]!.succeed('b');
    expect(new Set(await Promise.all(again))).toEqual(new Set(['b']));
  });

  it('fails for all who wait, and at once in the pause after it', async () => {
    const all = Array.from({ length: 200 }, () => value.get());
    loads[0]!.fail();
    const settled = await Promise.allSettled(all);
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    await expect(kept()).rejects.toThrow('down');
    await expect(value.refresh()).rejects.toThrow('down');
    expect(loads).toHaveLength(1);
    expect(told).toEqual(['down']);
  });

  verifies(
    'KEY-05',
    'pauses longer with each failure, up to a minute, and anew after a success',
    async () => {
      for (const pause of [5, 10, 20, 40, 60, 60]) {
        await expect(failed()).rejects.toThrow('down');
        time += pause - 1;
        await expect(kept()).rejects.toThrow('down');
        time += 1;
      }
      expect(await loaded('a')).toBe('a');
      time += FRESH;
      expect(await failed()).toBe('a');
      time += 5;
      expect(
        await get((load) => {
          load.succeed('b');
        }),
      ).toBe('a');
      expect(await kept()).toBe('b');
    },
  );

  verifies('KEY-06', 'keeps the old value while it cannot be renewed, until it is too old', async () => {
    await loaded('a');
    time += FRESH;
    expect(await failed()).toBe('a');
    expect(await kept()).toBe('a');
    expect(value.state()).toMatchObject({ ageSeconds: FRESH, isUsable: true });
    expect(value.peek()).toBe('a');
    time += STALE - FRESH - 1;
    expect(
      await get((load) => {
        load.fail('still down');
      }),
    ).toBe('a');
    time += 1;
    await expect(kept()).rejects.toThrow('still down');
    expect(value.state()).toMatchObject({ ageSeconds: STALE, isUsable: false });
    expect(value.peek()).toBeUndefined();
  });

  it('does not let a caller wait for a fetch that failed before', async () => {
    await loaded('a');
    time += FRESH;
    await failed();
    time += 5;
    expect(await value.get()).toBe('a');
    expect(await value.get()).toBe('a');
    expect(loads).toHaveLength(3);
    loads[2]!.succeed('b');
    await value.refresh();
    expect(await kept()).toBe('b');
  });

  describe('with a time ahead', () => {
    const ahead = (random: number): RefreshedValue<number> =>
      new RefreshedValue<number>(
        () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(++count)),
        {
          freshSeconds: FRESH,
          staleSeconds: STALE,
          aheadSeconds: 10,
          random: () => random,
          now: () => new Date(time * 1000),
          onFailed: () => told.push('failed'),
        },
      );
    let count: number;
    let isDown: boolean;
    const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

    beforeEach(() => {
      count = 0;
      isDown = false;
    });

    it('is fresh until the drawn moment, so that the next caller fetches it then', async () => {
      const drawn = ahead(0.5);
      expect(drawn.fresh()).toBeUndefined();
      await drawn.get();
      time += 94.9;
      expect([drawn.fresh(), count]).toEqual([1, 1]);
      time += 0.1;
      expect([drawn.fresh(), count]).toEqual([undefined, 1]);
    });

    verifies('ASM-19', 'renews it from the drawn moment on, and no caller waits', async () => {
      for (const [random, from] of [
        [0, 100],
        [0.25, 97.5],
        [0.75, 92.5],
      ] as const) {
        count = 0;
        const drawn = ahead(random);
        expect(await drawn.get()).toBe(1);
        time += from - 0.1;
        expect([await drawn.get(), count]).toEqual([1, 1]);
        time += 0.1;
        // At the end of its time there is none ahead: then the new one is waited for.
        expect([await drawn.get(), count]).toEqual([from === FRESH ? 2 : 1, 2]);
        await settled();
        expect([await drawn.get(), count]).toEqual([2, 2]);
        time += from - 0.1;
        expect([await drawn.get(), count]).toEqual([2, 2]);
      }
    });

    verifies('ASM-19', 'keeps it when that fails, and tries again after the pause', async () => {
      const drawn = ahead(0.99);
      await drawn.get();
      isDown = true;
      time += 91;
      expect(await drawn.get()).toBe(1);
      await settled();
      expect(await drawn.get()).toBe(1);
      expect(told).toEqual(['failed']);
      isDown = false;
      time += 5;
      expect(await drawn.get()).toBe(1);
      await settled();
      expect(await drawn.get()).toBe(2);
    });
  });

  it('does not serve what grew too old while it was renewed in vain', async () => {
    await loaded('a');
    time += STALE - 1;
    const late = get((load) => {
      time += 1;
      load.fail();
    });
    await expect(late).rejects.toThrow('down');
  });

  it('counts the age from when it asked, so that a slow answer is not taken for a new one', async () => {
    await get((load) => {
      time += 30;
      load.succeed('a');
    });
    expect(value.state().ageSeconds).toBe(30);
  });

  it('keeps a good value whatever a forced load comes to', async () => {
    await loaded('a');
    const forced = value.refresh();
    loads[1]!.fail();
    await expect(forced).rejects.toThrow('down');
    expect(await kept()).toBe('a');
    expect(value.state()).toMatchObject({ failure: new Error('down'), isUsable: true });
  });

  it('leaves no rejection unhandled if no caller awaits it', async () => {
    const unhandled: unknown[] = [];
    const record = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on('unhandledRejection', record);
    void value.refresh();
    loads[0]!.fail();
    await new Promise((resolve) => setImmediate(resolve));
    void value.refresh();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', record);
    expect(unhandled).toEqual([]);
  });

  it('takes a load that throws for one that fails', async () => {
    const thrower = new RefreshedValue<string>(
      () => {
        throw new Error('at once');
      },
      { freshSeconds: 1, staleSeconds: 1, now: () => new Date() },
    );
    await expect(thrower.get()).rejects.toThrow('at once');
  });

  it('is not kept for ever by a clock that is set back', async () => {
    await loaded('a');
    time -= 31_536_000;
    expect(await kept()).toBe('a');
    time += FRESH;
    expect(await loaded('b')).toBe('b');
  });

  it('does not pause for ever by a clock that is set back', async () => {
    await expect(failed()).rejects.toThrow('down');
    time -= 31_536_000;
    await expect(kept()).rejects.toThrow('down');
    time += 5;
    expect(await loaded('a')).toBe('a');
  });

  it('loads no more than once by a clock that gives no time', async () => {
    time = NaN;
    expect(await loaded('a')).toBe('a');
    expect(await kept()).toBe('a');
  });

  describe('a look', () => {
    /** Looks, and tells how many loads that has begun. */
    const look = async (end?: (load: Load) => void): Promise<number> => {
      const before = loads.length;
      const looked = value.look();
      await Promise.resolve();
      if (end) end(loads[loads.length - 1]!);
      await looked;
      return loads.length - before;
    };
    const succeed = (load: Load): void => {
      load.succeed('b');
    };
    const fail = (load: Load): void => {
      load.fail();
    };

    verifies('WAY-19', 'loads what is good still, but not within 5 seconds of the last attempt', async () => {
      expect(await loaded('a')).toBe('a');
      time += 4;
      expect(await look()).toBe(0);
      time += 1;
      expect(await look(succeed)).toBe(1);
      expect(await kept()).toBe('b');
      expect(value.state().ageSeconds).toBe(0);
    });

    verifies('WAY-19', 'loads in the pause after a failure, and throws nothing', async () => {
      expect(await look(fail)).toBe(1);
      expect(value.retryInSeconds()).toBe(5);
      time += 4;
      expect([await look(), value.retryInSeconds()]).toEqual([0, 1]);
      time += 1;
      expect([await look(fail), value.retryInSeconds()]).toEqual([1, 10]);
      time += 5;
      await expect(value.get()).rejects.toThrow('down');
      expect([await look(succeed), value.retryInSeconds()]).toEqual([1, undefined]);
      expect(told).toEqual(['down', 'down', 'loaded']);
    });

    verifies('WAY-19', 'joins a load that is under way', async () => {
      const asked = value.get();
      expect(await look(succeed)).toBe(0);
      expect(await asked).toBe('b');
    });
  });
});
