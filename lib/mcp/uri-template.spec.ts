import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { uriMatcher } from './uri-template.js';

describe('uriMatcher', () => {
  verifies('SCP-21', 'covers every spelling in which a transport may read a URI', () => {
    const covers = uriMatcher('note://{id}');
    for (const uri of [
      'note://1',
      'NOTE://1',
      'note://%31',
      'note://a/../1',
      'note://./1',
      'note://1/',
      'note://1?x=1',
      'note://1#x',
      'other://1',
      '1',
      'note://%E0%A4',
      '',
    ]) {
      expect([uri, covers(uri)]).toEqual([uri, true]);
    }
  });

  it.each([
    ['note://public', 'note://public', true],
    ['note://public', 'note://PUBLIC', true],
    ['note://public', 'note://public/', true],
    ['note://public', 'note://publi%63', true],
    ['note://public', 'note://x/../public', false],
    ['note://h/public', 'note://h/x/../public', true],
    ['note://h/public', 'note://h/x/%2e%2e/public', true],
    ['note://public', 'note://publi', false],
    ['note://public', 'note://publicx', false],
    ['note://public', 'note://xpublic', false],
    ['note://{id}/text', 'note://1/text', true],
    ['note://{id}/text', 'note://1/Text?q=1', true],
    ['note://{id}/text', 'note://1/tex', false],
    ['note://{id}/text', 'note://text', false],
    ['note://{a}/to/{b}', 'note://1/to/2', true],
    ['note://{a}/to/{b}', 'note://1/to2', false],
    ['note://{a}/to/{b}/end', 'note://1/to/2/end', true],
    ['note://{a}/to/{b}/end', 'note://1/to/end', false],
    ['note://{a}{b}', 'note://12', true],
    ['note://all{?page}', 'note://all?page=2', true],
    ['note://all{?page}', 'note://al?page=2', false],
    ['note://:id/*rest', 'note://1/a/b', true],
    ['a.c', 'abc', false],
    ['file:///a(b)', 'file:///a(b)', true],
    ['note://a%20b/{id}', 'note://a%20b/%E0%A4', true],
    ['note://a%20b/{id}', 'note://a b/%E0%A4', true],
    ['note://a b/{id}', 'note://a%20b/%', true],
    ['note://é/{id}', 'note://%C3%A9/%', true],
    ['note://é/{id}', 'note://%E9/1', false],
    ['note://all{&page}', 'note://all&page=2', true],
    ['note://all{&page}', 'note://al&page=2', false],
    ['note://a{/b{/c}}', 'note://a/b/c', true],
    ['note://a{/b{/c}}/d', 'note://a/b/e', false],
    ['note://:"my id"/text', 'note://1/text', true],
    ['note://:é/text', 'note://1/text', true],
    ['note://:é/text', 'note://1/tex', false],
    ['note://a\\:b', 'note://a:b', true],
    ['proxy://https://{host}', 'x://https', true],
    ['proxy://https://{host}', 'x://http', false],
    ['note://σ/{id}', 'note://ς/1', true],
  ])('tells for %s whether it covers %s: %s', (template, uri, expected) => {
    expect(uriMatcher(template)(uri)).toBe(expected);
  });

  it('never throws, and covers every text that its variables are filled in with', () => {
    const property = fc.property(fc.string(), fc.string(), (one, two) => {
      expect(uriMatcher('x://{a}/to/{b}')(`x://${one}/to/${two}`)).toBe(true);
      expect(typeof uriMatcher(one)(two)).toBe('boolean');
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('takes linear time', () => {
    const covers = uriMatcher('x://{a}/{b}/{c}/{d}/end');
    const begin = performance.now();
    expect(covers(`x://${'/'.repeat(500_000)}`)).toBe(false);
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});
