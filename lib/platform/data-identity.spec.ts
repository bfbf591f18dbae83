import { describe, expect, it } from 'vitest';
import { dataIdentity } from './data-identity.js';

describe('dataIdentity', () => {
  const make = () => () => true;
  const store = () => ({ reserve: () => true });
  class Store {
    reserve() {
      return true;
    }
  }

  it('is equal for equal data, and tells apart what differs in one place', () => {
    const data = { issuer: 'https://auth.example.com', algorithms: ['RS256'], pattern: /a/ };
    expect(dataIdentity(data)).toBe(dataIdentity(structuredClone(data)));
    for (const near of [
      { ...data, issuer: 'https://auth.example.com/' },
      { ...data, algorithms: ['RS256', 'ES256'] },
      { ...data, pattern: /a/i },
      { ...data, more: null },
      [data],
    ])
      expect(dataIdentity(near)).not.toBe(dataIdentity(data));
  });

  it('takes functions and stores as equal only if they are the same', () => {
    for (const one of [make, store, () => new Store()]) {
      const same = one();
      expect(dataIdentity({ one: same })).toBe(dataIdentity({ one: same }));
      expect(dataIdentity({ one: same })).not.toBe(dataIdentity({ one: one() }));
    }
  });

  it('discloses nothing, and throws for what is no data', () => {
    const endless: { self?: unknown } = {};
    endless.self = endless;
    expect(dataIdentity({ clientSecret: 'a secret' })).toMatch(/^[\w-]{43}$/);
    expect(() => dataIdentity(endless)).toThrow(TypeError);
  });
});
