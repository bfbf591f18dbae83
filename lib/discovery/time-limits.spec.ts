import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { TimeLimits } from './time-limits.js';

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('TimeLimits', () => {
  it('leave work its time, and end it after that', async () => {
    const limits = new TimeLimits();
    expect(await limits.run(1000, () => Promise.resolve('done'))).toBe('done');
    await expect(limits.run(20, untilAborted)).rejects.toThrow('The time limit is over');
  });

  verifies('OPS-10', 'end all at once, and keep the process alive only where that is asked for', async () => {
    const limits = new TimeLimits();
    const before = timers();
    const quiet = limits.run(60_000, untilAborted);
    expect(timers()).toBe(before);
    const loud = limits.run(60_000, untilAborted, { keepsAlive: true });
    expect(timers()).toBe(before + 1);
    limits.end();
    await expect(quiet).rejects.toThrow('The application has ended');
    await expect(loud).rejects.toThrow('The application has ended');
    expect(timers()).toBe(before);
  });
});
