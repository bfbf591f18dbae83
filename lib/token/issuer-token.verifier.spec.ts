import { beforeEach, describe, expect, it, vi } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { IssuerTokenVerifier } from './issuer-token.verifier.js';
import { VerifiedToken } from '../options/token.verifier.js';

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const jwtOf = (claims: unknown, header: unknown = { alg: 'RS256' }): string =>
  `${encode(header)}.${encode(claims)}.c2ln`;

const server = (issuer: string, mode: 'jwt' | 'auto' | 'introspection'): TrustedAuthorizationServer =>
  ({ issuer, options: { mode, introspection: mode === 'jwt' ? undefined : {} } }) as never;

describe('IssuerTokenVerifier', () => {
  const result = new VerifiedToken({});
  const jwt = { verify: vi.fn(() => Promise.resolve(result)) };
  const introspection = { verify: vi.fn(() => Promise.resolve(result)) };
  const verifier = new IssuerTokenVerifier(jwt, introspection);
  const { signal } = new AbortController();

  beforeEach(() => {
    vi.clearAllMocks();
  });

  /** Who was asked, and at which server. */
  const way = async (token: string, ...servers: TrustedAuthorizationServer[]): Promise<unknown[]> => {
    const authorizationServers = new Map(servers.map((each) => [each.issuer, each]));
    vi.clearAllMocks();
    await verifier.verify(token, { resource: 'https://a.example', authorizationServers, signal });
    return [
      ...(jwt.verify.mock.calls as unknown as [string, object, TrustedAuthorizationServer][]).map(
        ([, , { issuer }]) => ['jwt', issuer],
      ),
      ...(introspection.verify.mock.calls as unknown as [string, TrustedAuthorizationServer][]).map(
        ([, { issuer }]) => ['introspection', issuer],
      ),
    ];
  };

  const [signing, both, asked] = [server('a', 'jwt'), server('b', 'auto'), server('c', 'introspection')];

  verifies(['OPQ-07', 'F84'], 'sends a JWT the way of the server that it names', async () => {
    expect(await way(jwtOf({ iss: 'a' }), both, signing)).toEqual([['jwt', 'a']]);
    expect(await way(jwtOf({ iss: 'b' }), signing, both)).toEqual([['jwt', 'b']]);
    expect(await way(jwtOf({ iss: 'c' }), signing, asked)).toEqual([['introspection', 'c']]);
  });

  verifies(['OPQ-07', 'F84'], 'sends anything else to the server that can be asked', async () => {
    for (const token of ['opaque', 'a.b.c', 'a.b.c.d.e', jwtOf({ iss: 'a' }, 'header'), `${jwtOf({})}.x`]) {
      expect(await way(token, signing, both)).toEqual([['introspection', 'b']]);
      expect(await way(token, asked, signing)).toEqual([['introspection', 'c']]);
    }
  });

  verifies('OPQ-07', 'asks no server about a JWT of an unknown issuer', async () => {
    for (const iss of ['x', '', undefined, 7, ['b']]) {
      await expect(way(jwtOf({ iss }), signing, both)).rejects.toMatchObject({ reason: 'issuer' });
      await expect(way(jwtOf({ iss }), asked)).rejects.toMatchObject({ reason: 'issuer' });
    }
    await expect(way(jwtOf([]), asked)).rejects.toMatchObject({ reason: 'malformed' });
    expect(introspection.verify).not.toHaveBeenCalled();
    expect(jwt.verify).not.toHaveBeenCalled();
  });

  it('rejects an opaque token if no server can be asked', async () => {
    await expect(way('opaque', signing)).rejects.toMatchObject({ reason: 'malformed' });
  });

  verifies('OPQ-14', 'does not ask about a JWT that failed', async () => {
    const failure = new Error('forged');
    jwt.verify.mockRejectedValueOnce(failure);
    const authorizationServers = new Map([['b', both]]);
    const verify = verifier.verify(jwtOf({ iss: 'b' }), { resource: 'r', authorizationServers, signal });
    await expect(verify).rejects.toBe(failure);
    expect(introspection.verify).not.toHaveBeenCalled();
  });
});
