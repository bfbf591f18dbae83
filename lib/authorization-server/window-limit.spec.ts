import { expect, it } from 'vitest';
import { WindowLimit } from './window-limit.js';

it('WindowLimit counts anew after each window', () => {
  let now = 5;
  const limit = new WindowLimit(2, 10, () => now);
  const takes = (): boolean[] => [limit.take(), limit.take(), limit.take()];
  expect(takes()).toEqual([true, true, false]);
  now = 14.9;
  expect(takes()).toEqual([false, false, false]);
  now = 15;
  expect(takes()).toEqual([true, true, false]);
});
