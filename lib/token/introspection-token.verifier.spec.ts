import { Logger } from '@nestjs/common';
import { inspect } from 'node:util';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { TestAuthorizationServer, type TestFault } from 'nestjs-mcp-auth/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { registriesOf } from '../../test/fixtures/registries.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import type { AuthorizationServerMetadata } from '../options/authorization-server-options.js';
import type { IntrospectionOptions } from '../options/introspection-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import { IntrospectionTokenVerifier } from './introspection-token.verifier.js';
import type { VerifiedToken } from '../options/token.verifier.js';

const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };

describe('IntrospectionTokenVerifier', () => {
  let as: TestAuthorizationServer;
  let errors: string[];
  let now: () => Date;

  beforeEach(async () => {
    as = await TestAuthorizationServer.start();
    errors = [];
    now = () => new Date();
    vi.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(String(line)));
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await as.close();
  });

  /** A verifier, and the one server that it can ask. */
  const make = (introspection: Partial<IntrospectionOptions> | undefined = {}, own = {}) => {
    const server = { issuer: as.issuer, introspection: { ...CLIENT, ...introspection } };
    const options = resolveOptions({
      resources: { resource: 'https://a.example', authorizationServers: [server] },
      now: () => now(),
      ...own,
    });
    const known: TrustedAuthorizationServer = {
      issuer: as.issuer,
      options: options.resources[0]!.authorizationServers[0]!,
      metadata: () => Promise.resolve(as.metadata() as unknown as AuthorizationServerMetadata),
    };
    const verifier = new IntrospectionTokenVerifier(options, registriesOf(options).keys);
    const verify = async (
      token: string,
      signal = new AbortController().signal,
    ): Promise<VerifiedToken | null> => verifier.verify(token, known, { signal });
    return { verifier, known, verify };
  };

  /** What kept an answer from being had. */
  const cause = async (pending: Promise<unknown>): Promise<unknown> => {
    const error = await pending.then(
      () => 'an answer',
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'AuthorizationServerUnavailableError', missing: 'introspection' });
    return ((error as Error).cause as Error).message;
  };

  verifies(['F80', 'F81'], 'gives what the server says, and answers for nothing beside it', async () => {
    const token = as.issueOpaqueToken({ audience: 'x', scopes: ['a'], claims: { iat: undefined } });
    for (const requireExpiry of [false, true]) {
      const { verify } = make({ requireExpiry });
      expect(await verify(token)).toMatchObject({
        claims: { iss: as.issuer, sub: 'user-1', client_id: 'client-1', aud: 'x', scope: 'a' },
        requiresExpiry: requireExpiry,
        audienceVerified: false,
      });
      expect(await verify('unknown')).toBeNull();
    }
  });

  const FAULTS: [TestFault, string][] = [
    [{ status: 500 }, 'answered 500'],
    [{ redirectTo: 'https://evil.example' }, 'answered 302'],
    [{ body: 'no' }, 'answered with something that is not JSON'],
    [{ hugeBytes: 65_537 }, 'answered with more than 65536 bytes'],
    ['hang', 'no complete answer within the time limit'],
    ['drip', 'no complete answer within the time limit'],
  ];
  verifies('OPQ-06', 'says what kept it from an answer', async () => {
    const { verify } = make({ timeoutMs: 200 });
    for (const [fault, message] of FAULTS) {
      as.fail('introspection', fault);
      expect(await cause(verify('t'))).toBe(message);
    }
    as.fail('introspection', 'reset');
    expect(await cause(verify('t'))).toMatch(/^the request failed \(\w+\)$/);
    await as.goDown();
    expect(await cause(verify('t'))).toBe('the request failed (ECONNREFUSED)');
    const empty = make({}, { fetch: () => Promise.resolve(new Response(null)) });
    expect(await cause(empty.verify('t'))).toBe('answered with something that is not JSON');
    const bare = make({}, { fetch: () => Promise.resolve(new Response(null, { status: 502 })) });
    expect(await cause(bare.verify('t'))).toBe('answered 502');
    expect(errors).toEqual([]);
  });

  verifies('OPQ-11', 'says what is wrong with a signed answer, and nothing of what is in it', async () => {
    const { verify } = make({ requireSignedResponse: true });
    const token = as.issueOpaqueToken();
    expect(await verify(token)).not.toBeNull();
    as.fail('introspection', { json: { active: true, sub: 'user-7' } });
    expect(await cause(verify(token))).toBe('the answer is not signed as it has to be (Invalid Compact JWS)');
    const body = await as.issueToken({ typ: 'token-introspection+jwt', audience: 'other', sub: 'user-7' });
    as.fail('introspection', { body });
    const error = await verify(token).catch((reason: unknown) => reason);
    expect(inspect(error, { depth: 10 })).not.toContain('user-7');
    const keyless = make({ requireSignedResponse: true });
    as.recover();
    as.fail('jwks', { status: 500 });
    expect(await cause(keyless.verify(token))).toBe(`${as.jwksUri}: answered 500`);
  });

  it('passes on that the metadata cannot be fetched', async () => {
    const { known, verifier } = make();
    const outage = new AuthorizationServerUnavailableError(as.issuer, 'metadata');
    const server = { ...known, metadata: () => Promise.reject(outage) };
    const wait = new AbortController();
    await expect(verifier.verify('t', server, wait)).rejects.toBe(outage);
    const endpointless = { ...known, metadata: () => Promise.resolve({ issuer: as.issuer }) };
    await cause(Promise.resolve(verifier.verify('t', endpointless, wait)));
    expect(as.requests).toEqual([]);
  });

  verifies(
    ['OPQ-09', 'F83'],
    'asks once while an answer is kept, and once for all who ask together',
    async () => {
      const token = as.issueOpaqueToken();
      for (const [options, requests] of [
        [{ cache: {} }, 1],
        [{}, 2],
      ] as const) {
        as.resetRequests();
        const { verify } = make(options);
        const first = await Promise.all(Array.from({ length: 100 }, () => verify(token)));
        const later = await verify(token);
        expect(first.every((each) => each?.claims['jti'] === later?.claims['jti'])).toBe(true);
        expect(later).not.toBeNull();
        expect(as.requestCount('introspection')).toBe(requests);
      }
    },
  );

  verifies('OPQ-02', 'rejects keys at the start that sign nothing', async () => {
    await expect(make().verifier.onModuleInit()).resolves.toBeUndefined();
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(privateKey);
    const keyed = (key: JWK) => make({ clientSecret: undefined as never, privateKey: key }).verifier;
    await expect(keyed({ ...jwk, alg: 'ES256' }).onModuleInit()).resolves.toBeUndefined();
    await expect(keyed({ ...jwk, alg: 'ES384' }).onModuleInit()).rejects.toMatchObject({
      problems: [
        {
          path: 'resources[0].authorizationServers[0].introspection.privateKey',
          message: 'is no private key for "ES384"',
        },
      ],
    });
  });

  it('ends one wait without ending that of others', async () => {
    as.fail('introspection', { delayMs: 100 });
    const { verify } = make();
    const token = as.issueOpaqueToken();
    const impatient = new AbortController();
    const [first, second] = [verify(token, impatient.signal), verify(token)];
    impatient.abort();
    expect(await cause(first)).toBe('the application has stopped waiting for the answer');
    expect(await second).not.toBeNull();
    expect(as.requestCount('introspection')).toBe(1);
  });

  it('takes its own fault for no outage', async () => {
    const { verify } = make();
    now = () => {
      throw new Error('a broken clock');
    };
    await expect(verify('t')).rejects.toThrow('a broken clock');
    const { verifier, known } = make();
    const server = { ...known, options: { ...known.options, introspection: undefined } };
    expect(() => verifier.verify('t', server, new AbortController())).toThrow(
      `${as.issuer} is not configured for introspection`,
    );
  });

  verifies('OPQ-06', 'reads credentials anew that are rejected, at most each half minute', async () => {
    const clock = { at: Date.now() };
    now = () => new Date(clock.at);
    const clientSecret = vi.fn(() => 'old');
    const { verify } = make({ clientSecret });
    const token = as.issueOpaqueToken({ expiresInSeconds: 3600 });
    expect(await cause(verify(token))).toBe('answered 401');
    clientSecret.mockReturnValue(CLIENT.clientSecret);
    clock.at += 29_000;
    await cause(verify(token));
    expect([clientSecret.mock.calls.length, errors.length]).toEqual([1, 1]);
    clock.at += 1000;
    await cause(verify(token));
    expect(await verify(token)).not.toBeNull();
    expect([clientSecret.mock.calls.length, errors.length]).toEqual([2, 1]);
    as.fail('introspection', { status: 403 });
    clientSecret.mockImplementation(() => {
      throw new Error('vault sealed');
    });
    clock.at += 60_000;
    expect(await cause(verify(token))).toBe('answered 403');
    as.recover();
    expect(await verify(token)).not.toBeNull();
    expect([clientSecret.mock.calls.length, errors.length]).toEqual([3, 2]);
  });

  verifies('OPS-08', 'shows no secret when it is inspected', async () => {
    const { verifier, verify } = make({ cache: {} });
    const token = as.issueOpaqueToken();
    expect(await verify(token)).not.toBeNull();
    const shown = inspect(verifier, { depth: 20 });
    expect(shown).toContain('IntrospectionCache');
    expect(shown).not.toContain(CLIENT.clientSecret);
    expect(shown).not.toContain(token);
  });

  it('names the option of a secret that is not available', async () => {
    const threw = 'the option "clientSecret" threw, or took too long';
    const none = 'the option "clientSecret" gave no secret';
    for (const [clientSecret, message] of [
      [() => Promise.reject(new Error('sealed')), threw],
      [() => '', none],
      [() => 7 as never, none],
    ] as const) {
      expect(await cause(make({ clientSecret }).verify('t'))).toBe(message);
    }
    expect(as.requests).toEqual([]);
  });
});
