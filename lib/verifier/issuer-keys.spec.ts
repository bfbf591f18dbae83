import { compactVerify, type JWTVerifyGetKey } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LoopbackAuthorizationServer } from '../../test/fixtures/authorization-server.js';
import { makeKey } from '../../test/fixtures/keys.js';
import { verifies } from '../../test/verifies.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import {
  type AuthorizationServerBaseOptions,
  type AuthorizationServerMetadata,
} from '../options/mcp-auth-options.interface.js';
import { resolveOptions } from '../options/resolve-options.js';
import { issuerKeys } from './issuer-keys.js';

describe('issuerKeys', () => {
  let as: LoopbackAuthorizationServer;
  let skipped: number[];

  beforeEach(async () => {
    as = await LoopbackAuthorizationServer.start();
    skipped = [];
  });

  afterEach(() => as.close());

  const keysFor = (server: AuthorizationServerBaseOptions = {}, metadata = {}): JWTVerifyGetKey => {
    const { resources, fetch } = resolveOptions({
      resources: { resource: 'https://a.example', authorizationServers: [{ issuer: as.issuer, ...server }] },
    });
    const known = {
      options: resources[0]!.authorizationServers[0]!,
      metadata: { ...as.metadata(), ...metadata } as unknown as AuthorizationServerMetadata,
    };
    return issuerKeys(known, { fetch, onSkipped: (count) => skipped.push(count) });
  };

  const verify = async (keys: JWTVerifyGetKey, signer = as.key): Promise<unknown> =>
    (await compactVerify(await as.token({}, { key: signer }), keys)).protectedHeader.kid;

  verifies('KEY-01', 'takes keys from jwks_uri with one request, or as configured with none', async () => {
    const fetched = keysFor();
    await Promise.all([verify(fetched), verify(fetched)]);
    await verify(fetched);
    expect(as.paths).toEqual(['/jwks']);
    const fixed = keysFor({ jwks: { keys: [as.key.publicJwk] } });
    expect(await verify(fixed)).toBe(as.key.kid);
    const own = vi.fn(() => Promise.resolve({ keys: [as.key.publicJwk] }));
    const given = keysFor({ jwks: own }, { jwks_uri: undefined });
    await verify(given);
    expect(await verify(given)).toBe(as.key.kid);
    expect(own).toHaveBeenCalledTimes(1);
    expect(as.paths).toEqual(['/jwks']);
  });

  it('asks for a key set as it asks for metadata: no credentials, no redirect', async () => {
    as.at('/moved', (_request, response) => response.writeHead(302, { location: '/jwks' }).end());
    await verify(keysFor());
    expect(as.requests[0]?.headers).toMatchObject({ accept: 'application/json' });
    expect(as.requests[0]?.headers).not.toHaveProperty('authorization');
    await expect(verify(keysFor({}, { jwks_uri: `${as.origin}/moved` }))).rejects.toMatchObject({
      failure: 'redirected',
    });
    expect(as.paths).toEqual(['/jwks', '/moved']);
  });

  it('uses the good members of a set with bad ones, and says how many it left out', async () => {
    const keys = [null, { kty: 'oct', k: 'c2VjcmV0' }, as.key.publicJwk];
    as.at('/jwks', { keys });
    expect(await verify(keysFor())).toBe(as.key.kid);
    expect(skipped).toEqual([2]);
    expect(await verify(keysFor({ jwks: { keys: keys as never } }))).toBe(as.key.kid);
    expect(skipped).toEqual([2, 2]);
  });

  it('knows no key that the set does not have', async () => {
    await expect(verify(keysFor(), await makeKey('ES256'))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });

  it.each([
    ['no set', {}],
    ['a list', []],
    ['a set of no list', { keys: {} }],
  ])('refuses %s', async (_what, document) => {
    const jwks = (): never => document as never;
    await expect(verify(keysFor({ jwks }))).rejects.toMatchObject({
      failure: 'metadata_invalid',
      url: 'the function "jwks"',
    });
    as.at('/jwks', document);
    await expect(verify(keysFor())).rejects.toBeInstanceOf(DiscoveryError);
  });

  it('refuses null from a function', async () => {
    await expect(verify(keysFor({ jwks: () => null as never }))).rejects.toMatchObject({
      failure: 'metadata_invalid',
    });
  });

  it('explains a function that throws', async () => {
    const cause = new Error('no keys');
    const jwks = (): never => {
      throw cause;
    };
    await expect(verify(keysFor({ jwks }))).rejects.toMatchObject({
      failure: 'unreachable',
      detail: 'the function "jwks" threw',
      cause,
    });
  });

  it('waits for a function no longer than for a server', async () => {
    const soon = AbortSignal.timeout(50);
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(soon);
    try {
      const keys = keysFor({ jwks: () => new Promise(() => undefined) });
      await expect(verify(keys)).rejects.toBeInstanceOf(DiscoveryError);
    } finally {
      timeout.mockRestore();
    }
  });

  it('throws where a document without keys has come this far', () => {
    expect(() => keysFor({}, { jwks_uri: undefined })).toThrow(TypeError);
  });
});
