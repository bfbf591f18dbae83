import { describe, expect, it } from 'vitest';
import { headerValues } from './header-values.js';

const RAW = ['Host', 'a', 'ORIGIN', 'http://a', 'X-Origin', 'origin', 'origin', 'http://b', 'Origins', 'c'];

describe('headerValues', () => {
  it('gives the value of every line, whatever its letter case, in order', () => {
    expect(headerValues({ headers: { origin: 'http://z' }, rawHeaders: RAW }, 'origin')).toEqual([
      'http://a',
      'http://b',
    ]);
    expect(headerValues({ headers: {}, rawHeaders: ['x', 'origin', 'y', 'z'] }, 'origin')).toEqual([]);
    expect(headerValues({ headers: {}, rawHeaders: ['origin', ''] }, 'origin')).toEqual(['']);
  });

  it("reads the Node request behind a request of Fastify's", () => {
    expect(headerValues({ headers: {}, raw: { rawHeaders: RAW } }, 'host')).toEqual(['a']);
  });

  it('does not take a header for absent that stands elsewhere', () => {
    const headers = { origin: 'http://a' };
    for (const lines of [undefined, []]) {
      expect(headerValues({ headers, ...(lines && { rawHeaders: lines }) }, 'origin')).toEqual(['http://a']);
    }
    expect(headerValues({ headers, raw: {} }, 'origin')).toEqual(['http://a']);
    expect(headerValues({ headers, rawHeaders: ['Host', 'a'] }, 'origin')).toEqual(['http://a']);
    const several = { origin: ['http://a', 'http://b'] } as unknown as { origin: string };
    expect(headerValues({ headers: several }, 'origin')).toEqual(['http://a', 'http://b']);
    expect(headerValues({ headers: {} }, 'origin')).toEqual([]);
  });
});
