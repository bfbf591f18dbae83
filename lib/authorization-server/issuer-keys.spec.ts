import { compactVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LoopbackAuthorizationServer } from '../../test/fixtures/authorization-server.js';
import { makeKey, type SigningKey } from '../../test/fixtures/keys.js';
import { verifies } from '../../test/verifies.js';
import { AuthorizationServer } from './authorization-server.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import type {
  AuthorizationServerBaseOptions,
  AuthorizationServerMetadata,
} from '../options/authorization-server-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import { IssuerKeys } from './issuer-keys.js';

describe('IssuerKeys', () => {
  let as: LoopbackAuthorizationServer;
  let skipped: number[];
  let told: string[];
  let time: number;

  beforeEach(async () => {
    as = await LoopbackAuthorizationServer.start();
    skipped = [];
    told = [];
    time = 1_000_000;
  });

  afterEach(() => as.close());

  const keysFor = (server: AuthorizationServerBaseOptions = {}, metadata = {}): IssuerKeys => {
    const { resources, fetch } = resolveOptions({
      resources: { resource: 'https://a.example', authorizationServers: [{ issuer: as.issuer, ...server }] },
    });
    const known = {
      issuer: as.issuer,
      options: resources[0]!.authorizationServers[0]!,
      // Read anew each time, so that a test may change it.
      metadata: () =>
        Promise.resolve({ ...as.metadata(), ...metadata } as unknown as AuthorizationServerMetadata),
    };
    return new IssuerKeys(known, {
      fetch,
      now: () => new Date(time * 1000),
      onSkipped: (count) => skipped.push(count),
      onRenewed: () => told.push('renewed'),
      onFailed: (error) => told.push((error as DiscoveryError).failure),
    });
  };

  const verify = async (keys: IssuerKeys, signer = as.key): Promise<unknown> =>
    (await compactVerify(await as.token({}, { key: signer }), (...jws) => keys.keyFor(...jws)))
      .protectedHeader.kid;

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
  ])('rejects %s', async (_what, document) => {
    const jwks = (): never => document as never;
    await expect(verify(keysFor({ jwks }))).rejects.toMatchObject({
      failure: 'metadata_invalid',
      url: 'the function "jwks"',
    });
    as.at('/jwks', document);
    await expect(verify(keysFor())).rejects.toBeInstanceOf(DiscoveryError);
  });

  it('rejects null from a function', async () => {
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
      await expect(verify(keys)).rejects.toMatchObject({
        failure: 'timeout',
        detail: 'the function "jwks" did not end in time',
      });
    } finally {
      timeout.mockRestore();
    }
  });

  it('says where a document without keys has come this far', async () => {
    await expect(verify(keysFor({}, { jwks_uri: undefined }))).rejects.toMatchObject({
      failure: 'metadata_invalid',
      message: 'the metadata has no "jwks_uri"',
    });
  });

  it('has a state of fetched keys only', async () => {
    const fixed = keysFor({ jwks: { keys: [as.key.publicJwk] } });
    await verify(fixed);
    expect(fixed.state()).toBeUndefined();
    const fetched = keysFor();
    expect(fetched.state()).toBeUndefined();
    await verify(fetched);
    time += 7;
    expect(fetched.state()).toEqual({ ageSeconds: 7, failure: undefined, isUsable: true });
  });

  describe('a token with an unknown key id', () => {
    const stop = (): void => {
      as.at('/jwks', (_request, response) => response.writeHead(500).end());
    };

    verifies(['KEY-02', 'F50'], 'has the keys fetched, once per cooldown', async () => {
      const added = await makeKey('ES256', 'added');
      const keys = keysFor({ remoteJwkSet: { cooldownSeconds: 20 } });
      await verify(keys);
      as.at('/jwks', { keys: [as.key.publicJwk, added.publicJwk] });
      time += 19;
      await expect(verify(keys, added)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
      expect(as.paths).toHaveLength(1);
      time += 1;
      expect(await verify(keys, added)).toBe('added');
      expect(as.paths).toHaveLength(2);
      expect(told).toEqual(['renewed']);
    });

    verifies('KEY-06', 'is an outage where the fetch fails, and known keys need none', async () => {
      const unknown = await makeKey('ES256', 'unknown');
      const keys = keysFor();
      await verify(keys);
      stop();
      time += 30;
      await expect(verify(keys, unknown)).rejects.toMatchObject({ failure: 'server_error' });
      await expect(verify(keys, unknown)).rejects.toMatchObject({ failure: 'server_error' });
      expect(await verify(keys)).toBe(as.key.kid);
      expect(as.paths).toHaveLength(2);
      expect(told).toEqual(['server_error']);
    });
  });

  describe('a look', () => {
    verifies('WAY-19', 'fetches keys that are good still, and none that are configured', async () => {
      const keys = keysFor();
      await keys.look();
      expect(keys.state()).toMatchObject({ ageSeconds: 0, isUsable: true });
      time += 5;
      await keys.look();
      expect(as.paths).toEqual(['/jwks', '/jwks']);
      const fixed = keysFor({ jwks: { keys: [as.key.publicJwk] } });
      await fixed.look();
      expect(as.paths).toHaveLength(2);
    });

    verifies('WAY-19', 'does not fail, and leaves it open where the keys are without metadata', async () => {
      as.at('/jwks', (_request, response) => response.writeHead(500).end());
      const keys = keysFor();
      expect(keys.retryInSeconds()).toBeUndefined();
      await keys.look();
      expect(told).toEqual(['server_error']);
      expect(keys.retryInSeconds()).toBe(5);
      await expect(keys.refresh()).rejects.toMatchObject({ failure: 'server_error' });
      expect(as.paths).toEqual(['/jwks']);
      const [options] = resolveOptions({
        resources: { resource: 'https://api.example.com/notes', authorizationServers: [as.issuer] },
      }).resources;
      const server = {
        issuer: as.issuer,
        options: options!.authorizationServers[0]!,
        metadata: () => Promise.reject(new Error('no metadata')),
      };
      const lost = new IssuerKeys(server, {
        ...{ fetch, now: () => new Date(time * 1000) },
        ...{ onSkipped: () => undefined, onRenewed: () => undefined },
      });
      await lost.look();
      expect(lost.state()).toBeUndefined();
    });
  });

  describe('a new address', () => {
    let metadata: Record<string, unknown>;
    let keys: IssuerKeys;
    let next: SigningKey;

    beforeEach(async () => {
      next = await makeKey('ES256', 'next');
      metadata = {};
      keys = keysFor({ remoteJwkSet: { staleMaxAgeSeconds: 3600 } }, metadata);
      await verify(keys);
      metadata['jwks_uri'] = `${as.origin}/new`;
    });

    verifies('F23', 'is asked at once, and its keys take the place of the old ones', async () => {
      as.at('/new', { keys: [next.publicJwk] });
      expect(await verify(keys, next)).toBe('next');
      time += 30;
      await expect(verify(keys)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
      expect(as.paths).toEqual(['/jwks', '/new', '/new']);
    });

    it('that does not answer takes no good keys away, until they are too old', async () => {
      expect(await verify(keys)).toBe(as.key.kid);
      expect(keys.state()).toMatchObject({ ageSeconds: undefined, isUsable: true });
      await expect(verify(keys, next)).rejects.toMatchObject({ failure: 'not_found' });
      metadata['jwks_uri'] = `${as.origin}/newer`;
      expect(await verify(keys)).toBe(as.key.kid);
      time += 3600;
      expect(keys.state()).toMatchObject({ isUsable: false });
      await expect(verify(keys)).rejects.toMatchObject({ failure: 'not_found' });
    });

    it('is not overtaken by the old one that answers late', async () => {
      let answer: () => void = () => undefined;
      const isAsked = new Promise<void>((resolve) => {
        as.at('/jwks', (_request, response) => {
          answer = () => response.end(JSON.stringify({ keys: [as.key.publicJwk] }));
          resolve();
        });
      });
      as.at('/new', { keys: [next.publicJwk] });
      metadata['jwks_uri'] = `${as.origin}/jwks`;
      time += 600;
      const late = verify(keys);
      await isAsked;
      metadata['jwks_uri'] = `${as.origin}/new`;
      expect(await verify(keys, next)).toBe('next');
      answer();
      expect(await late).toBe(as.key.kid);
      time += 30;
      await expect(verify(keys)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    });
  });

  describe('a key at hand', () => {
    const FRESH = 100;
    let header: { alg: string; kid: string };
    let metadata: Record<string, unknown>;

    beforeEach(() => {
      header = { alg: as.key.alg, kid: as.key.kid };
      metadata = {};
    });

    /** The keys of a server as the application has it, whose metadata grows old. */
    const keysOf = (options: AuthorizationServerBaseOptions = {}): IssuerKeys => {
      const { resources, fetch } = resolveOptions({
        resources: {
          resource: 'https://a.example',
          authorizationServers: [
            { ...('metadata' in options ? {} : { issuer: as.issuer }), ...options } as never,
          ],
        },
      });
      const now = (): Date => new Date(time * 1000);
      const load = async (): Promise<AuthorizationServerMetadata> =>
        ({ ...as.metadata(), ...metadata }) as unknown as AuthorizationServerMetadata;
      const server = new AuthorizationServer(resources[0]!.authorizationServers[0]!, load, {
        freshSeconds: FRESH,
        random: () => 0,
        now,
      });
      const ignore = (): void => undefined;
      return new IssuerKeys(server, {
        ...{ fetch, now },
        ...{ onSkipped: ignore, onRenewed: ignore },
      });
    };

    const isAtHand = (keys: IssuerKeys): boolean => keys.atHand(header) !== undefined;

    it('is one that a token was verified with', async () => {
      for (const options of [
        {},
        { jwks: { keys: [as.key.publicJwk] } },
        { jwks: () => ({ keys: [as.key.publicJwk] }) },
        { metadata: as.metadata() },
      ]) {
        const keys = keysOf(options);
        expect(isAtHand(keys)).toBe(false);
        await verify(keys);
        expect(isAtHand(keys)).toBe(true);
        expect(keys.atHand({ ...header, kid: 'other' })).toBeUndefined();
      }
    });

    it('is there as long as the keys are young', async () => {
      const keys = keysOf({ remoteJwkSet: { cacheMaxAgeSeconds: 50 } });
      await verify(keys);
      time += 49;
      expect(isAtHand(keys)).toBe(true);
      time += 1;
      expect(isAtHand(keys)).toBe(false);
      await verify(keys);
      expect(isAtHand(keys)).toBe(true);
    });

    verifies(
      'F23',
      'is there as long as the metadata is young, and at the address that it names',
      async () => {
        const keys = keysOf({ remoteJwkSet: { cacheMaxAgeSeconds: 3600 } });
        await verify(keys);
        time += FRESH - 1;
        expect(isAtHand(keys)).toBe(true);
        time += 1;
        expect(isAtHand(keys)).toBe(false);
        as.at('/new', { keys: [as.key.publicJwk] });
        metadata['jwks_uri'] = `${as.origin}/new`;
        await verify(keys);
        expect(as.paths).toEqual(['/jwks', '/new']);
        expect(isAtHand(keys)).toBe(true);
      },
    );

    it('is not there where it is not known how long metadata is young', async () => {
      const foreign = keysFor();
      await verify(foreign);
      expect(isAtHand(foreign)).toBe(false);
    });

    it('is there for metadata that was given, whatever its age', async () => {
      const keys = keysOf({
        metadata: as.metadata(),
        remoteJwkSet: { cacheMaxAgeSeconds: 3600 },
      } as AuthorizationServerBaseOptions);
      await verify(keys);
      time += 3599;
      expect(isAtHand(keys)).toBe(true);
      time += 1;
      expect(isAtHand(keys)).toBe(false);
    });
  });
});
