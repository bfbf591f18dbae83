import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { isSimple, strictUriMatcher } from './open-uris.js';

const matched = (declared: string, uris: readonly string[]): string[] =>
  uris.filter(strictUriMatcher(declared));

describe('strictUriMatcher', () => {
  verifies('CLI-22', 'matches a URI only as it is declared', () => {
    const near = [
      'board://Front',
      'BOARD://front',
      'board://front/',
      'board://front?a',
      'board://fron',
      'xboard://front',
    ];
    expect(matched('board://front', ['board://front', ...near, 'board://front\n'])).toEqual([
      'board://front',
    ]);
    expect(matched('a.b://c+d(e)', ['a.b://c+d(e)', 'axb://c+d(e)', 'a.b://ccd(e)'])).toEqual([
      'a.b://c+d(e)',
    ]);
  });

  verifies(
    'CLI-22',
    'matches plain values of variables, and nothing that a server may read as another URI',
    () => {
      const open = ['note://1/page', 'note://a.b_c~d-e/page', 'note://.../page'];
      const closed = [
        'note:///page',
        'note://1',
        'note://1/2/page',
        'note://1/page/2',
        'note://1/page?x',
        'note://1%2Fpage/page',
        'note://a b/page',
        'note://é/page',
        'note://../page',
        'note://./page',
        'note://{id}/page',
        'Note://1/page',
        'board://1/page',
        '',
      ];
      expect(matched('note://{id}/page', [...open, ...closed])).toEqual(open);
      expect(matched('note://{a}/{b}', ['note://1/2', 'note://1/', 'note:///2', 'note://1/..'])).toEqual([
        'note://1/2',
      ]);
    },
  );

  verifies('CLI-22', 'matches a URI only if it can be divided into values in one way', () => {
    const dates = ['log://2026-01-02', 'log://a.b-c-~', 'log://.a-..b-...'];
    const others = [
      'log://1-2-3-4',
      'log://1--2-3',
      'log://---',
      'log://-1-2',
      'log://1-2-',
      'log://1-2',
      'log://1-.-3',
      'log://..-2-3',
      'log://1-2-..',
      'log://1-%2D-3',
      'log://',
      'log:/',
    ];
    expect(matched('log://{y}-{m}-{d}', [...dates, ...others])).toEqual(dates);
    const files = ['file:a.b', 'file:a.b.c', 'file:a..b', 'file:.b', 'file:a.', 'file:..', 'file:a'];
    expect(matched('file:{name}.{ext}', files)).toEqual(['file:a.b']);
    expect(matched('{a}{b}', ['ab', 'abc', 'a', '', 'a/', '.a'])).toEqual(['ab']);
    expect(matched('ab{x}ba', ['aba', 'abba', 'ababa', 'abxba', 'abxyba', 'abx'])).toEqual([
      'ababa',
      'abxba',
      'abxyba',
    ]);
    expect(matched('a:{x}', ['a:1', 'a:', 'a', 'a:1\n', 'a:.', 'a:..', 'a:...'])).toEqual(['a:1', 'a:...']);
  });

  it('takes time linear in the length of the URI', () => {
    const templates = ['log://{y}-{m}-{d}', 'log://{name}.{ext}', 'log://{a}{b}{c}', 'log://{a}--{b}--{c}-'];
    const long = ['-', '.', '-.', 'a', '-a', '/', '!'].flatMap((part) => {
      const text = part.repeat(60_000 / part.length);
      return [`log://${text}`, `log://a${text}!`, `log://${text}-`];
    });
    const started = performance.now();
    for (const template of templates) expect(matched(template, long)).toEqual([]);
    const each = (performance.now() - started) / templates.length / long.length;
    expect(each).toBeLessThan(10);
    // Long values are open too.
    const uri = `log://${'1'.repeat(20_000)}-${'2'.repeat(20_000)}-${'3'.repeat(20_000)}`;
    expect(matched('log://{y}-{m}-{d}', [uri, `${uri}-4`])).toEqual([uri]);
  });

  it.each([
    'note://{+path}',
    'note://{?q}',
    'note://{id*}',
    'note://{a,b}',
    'note://{/a}',
    'note://{id',
    'note://}',
  ])('matches nothing for %s', (declared) => {
    expect(matched(declared, ['note://1', declared, 'note://'])).toEqual([]);
    expect(isSimple(declared)).toBe(false);
  });
});
