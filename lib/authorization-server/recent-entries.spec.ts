import { describe, expect, it } from 'vitest';
import { RecentEntries } from './recent-entries.js';

interface Entry {
  readonly name: string;
  isProven: boolean;
}

describe('RecentEntries', () => {
  const entry = (name: string, isProven = false): Entry => ({ name, isProven });
  const make = (limit: number) => new RecentEntries<Entry>(limit, ({ isProven }) => isProven);
  const names = (entries: RecentEntries<Entry>): string =>
    [...entries.values()].map(({ name }) => name).join('');

  it('evicts the entry that was used least recently', () => {
    const entries = make(3);
    for (const name of 'abc') entries.set(name, entry(name));
    entries.use('a');
    entries.peek('b');
    entries.set('d', entry('d'));
    expect([names(entries), entries.size]).toEqual(['cad', 3]);
    expect([entries.peek('b'), entries.use('b')]).toEqual([undefined, undefined]);
    entries.delete('c');
    expect(names(entries)).toBe('ad');
  });

  it('evicts entries that have proven themselves last, however many others arrive', () => {
    const entries = make(20);
    for (const name of 'abcdefghijklmnopqr') entries.set(name, entry(name, true));
    for (let at = 0; at < 1000; at += 1) entries.set(String(at), entry('.'));
    expect(names(entries)).toBe('abcdefghijklmnopqr..');
    expect(entries.peek('999')).toBeDefined();
  });

  it('makes room for new entries if all others have proven themselves', () => {
    const entries = make(10);
    for (const name of 'abcdefghij') entries.set(name, entry(name, true));
    entries.set('k', entry('k'));
    expect(names(entries)).toBe('bcdefghijk');
    entries.set('l', entry('l', true));
    expect(names(entries)).toBe('cdefghijlk');
  });

  it('notices an entry that has proven itself since, and lets it stay so', () => {
    const entries = make(3);
    const first = entry('a');
    entries.set('a', first);
    first.isProven = true;
    for (const name of 'bcde') entries.set(name, entry(name));
    expect(names(entries)).toBe('ade');
    first.isProven = false;
    entries.use('a');
    entries.set('f', entry('f'));
    expect(names(entries)).toBe('aef');
  });

  it('replaces an entry', () => {
    const entries = make(2);
    entries.set('a', entry('a', true));
    entries.set('a', entry('b'));
    expect([names(entries), entries.size]).toEqual(['b', 1]);
  });
});
