import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { AuthorizationServerOptions, DpopOptions, ProtectedResourceOptions } from 'nestjs-mcp-auth';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { type Platform, PLATFORMS, type RunningApp } from '../fixtures/app.js';
import { dpopRejections } from '../fixtures/dpop-rejections.js';
import { send } from '../fixtures/http.js';
import { rejectedAs } from '../fixtures/notes-rejections.js';
import {
  type ConnectedClient,
  connectV2,
  connectWithDpop,
  CREDENTIALS,
  type SentRequest,
} from '../fixtures/official-clients.js';
import { startTransport } from '../fixtures/transport-operations.js';
import { ran } from '../fixtures/transport-servers.js';
import { type Transport, TRANSPORTS } from '../fixtures/transports.js';
import { verifies } from '../verifies.js';

/** Those that MCP clients connect to; of which revision is for the client to choose. */
const SERVERS = new Map(TRANSPORTS.filter(({ isPlain }) => !isPlain).map((each) => [each.name, each]));

const WITH_NONCES: DpopOptions = { mode: 'required', nonce: { secrets: ['s'.repeat(43)] } };

/** A real authorization server, which binds the tokens of clients that send proofs. */
let server: RunningAuthorizationServer;
const resources: Record<string, string[]> = {};

beforeAll(async () => {
  server = await startAuthorizationServer({ port: 0, resources: () => resources, ...CREDENTIALS });
});

afterAll(() => server.close());

/** Signs in, calls a tool, and steps up for another. */
async function useAll(client: ConnectedClient): Promise<void> {
  expect(await client.call('list')).toBe('list');
  expect(client.scopes()).toEqual(['notes:read']);
  expect(await client.call('write')).toBe('write');
  expect(client.scopes()).toEqual(['notes:read', 'notes:write']);
  expect(await client.call('list')).toBe('list');
  expect(ran).toEqual(['list', 'write', 'list']);
}

/** Each has the scheme DPoP, and a proof of its own for exactly this request. */
function expectProofs(presented: readonly SentRequest[]): void {
  const ids = presented.map(({ url, method, headers }) => {
    const [scheme, token = ''] = (headers['authorization'] ?? '').split(' ');
    const proof = headers['dpop'] ?? '';
    expect(scheme).toBe('DPoP');
    expect(decodeProtectedHeader(proof)).toMatchObject({ typ: 'dpop+jwt', alg: 'ES256' });
    const ath = createHash('sha256').update(token).digest('base64url');
    expect(decodeJwt(proof)).toMatchObject({ htm: method, htu: url, ath });
    return decodeJwt(proof).jti;
  });
  expect(ids.length).toBeGreaterThan(3);
  expect(new Set(ids).size).toBe(ids.length);
}

/** Makes a resource at a free port, and starts an application there. */
async function startAt(
  issuer: string | AuthorizationServerOptions,
  transport: Transport,
  platform: Platform,
  dpop: NonNullable<ProtectedResourceOptions['dpop']>,
): Promise<RunningApp & { readonly resource: string }> {
  const port = await freePort();
  const resource = `http://127.0.0.1:${String(port)}/notes`;
  resources[resource] = ['notes:read', 'notes:write'];
  const app = await startTransport({ issuer, resource, port, dpop }, transport, platform, {
    showErrorDetails: true,
  });
  return { ...app, resource };
}

describe.each(PLATFORMS)('the official client with DPoP on %s', (platform) => {
  describe.each([...SERVERS])('at %s', (_, transport) => {
    describe.each([
      ['without nonces', 'required'],
      ['with nonces', WITH_NONCES],
    ] as const)('%s', (__, dpop) => {
      let app: Awaited<ReturnType<typeof startAt>>;

      beforeAll(async () => {
        app = await startAt(server.issuer, transport, platform, dpop);
      });

      afterAll(() => app.close());

      beforeEach(() => {
        ran.length = 0;
      });

      verifies(
        ['POP-18', 'POP-19', 'POP-20'],
        'completes sign-in, call and step-up, and leaves nothing to replay',
        async () => {
          const client = await connectWithDpop(app.resource);
          await useAll(client);
          await client.close();
          const presented = client.requests.filter(
            ({ url, headers }) => url === app.resource && headers['authorization'],
          );
          expectProofs(presented);
          const challenges = presented.filter(({ challenge }) => challenge?.includes('use_dpop_nonce'));
          expect(challenges).toHaveLength(dpop === 'required' ? 0 : 1);

          const rejected = dpopRejections(
            `${app.origin}/.well-known/oauth-protected-resource/notes`,
            'notes:read',
          );
          const last = presented.filter(({ method, status }) => method === 'POST' && status === 200).at(-1);
          const { method = '', headers = {}, body } = last ?? {};
          const replayed = await send(app.origin, '/notes', { method, headers: { ...headers }, body });
          expect(rejectedAs(replayed)).toEqual(rejected.proof('proof_replayed'));
          expect(typeof replayed.headers['dpop-nonce']).toBe(dpop === 'required' ? 'undefined' : 'string');

          const authorization = (headers['authorization'] ?? '').replace('DPoP', 'Bearer');
          const bearer = await send(app.origin, '/notes', {
            method,
            headers: { ...headers, authorization },
            body,
          });
          expect(rejectedAs(bearer)).toEqual(rejected.token('sender_constrained'));
          expect(ran).toEqual(['list', 'write', 'list']);
        },
      );
    });
  });

  const [first] = [...SERVERS.values()] as [Transport];

  verifies(
    ['POP-08', 'POP-18'],
    'has no advantage where DPoP is allowed: a client without a key is served too',
    async () => {
      ran.length = 0;
      const app = await startAt(server.issuer, first, platform, 'allowed');
      const client = await connectV2(app.resource);
      await useAll(client);
      await client.close();
      await app.close();
    },
  );

  verifies(['POP-08', 'POP-18'], 'is the only one to be served where DPoP is required', async () => {
    ran.length = 0;
    const app = await startAt(server.issuer, first, platform, 'required');
    await expect(connectV2(app.resource)).rejects.toThrow();
    expect(ran).toEqual([]);
    await app.close();
  });

  verifies(
    ['POP-17', 'POP-21'],
    'completes the same with opaque tokens, which are introspected',
    async () => {
      ran.length = 0;
      const introspection = { clientId: 'notes-server', clientSecret: 'notes-server-secret-for-tests' };
      const opaque = await startAuthorizationServer({
        ...{ port: 0, resources: () => resources, accessTokenFormat: 'opaque', ...CREDENTIALS },
        introspectionClient: introspection,
      });
      const asked = { issuer: opaque.issuer, mode: 'introspection', introspection } as const;
      const app = await startAt(asked, first, platform, 'required');
      const client = await connectWithDpop(app.resource);
      await useAll(client);
      await client.close();
      expectProofs(
        client.requests.filter(({ url, headers }) => url === app.resource && headers['authorization']),
      );
      await Promise.all([app.close(), opaque.close()]);
    },
  );
});
