import { performance } from 'node:perf_hooks';
import { UriTemplate } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { uriMatcher, uriSpellings } from './uri-template.js';

describe('uriMatcher', () => {
  verifies('WAY-04', 'covers what a URL parser makes of an accented host, however often it is asked', () => {
    const covers = uriMatcher('https://xn--mnchen-3ya.example/{id}');
    const outcomes = new Set(Array.from({ length: 20_000 }, () => covers('https://m\u00fcnchen.example/1')));
    expect([...outcomes]).toEqual([true]);
    expect(covers('https://munchen.example/1')).toBe(false);
  });

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

describe('uriSpellings', () => {
  verifies('WAY-04', 'is the URI alone where it is spelled as its template', () => {
    for (const [template, uri] of [
      ['folder://{folder}', 'folder://hr'],
      ['folder://{folder}', 'folder://HR'],
      ['note://items/{id}/text', 'note://items/1/text'],
      ['note://:id/*rest', 'note://1/a/b'],
      ['urn:note:{id}', 'urn:note:1'],
      ['https://example.com/{id}', 'https://example.com/1'],
      ['board://front', 'board://front'],
    ] as const) {
      expect(uriSpellings(template, uri)).toEqual([uri]);
    }
  });

  it.each([
    ['folder://{folder}', 'x://hr', 'folder://hr'],
    ['folder://{folder}', 'hr', 'folder://hr'],
    ['folder://{folder}', 'FOLDER://%68r/', 'folder://hr'],
    ['folder://{folder}', ' fol\tder://h\nr ', 'folder://hr'],
    ['folder://{folder}', 'folder://hr?a#b', 'folder://hr'],
    ['folder://{folder}', 'folder://it/../hr', 'folder://it/hr'],
    ['folder://{folder}', 'folder://hr://it', 'folder://hr'],
    ['folder://{folder}', 'folder://%E6%97%A5%FF', 'folder://\u65e5\ufffd'],
    ['folder://{+path}', 'folder://hr%2Fa', 'folder://hr/a'],
    ['shelf://hr/{id}', 'SHELF://HR/A', 'shelf://hr/A'],
    ['shelf://hr/{id}/End', 'shelf://h%52/\u00df\u1e9e/eND/', 'shelf://hr/\u00df\u1e9e/End'],
    ['a://{x}/to/{y}', 'a://1/TO/2', 'a://1/to/2'],
    ['note://a%20b/{id}', 'NOTE://A b/1', 'note://a%20b/1'],
    ['all://notes{?page}', 'all://Notes?page=2', 'all://notes'],
  ])('reads for %s in %j also %j', (template, uri, spelling) => {
    const spellings = uriSpellings(template, uri);
    expect(spellings).toContain(spelling);
    expect(spellings[0]).toBe(uri);
    expect(spellings.length).toBeLessThan(60);
  });

  verifies('WAY-04', 'has what the template of the SDK makes of any URI', () => {
    const piece = fc.constantFrom(
      'hr',
      'HR',
      '%68',
      '/',
      '//',
      '..',
      '?',
      '#',
      '%2F',
      '%',
      ' ',
      '\t',
      '\u00e9',
      'x',
    );
    const prefix = fc.constantFrom('folder://', 'FOLDER://', ' folder:\n//', 'folder://hr/');
    const template = new UriTemplate('folder://{folder}');
    let matched = 0;
    fc.assert(
      fc.property(prefix, fc.array(piece, { minLength: 1, maxLength: 6 }), (start, pieces) => {
        const uri = start + pieces.join('');
        const found = URL.canParse(uri) && template.match(new URL(uri).toString());
        if (!found) return;
        matched++;
        expect(uriSpellings('folder://{folder}', uri)).toContain(`folder://${String(found['folder'])}`);
      }),
      { numRuns: 2000 },
    );
    expect(matched).toBeGreaterThan(100);
  });
});
