import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { tokenPrincipal } from './token-principal.js';

const NO_NAMES: readonly unknown[] = [null, '', 7, true, ['u1'], {}];

describe('tokenPrincipal', () => {
  verifies(
    ['CLM-05', 'F57'],
    'reads the client from client_id, else azp, cid or appid, and never from sub',
    () => {
      const clientOf = (claims: object): string => tokenPrincipal({ sub: 'u1', ...claims }).clientId;
      expect(clientOf({ client_id: 'a', azp: 'b', cid: 'c', appid: 'd' })).toBe('a');
      expect(clientOf({ azp: 'b', cid: 'c', appid: 'd' })).toBe('b');
      expect(clientOf({ cid: 'c', appid: 'd' })).toBe('c');
      expect(clientOf({ appid: 'd' })).toBe('d');
      for (const client_id of NO_NAMES) {
        expect(clientOf({ client_id, azp: 'b' })).toBe('b');
        expect(clientOf({ client_id })).toBe('');
      }
      expect(clientOf({ clientId: 'x', aud: 'x' })).toBe('');
    },
  );

  verifies(
    'F57',
    'reads the client from the claims that are named, in their order, and from no other',
    () => {
      const clientOf = (claims: object, ...names: string[]): string =>
        tokenPrincipal({ sub: 'u1', ...claims }, names).clientId;
      expect(clientOf({ app: 'a', client_id: 'b' }, 'app')).toBe('a');
      expect(clientOf({ app: 'a', client_id: 'b' }, 'client_id', 'app')).toBe('b');
      expect(clientOf({ app: 7, client_id: 'b' }, 'app', 'client_id')).toBe('b');
      expect(clientOf({ App: 'a', client_id: 'b', azp: 'b' }, 'app')).toBe('');
      expect(clientOf({ client_id: 'b' }, 'sub')).toBe('u1');
      expect(clientOf({}, 'constructor', 'toString')).toBe('');
    },
  );

  verifies(['JWT-28', 'F56'], 'wants a subject or a client', () => {
    expect(tokenPrincipal({ sub: 'u1' })).toEqual({ subject: 'u1', clientId: '' });
    expect(tokenPrincipal({ client_id: 'c1' })).toEqual({ subject: undefined, clientId: 'c1' });
    expect(tokenPrincipal({ sub: 'u1', client_id: 'c1' })).toEqual({ subject: 'u1', clientId: 'c1' });
    for (const claims of [{}, { client_id: '' }, { client_id: 7 }, { username: 'u1' }]) {
      expect(() => tokenPrincipal(claims)).toThrow('Access token rejected: subject');
    }
    for (const sub of NO_NAMES) {
      expect(() => tokenPrincipal({ sub })).toThrow('Access token rejected: subject');
      expect(() => tokenPrincipal({ sub, client_id: 'c1' })).toThrow('Access token rejected: subject');
    }
  });

  it('takes no name from a prototype key', () => {
    const claims = JSON.parse('{"__proto__": {"sub": "root"}}') as Record<string, unknown>;
    expect(() => tokenPrincipal(claims)).toThrow('Access token rejected: subject');
  });
});
