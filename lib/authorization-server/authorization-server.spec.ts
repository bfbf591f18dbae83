import { beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { BootstrapDiscoveryError } from '../errors/discovery.error.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import { AuthorizationServer } from './authorization-server.js';

const ISSUER = 'https://as.example';
const FRESH = 100;
const DAY = 86_400;

describe('AuthorizationServer', () => {
  let time: number;
  let loads: number;
  /** What decides when metadata is renewed ahead of its time: 0 is not at all. */
  let drawn: number;
  /** What the next load gives, or throws. */
  let next: AuthorizationServerMetadata | Error;

  beforeEach(() => {
    time = 1_000_000;
    loads = 0;
    drawn = 0;
    next = { issuer: ISSUER };
  });

  const make = (server: object): AuthorizationServer => {
    const { resources } = resolveOptions({
      resources: { resource: 'https://a.example', authorizationServers: [server] },
    });
    const load = async (): Promise<AuthorizationServerMetadata> => {
      loads++;
      if (next instanceof Error) throw next;
      return next;
    };
    const now = (): Date => new Date(time * 1000);
    return new AuthorizationServer(resources[0]!.authorizationServers[0]!, load, {
      freshSeconds: FRESH,
      now,
      random: () => drawn,
    });
  };
  const outage = new BootstrapDiscoveryError([{ server: ISSUER, attempts: [] }]);

  it('has its issuer from the options, else from the first document', async () => {
    expect(make({ issuer: ISSUER })).toMatchObject({ issuer: ISSUER, isNamed: true });
    const server = make({ metadataUrl: `${ISSUER}/meta`, trustDocumentIssuer: true });
    expect(server.isNamed).toBe(false);
    expect(() => server.issuer).toThrow('has no issuer before it is resolved');
    await server.refresh();
    expect(server).toMatchObject({ issuer: ISSUER, isNamed: true });
  });

  verifies('ASM-19', 'keeps its issuer, whatever a later document names', async () => {
    const server = make({ metadataUrl: `${ISSUER}/meta`, trustDocumentIssuer: true });
    await server.refresh();
    next = { issuer: `${ISSUER}/` };
    time += FRESH;
    expect(await server.metadata()).toEqual({ issuer: ISSUER });
    expect(server.issuer).toBe(ISSUER);
    expect(server.state().failure).toMatchObject({
      failures: [{ server: ISSUER, attempts: [{ failure: 'issuer_mismatch', url: `${ISSUER}/meta` }] }],
    });
  });

  it('renews its metadata after its time, and keeps it a day longer where it cannot', async () => {
    const server = make({ issuer: ISSUER });
    expect(server.peek()).toBeUndefined();
    await server.metadata();
    time += FRESH - 1;
    await server.metadata();
    expect(loads).toBe(1);
    next = outage;
    time += 1;
    expect(await server.metadata()).toEqual({ issuer: ISSUER });
    expect(loads).toBe(2);
    time += DAY - 1;
    expect(await server.metadata()).toBe(server.peek());
    time += 1;
    const error: unknown = await server.metadata().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AuthorizationServerUnavailableError);
    expect(error).toMatchObject({ issuer: ISSUER, missing: 'metadata', cause: outage });
  });

  verifies(
    'ASM-19',
    'renews its metadata behind the scenes, at a moment that differs by up to a tenth',
    async () => {
      for (const [random, seconds] of [
        [0.999_999, 0.9],
        [0.5, 0.95],
      ] as const) {
        drawn = random;
        loads = 0;
        next = { issuer: ISSUER, jwks_uri: `${ISSUER}/1` };
        const server = make({ issuer: ISSUER });
        await server.metadata();
        next = { issuer: ISSUER, jwks_uri: `${ISSUER}/2` };
        time += FRESH * seconds - 1;
        await server.metadata();
        expect(loads).toBe(1);
        time += 1.001;
        expect(await server.metadata()).toMatchObject({ jwks_uri: `${ISSUER}/1` });
        expect(loads).toBe(2);
        await new Promise((resolve) => setImmediate(resolve));
        expect(await server.metadata()).toMatchObject({ jwks_uri: `${ISSUER}/2` });
        expect(loads).toBe(2);
      }
    },
  );

  it('never asks again for metadata that is given by hand', async () => {
    const server = make({ metadata: { issuer: ISSUER }, jwks: { keys: [] } });
    await server.refresh();
    time += 1000 * DAY;
    await server.metadata();
    expect(loads).toBe(1);
  });

  it('does not take a fault of ours for an outage', async () => {
    next = new RangeError('ours');
    await expect(make({ issuer: ISSUER }).metadata()).rejects.toBe(next);
  });
});
