import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { AuthInfo } from './auth-info.decorator.js';
import { toAuthInfo } from './to-auth-info.js';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln';
const METADATA_URL = 'https://api.example.com/.well-known/oauth-protected-resource/notes';

const resource: ProtectedResource = {
  options: resolveOptions({
    resources: { resource: 'https://api.example.com/notes', authorizationServers: ['https://as.example'] },
  }).resources[0]!,
  metadataUrl: METADATA_URL,
  servers: new Map(),
  challengeScopes: [],
};

const admitted = (claims: Record<string, unknown> = {}): ValidatedToken => ({
  issuer: 'https://as.example',
  subject: 'u1',
  clientId: 'c1',
  scopes: ['notes:read'],
  expiresAt: 1_800_000_300,
  audience: ['https://api.example.com/notes'],
  claims: { sub: 'u1', ...claims },
  confirmation: undefined,
  actor: undefined,
});

const make = (claims?: Record<string, unknown>): AuthInfo => toAuthInfo(TOKEN, admitted(claims), resource);

describe('toAuthInfo', () => {
  verifies('CLM-07', 'has the shape of the SDK, and more', () => {
    const info = make();
    expect(info.token).toBe(TOKEN);
    expect({ ...info }).toEqual({
      clientId: 'c1',
      scopes: ['notes:read'],
      expiresAt: 1_800_000_300,
      resource: new URL('https://api.example.com/notes'),
      resourceMetadataUrl: METADATA_URL,
      issuer: 'https://as.example',
      subject: 'u1',
      isClientPrincipal: false,
      actor: undefined,
      audience: ['https://api.example.com/notes'],
      claims: { sub: 'u1' },
    });
  });

  verifies('CLM-06', 'flags a client that acts for itself', () => {
    const flagOf = (principal: Partial<ValidatedToken>): boolean =>
      toAuthInfo(TOKEN, { ...admitted(), ...principal }, resource).isClientPrincipal;
    expect(flagOf({ subject: 'c1', clientId: 'c1' })).toBe(true);
    expect(flagOf({ subject: undefined, clientId: 'c1' })).toBe(true);
    for (const subject of ['u1', 'C1', 'c1 ', 'c1@clients', 'c12']) {
      expect(flagOf({ subject, clientId: 'c1' })).toBe(false);
    }
    expect(flagOf({ subject: 'u1', clientId: '' })).toBe(false);
  });

  verifies('CLM-07', 'is frozen all the way down, whatever of it is frozen already', () => {
    const claims = { list: [{ a: 1 }], half: Object.freeze({ open: { b: 1 } }) };
    const info = make(claims);
    for (const part of [
      info,
      info.scopes,
      info.audience,
      info.claims,
      claims.list,
      claims.list[0],
      claims.half.open,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(() => {
      info.scopes.push('admin');
    }).toThrow(TypeError);
    expect(() => {
      Object.assign(info, { subject: 'root' });
    }).toThrow(TypeError);
    expect(() => {
      Object.assign(info, { token: 'other' });
    }).toThrow(TypeError);
  });

  verifies('SES-07', 'shares between requests only what is frozen, and never the token', () => {
    const token = admitted();
    const [first, second] = [toAuthInfo(TOKEN, token, resource), toAuthInfo('other', token, resource)];
    expect(first).not.toBe(second);
    expect([first.token, second.token]).toEqual([TOKEN, 'other']);
    expect(first.claims).toBe(second.claims);
    const url = first.resource;
    const names = [
      'href',
      'protocol',
      'username',
      'password',
      'host',
      'hostname',
      'port',
      'pathname',
    ] as const;
    for (const name of [...names, 'search', 'hash'] as const) {
      expect(() => {
        url[name] = 'https://evil.example/x';
      }).toThrow(TypeError);
    }
    url.searchParams.append('a', 'b');
    expect(() => Object.assign(url, { own: 1 })).toThrow(TypeError);
    expect([url.href, second.resource.href]).toEqual(Array(2).fill('https://api.example.com/notes'));
    expect(url).toBeInstanceOf(URL);
    expect(`${url}`).toBe('https://api.example.com/notes');
    expect(Object.assign(new URL(url), { pathname: '/admin' }).href).toBe('https://api.example.com/admin');
  });

  it('keeps the token out of JSON, logs and copies', () => {
    const info = make();
    expect(JSON.stringify(info)).not.toContain(TOKEN);
    expect(inspect(info, { depth: null })).not.toContain(TOKEN);
    expect({ ...info }).not.toHaveProperty('token');
    expect(Object.keys(info)).not.toContain('token');
  });

  it('bears claims that are nested deep, or in a circle', () => {
    const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as unknown[];
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(make({ deep, circle }).claims['circle']).toBe(circle);
    expect(Object.isFrozen(deep[0])).toBe(true);
    expect(Object.isFrozen(circle)).toBe(true);
  });

  it('takes nothing from a prototype key', () => {
    const info = make(JSON.parse('{"__proto__": {"isAdmin": true}}') as Record<string, unknown>);
    expect(info.claims['isAdmin']).toBeUndefined();
    expect(Object.isFrozen(Object.prototype)).toBe(false);
  });
});
