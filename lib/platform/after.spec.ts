import { describe, expect, it } from 'vitest';
import { after } from './after.js';

describe('after', () => {
  it('goes on at once if there is nothing to await', () => {
    const steps: string[] = [];
    const next = (): undefined => void steps.push('next');
    expect(after(undefined, next)).toBeUndefined();
    expect(steps).toEqual(['next']);
  });

  it('goes on after what is pending, and not after its rejection', async () => {
    const steps: string[] = [];
    const next = (): undefined => void steps.push('next');
    const pending = after(Promise.resolve(), next);
    expect(steps).toEqual([]);
    await pending;
    expect(steps).toEqual(['next']);
    await expect(after(Promise.reject(new Error('denied')), next)).rejects.toThrow('denied');
    expect(steps).toEqual(['next']);
  });
});
