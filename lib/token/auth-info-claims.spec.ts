import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { claimsFromAuthInfo, isAuthInfo } from './auth-info-claims.js';
import type { VerifiedAuthInfo } from '../options/token.verifier.js';

const R1 = 'https://api.example.com/notes';

describe('claimsFromAuthInfo', () => {
  verifies(['VER-01', 'VER-02'], 'gives the members their names as claims, without the token', () => {
    const info: VerifiedAuthInfo = {
      token: 'secret',
      clientId: 'c1',
      scopes: ['a', 'b'],
      expiresAt: 7,
      audience: [R1],
      subject: 'u1',
      issuer: 'https://as.example',
      extra: { tenant: 't1' },
    };
    expect(claimsFromAuthInfo(info)).toEqual({
      client_id: 'c1',
      scope: ['a', 'b'],
      exp: 7,
      aud: [R1],
      sub: 'u1',
      iss: 'https://as.example',
      tenant: 't1',
    });
  });

  verifies('VER-02', 'has no scopes where none are said', () => {
    expect(claimsFromAuthInfo({ clientId: 'c1' })).toEqual({ client_id: 'c1', scope: [] });
    expect(claimsFromAuthInfo({ clientId: 'c1', extra: { scope: 'admin' } })).toMatchObject({ scope: [] });
  });

  it('takes from "extra" what is not said otherwise, and keeps what is', () => {
    const extra = { sub: 'u2', iss: 'b', aud: 'c', exp: 8, client_id: 'c2', cnf: { jkt: 'x' } };
    expect(claimsFromAuthInfo({ clientId: 'c1', scopes: [], extra })).toEqual({
      ...extra,
      client_id: 'c1',
      scope: [],
    });
    const info = {
      clientId: 'c1',
      scopes: [],
      subject: 'u1',
      issuer: 'a',
      audience: R1,
      expiresAt: 7,
      extra,
    };
    expect(claimsFromAuthInfo(info)).toMatchObject({ sub: 'u1', iss: 'a', aud: R1, exp: 7 });
  });

  it.each([
    [{ resource: new URL(R1) }, R1],
    [{ resource: R1 }, R1],
    [{ resource: new URL(R1), audience: 'other' }, 'other'],
    [{ resource: R1, audience: [] }, []],
    [{}, undefined],
  ])('reads the audience from %j', (members, aud) => {
    expect(claimsFromAuthInfo({ clientId: 'c1', ...members })['aud']).toEqual(aud);
  });

  it('takes nothing from a prototype key', () => {
    const extra = JSON.parse(`{"__proto__": {"aud": "${R1}"}}`) as Record<string, unknown>;
    expect(claimsFromAuthInfo({ clientId: 'c1', extra })['aud']).toBeUndefined();
  });
});

describe('isAuthInfo', () => {
  it.each<[object, boolean]>([
    [{ clientId: 'c1', scopes: [] }, true],
    [{ clientId: 'c1', token: 't' }, true],
    [{ clientId: '', scopes: [], token: 't' }, true],
    [{ clientId: 'c1' }, false],
    [{ clientId: 'c1', scopes: 'a b' }, false],
    [{ clientId: 'c1', scope: 'a b', sub: 'u1' }, false],
    [{ clientId: 'c1', scopes: [], iss: 'https://as.example' }, false],
    [{ clientId: 'c1', scopes: [], aud: R1 }, false],
    [{ clientId: 'c1', scopes: [], exp: 7 }, false],
    [{ clientId: 7, scopes: [] }, false],
    [{ client_id: 'c1', scopes: [] }, false],
    [{}, false],
  ])('tells the shape of %j', (result, expected) => {
    expect(isAuthInfo(result)).toBe(expected);
  });
});
