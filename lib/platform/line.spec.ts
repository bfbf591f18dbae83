import { describe, expect, it } from 'vitest';
import { Line, type Place } from './line.js';

describe('Line', () => {
  /** Those that are left, from the first. */
  const left = (line: Line<string>): string[] => {
    const names: string[] = [];
    for (let place = line.first; place; place = place.after) names.push(place.value);
    return names;
  };

  const enter = (line: Line<string>, names: string): Place<string>[] =>
    names.split('').map((name) => line.enter(name));

  it.each(['abc', 'acb', 'bac', 'bca', 'cab', 'cba'])('is left in any order: %s', (order) => {
    const line = new Line<string>();
    const places = enter(line, 'abc');
    let rest = 'abc';
    for (const name of order) {
      expect(line.leave(places['abc'.indexOf(name)] as Place<string>)).toBe(true);
      rest = rest.replace(name, '');
      expect(left(line).join('')).toBe(rest);
    }
    enter(line, 'de');
    expect(left(line)).toEqual(['d', 'e']);
  });

  it('is left once, only by its own node, and keeps no link to a node that left', () => {
    const line = new Line<string>();
    const [a, b, c] = enter(line, 'abc') as [Place<string>, Place<string>, Place<string>];
    expect([line.leave(b), line.leave(b)]).toEqual([true, false]);
    expect([b.before, b.after]).toEqual([undefined, undefined]);
    expect([a.after, c.before]).toEqual([c, a]);
    expect(left(line)).toEqual(['a', 'c']);
  });
});
