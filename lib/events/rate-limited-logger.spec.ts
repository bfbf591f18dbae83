import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { RateLimitedLogger } from './rate-limited-logger.js';

describe('RateLimitedLogger', () => {
  let lines: unknown[][];
  let now: number;
  let log: RateLimitedLogger;

  beforeEach(() => {
    lines = [];
    now = 1000;
    const at =
      (level: string) =>
      (...line: unknown[]) => {
        lines.push([level, ...line.slice(0, -1)]); // the last is the logger's name
      };
    Logger.overrideLogger({ log: at('log'), debug: at('debug'), warn: at('warn'), error: at('error') });
    log = new RateLimitedLogger({ now: () => new Date(now * 1000) });
  });

  afterEach(() => {
    Logger.overrideLogger(false);
  });

  const write = (times: number, kind = 'expired'): void => {
    for (let i = 0; i < times; i++) log.write('debug', kind, `line ${String(i)}`);
  };

  it('writes at the level, with further lines where there are any', () => {
    log.write('warn', 'a', 'first');
    log.write('error', 'b', 'second', 'at x');
    expect(lines).toEqual([
      ['warn', 'first'],
      ['error', 'second', 'at x'],
    ]);
  });

  verifies('F111', 'writes ten lines of a kind in a minute, then tells how many it left out', () => {
    write(133);
    expect(lines).toHaveLength(10);
    now += 59.999;
    write(1);
    expect(lines).toHaveLength(10);
    now += 0.001;
    write(1);
    expect(lines.slice(10)).toEqual([
      ['debug', '… and 124 more in 60 s: expired'],
      ['debug', 'line 0'],
    ]);
    write(9);
    expect(lines).toHaveLength(21);
    now += 60;
    write(1);
    expect(lines.slice(21)).toEqual([['debug', 'line 0']]);
  });

  it('counts each kind for itself', () => {
    write(20);
    write(3, 'audience');
    expect(lines).toHaveLength(13);
  });

  it('begins anew when the clock goes back or is broken', () => {
    write(20);
    now -= 1;
    write(1);
    expect(lines).toHaveLength(12);
    now = NaN;
    write(2);
    expect(lines).toHaveLength(14);
  });

  it('does not grow without bound, whatever kinds there are', () => {
    for (let i = 0; i < 2500; i++) write(1, `kind ${String(i)}`);
    expect(lines).toHaveLength(2500);
    expect((log as unknown as { windows: Map<string, unknown> }).windows.size).toBeLessThanOrEqual(1000);
  });
});
