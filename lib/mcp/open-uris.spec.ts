import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { strictUriMatcher } from './open-uris.js';

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
  });
});
