import { describe, expect, it } from 'vitest';
import { hasTargetValue, longestPart, replaceTargetValue, targetParts, targetText } from './target-values.js';

describe('the target of a request', () => {
  it.each([
    [{ url: '/m?sessionId=a' }, true],
    [{ url: '/m?x=%61' }, true],
    [{ url: '/m?x[y]=b&x[]=a' }, true],
    [{ url: '/m?x[a]=1' }, true],
    [{ url: '/', originalUrl: '/m?x=a' }, true],
    [{ url: '/m#sessionId=a' }, true],
    [{ url: '/m;sessionId=a' }, true],
    [{ url: '/m/a' }, true],
    [{ url: '/m?a' }, true],
    [{ url: '/m/b?x=%zz&y=a' }, true],
    [{ url: '/m?x=b%26y%3Da' }, true],
    [{ url: '/ab?aa=A%zz' }, false],
    [{ url: '/m' }, false],
    [{}, false],
  ])('of %j has the value "a": %j', (request, has) => {
    expect([targetParts(request).has('a'), hasTargetValue(request, 'a')]).toEqual([has, has]);
  });

  it.each(['dmqQ7KWF/MSVBJTAEq+mSA==', 'a/b', '+a+', 'x,y;z'])('has %j in each encoding', (id) => {
    const value = targetText(id);
    for (const sent of [id, encodeURIComponent(id), encodeURI(id), id.replaceAll('/', '%2f')]) {
      const request = { url: `/m?x=1&sessionId=${sent}&y=2` };
      expect([targetParts(request).has(longestPart(value)), hasTargetValue(request, value)]).toEqual([
        true,
        true,
      ]);
      replaceTargetValue({}, request, value, 'new');
      expect(request.url).toBe('/m?x=1&sessionId=new&y=2');
    }
    expect(hasTargetValue({ url: `/m?sessionId=x${id.replaceAll('+', 'y')}x` }, value)).toBe(false);
  });

  it('has nothing to look up in a value of delimiters only', () => {
    expect([longestPart('=='), longestPart('a/bcd=ef')]).toEqual(['', 'bcd']);
  });

  it('has another value in its place wherever it was', () => {
    const node = { url: '/a?x=1%202&y=%zz&sessionId=a', originalUrl: '/m/a?sessionId=%61&sessionId=b' };
    const request = {
      query: { x: 'a', y: ['a', { z: 'a' }], n: null, o: 'b', a: '' },
      params: { id: 'a' },
    };
    replaceTargetValue(request, node, 'a', 'new');
    expect(node).toEqual({
      url: '/new?x=1%202&y=%zz&sessionId=new',
      originalUrl: '/m/new?sessionId=new&sessionId=b',
    });
    expect(request.query).toEqual({ x: 'new', y: ['new', { z: 'new' }], n: null, o: 'b', new: '' });
    expect(request.params).toEqual({ id: 'new' });
    const nothing = {};
    replaceTargetValue({}, nothing, 'a', 'new');
    expect(nothing).toEqual({});
  });
});
