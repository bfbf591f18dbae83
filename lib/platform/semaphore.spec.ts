import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { QueueFullError, Semaphore } from './semaphore.js';

/** Tasks that run with one of two permits, by name; `end` ends the one that runs. */
function bounded(permits = 2, maxWaiting = Infinity) {
  const semaphore = new Semaphore(permits, maxWaiting);
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const run = async (name: string, signal = new AbortController().signal): Promise<string> => {
    await semaphore.acquire(signal);
    try {
      return await new Promise((resolve, reject) => {
        begun.push(name);
        ends.set(name, (error) => {
          if (error) reject(error);
          else resolve(name);
        });
      });
    } finally {
      semaphore.release();
    }
  };
  const end = (name: string, error?: Error): void => {
    ends.get(name)!(error);
  };
  return { run, end, begun };
}

/** Long enough for what is ready to go on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Semaphore', () => {
  verifies('OPQ-10', 'runs as many tasks at once as it may, and the others in turn', async () => {
    const { run, end, begun } = bounded();
    const all = ['a', 'b', 'c', 'd'].map((name) => run(name));
    await settled();
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await settled();
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const name of ['c', 'a']) end(name);
    await settled();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    end('d');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
    // All places are free again, and no more than there were.
    for (const name of ['e', 'f', 'g']) void run(name);
    await settled();
    expect(begun.slice(4)).toEqual(['e', 'f']);
  });

  verifies('OPQ-10', 'has one wait no longer than its signal lets it, and then it never runs', async () => {
    const { run, end, begun } = bounded(1);
    const first = run('a');
    const limit = new AbortController();
    const second = run('b', limit.signal);
    const third = run('c');
    limit.abort(new Error('too late'));
    await expect(second).rejects.toThrow('too late');
    await expect(run('d', limit.signal)).rejects.toThrow('too late');
    end('a');
    await first;
    await settled();
    expect(begun).toEqual(['a', 'c']);
    end('c');
    await third;
  });

  verifies('WAY-14', 'has only so many wait, and fails the others at once', async () => {
    const { run, end, begun } = bounded(1, 2);
    const limit = new AbortController();
    const first = run('a');
    const second = run('b', limit.signal);
    const third = run('c');
    await expect(run('d')).rejects.toBeInstanceOf(QueueFullError);
    // One that gives up makes room for another.
    limit.abort(new Error('too late'));
    await expect(second).rejects.toThrow('too late');
    const fourth = run('e');
    await expect(run('f')).rejects.toBeInstanceOf(QueueFullError);
    for (const name of ['a', 'c', 'e']) {
      end(name);
      await settled();
    }
    expect(await Promise.all([first, third, fourth])).toEqual(['a', 'c', 'e']);
    expect(begun).toEqual(['a', 'c', 'e']);
    const none = bounded(1, 0);
    const only = none.run('a');
    await expect(none.run('b')).rejects.toBeInstanceOf(QueueFullError);
    none.end('a');
    await only;
    const next = none.run('c');
    await settled();
    none.end('c');
    expect(await next).toBe('c');
  });

  it('lets one that has begun go on when its signal is aborted, until it ends', async () => {
    const { run, end, begun } = bounded(1);
    const limit = new AbortController();
    const first = run('a', limit.signal);
    const second = run('b');
    limit.abort();
    await settled();
    expect(begun).toEqual(['a']);
    end('a');
    expect(await first).toBe('a');
    await settled();
    end('b');
    expect(await second).toBe('b');
  });

  it('frees the place of one that failed', async () => {
    const { run, end, begun } = bounded(1);
    const first = run('a');
    const second = run('b');
    await settled();
    end('a', new Error('failed'));
    await expect(first).rejects.toThrow('failed');
    await settled();
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await second;
  });
});
