import { describe, expect, it } from 'vitest';
import { steadySeconds } from './steady-clock.js';

/** What the clock says after each of these times, in seconds. */
function readings(...times: number[]): number[] {
  let time = 0;
  const seconds = steadySeconds(() => new Date(time * 1000));
  return times.map((next) => {
    time = next;
    return seconds();
  });
}

describe('steadySeconds', () => {
  it('counts from the first call', () => {
    expect(readings(1000, 1000, 1001.5, 1060)).toEqual([0, 0, 1.5, 60]);
  });

  it('does not go back, and goes on from where it was set back to', () => {
    expect(readings(1000, 1010, 10, 11, 1010)).toEqual([0, 10, 10, 11, 1010]);
  });

  it('stands still while the time is no number', () => {
    expect(readings(NaN, 1000, NaN, 1010, NaN)).toEqual([0, 0, 0, 10, 10]);
  });
});
