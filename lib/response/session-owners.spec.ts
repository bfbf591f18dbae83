import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { SessionOwners } from './session-owners.js';

function owners(limits: { maxSessions?: number; maxIdleSeconds?: number } = {}) {
  const clock = { seconds: 0 };
  const made = new SessionOwners({ maxSessions: 100, maxIdleSeconds: 60, ...limits }, () => clock.seconds);
  // A owner of its own for each name; "a/2" is another client of the person "a".
  const owner = (key: string) => ({ key, sharer: key.replace(/\/.*/, '') });
  const owners = {
    bind: (id: string, key: string) => {
      made.bind(id, owner(key));
    },
    use: (id: string, key: string) => made.use(id, owner(key)),
    forget: (id: string) => {
      made.forget(id);
    },
    get size() {
      return made.size;
    },
    pass: (id: string, from: string, to: string) => made.pass(id, owner(from), owner(to)),
    get held() {
      return Reflect.get(made, 'held') as unknown;
    },
    get large() {
      return [...(Reflect.get(made, 'large') as Map<string, unknown>).keys()];
    },
  };
  return { clock, owners };
}

describe('SessionOwners', () => {
  it('knows the owner of a session, and that a session which was forgotten or never bound has none', () => {
    const { owners: sessions } = owners();
    sessions.bind('s', 'a');
    expect([sessions.use('s', 'a'), sessions.use('s', 'b'), sessions.use('S', 'a')]).toEqual([
      true,
      false,
      false,
    ]);
    sessions.forget('s');
    sessions.forget('s');
    expect([sessions.use('s', 'a'), sessions.size]).toEqual([false, 0]);
  });

  it('leaves a session with its first owner', () => {
    const { owners: sessions } = owners();
    sessions.bind('s', 'a');
    sessions.bind('s', 'b');
    expect([sessions.use('s', 'a'), sessions.use('s', 'b'), sessions.size]).toEqual([true, false, 1]);
  });

  it('forgets what was not used for the idle time, to the second', () => {
    const { clock, owners: sessions } = owners();
    sessions.bind('s', 'a');
    clock.seconds = 59;
    expect(sessions.use('s', 'b')).toBe(false); // is no use
    expect(sessions.use('s', 'a')).toBe(true);
    clock.seconds = 59 + 60;
    expect([sessions.use('s', 'a'), sessions.size]).toEqual([false, 0]);
  });

  it('can give a forgotten id to another owner', () => {
    const { clock, owners: sessions } = owners();
    sessions.bind('s', 'a');
    clock.seconds = 60;
    sessions.bind('s', 'b');
    expect([sessions.use('s', 'a'), sessions.use('s', 'b')]).toEqual([false, true]);
  });

  it('drops all that are idle when a new one comes', () => {
    const { clock, owners: sessions } = owners();
    for (let n = 0; n < 50; n++) sessions.bind(`old${String(n)}`, `h${String(n)}`);
    clock.seconds = 60;
    sessions.bind('new', 'a');
    expect(sessions.size).toBe(1);
  });

  it('drops the longest unused of all where each owner has its share', () => {
    const { owners: sessions } = owners();
    for (let n = 0; n < 100; n++) sessions.bind(`s${String(n)}`, `h${String(n % 10)}`);
    expect(sessions.use('s0', 'h0')).toBe(true);
    sessions.bind('next', 'h0');
    expect(sessions.size).toBe(100);
    expect([sessions.use('s0', 'h0'), sessions.use('s1', 'h1'), sessions.use('s2', 'h2')]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('drops the longest unused session of an owner with more than its share, and none of another owner', () => {
    const { owners: sessions } = owners();
    for (let n = 0; n < 89; n++) sessions.bind(`s${String(n)}`, `h${String(n)}`);
    for (let n = 0; n < 11; n++) sessions.bind(`own${String(n)}`, 'a');
    expect(sessions.use('own0', 'a')).toBe(true);
    for (let n = 0; n < 9; n++) sessions.bind(`more${String(n)}`, 'a');
    expect(sessions.size).toBe(100);
    expect(sessions.use('s0', 'h0')).toBe(true);
    expect([sessions.use('own0', 'a'), sessions.use('own1', 'a'), sessions.use('own10', 'a')]).toEqual([
      true,
      false,
      true,
    ]);
  });

  verifies('WAY-15', 'counts all clients of one person together, and those of others apart', () => {
    const { owners: sessions } = owners();
    for (let n = 0; n < 80; n++) sessions.bind(`s${String(n)}`, `h${String(n)}`);
    for (let n = 0; n < 40; n++) sessions.bind(`own${String(n)}`, `a/${String(n)}`);
    expect(sessions.size).toBe(100);
    const left = Array.from({ length: 80 }, (_, n) => sessions.use(`s${String(n)}`, `h${String(n)}`));
    expect(left.filter((isLeft) => !isLeft)).toEqual([]);
    expect([sessions.use('own19', 'a/19'), sessions.use('own20', 'a/20')]).toEqual([false, true]);
    expect([sessions.use('own20', 'a'), sessions.use('own20', 'a/21')]).toEqual([false, false]);
  });

  verifies('WAY-43', 'drops sessions of the owner with most before those of owners with few', () => {
    const { owners: sessions } = owners();
    const bindMany = (key: string, count: number) => {
      for (let n = 0; n < count; n++) sessions.bind(`${key}${String(n)}`, key);
    };
    for (let n = 0; n < 20; n++) sessions.bind(`s${String(n)}`, `h${String(n)}`);
    bindMany('a', 30);
    bindMany('b', 50);
    expect(sessions.large).toEqual(['a', 'b']);
    bindMany('new', 10);
    const left = (key: string, count: number): number =>
      Array.from({ length: count }, (_, n) => sessions.use(`${key}${String(n)}`, key)).filter(Boolean).length;
    expect([left('a', 30), left('b', 50), left('new', 10), sessions.size]).toEqual([30, 40, 10, 100]);
    expect([sessions.use('b9', 'b'), sessions.use('b10', 'b')]).toEqual([false, true]);
    // The owner that opens one loses its own, if it has more than its share.
    sessions.bind('a30', 'a');
    expect([left('a', 31), left('b', 50)]).toEqual([30, 40]);
    for (let n = 0; n < 20; n++) expect(sessions.use(`s${String(n)}`, `h${String(n)}`)).toBe(true);
  });

  verifies('WAY-43', 'drops the longest unused of all once no owner has more than its share', () => {
    const { owners: sessions } = owners();
    for (let n = 0; n < 89; n++) sessions.bind(`s${String(n)}`, `h${String(n)}`);
    for (let n = 0; n < 11; n++) sessions.bind(`a${String(n)}`, 'a');
    sessions.bind('one', 'x');
    expect([sessions.use('a0', 'a'), sessions.large]).toEqual([false, []]);
    sessions.bind('two', 'y');
    expect([sessions.use('s0', 'h0'), sessions.use('a1', 'a')]).toEqual([false, true]);
  });

  it('counts a session that passes for its new owner, and one that is forgotten for none', () => {
    const { owners: sessions } = owners({ maxSessions: 20 });
    for (let n = 0; n < 3; n++) sessions.bind(`s${String(n)}`, 'a');
    expect(sessions.large).toEqual(['a']);
    expect([sessions.pass('s0', 'a', 'b'), sessions.pass('s0', 'a', 'b'), sessions.large]).toEqual([
      true,
      false,
      [],
    ]);
    for (const id of ['s1', 's2']) sessions.pass(id, 'a', 'b');
    expect(sessions.large).toEqual(['b']);
    sessions.forget('s0');
    expect(sessions.large).toEqual([]);
  });

  it('holds one where one is all it may, and no more memory for ids that are made up', () => {
    const { owners: sessions } = owners({ maxSessions: 1 });
    sessions.bind('a', 'a');
    sessions.bind('b', 'b');
    expect([sessions.use('a', 'a'), sessions.use('b', 'b'), sessions.size]).toEqual([false, true, 1]);
    for (let n = 0; n < 20_000; n++) expect(sessions.use(`forged${String(n)}`, 'b')).toBe(false);
    for (let n = 0; n < 20_000; n++) sessions.bind(`opened${String(n)}`, `h${String(n)}`);
    expect([sessions.size, sessions.held]).toEqual([1, new Map([['h19999', new Set(['opened19999'])]])]);
  });
});
