import { createHash, randomUUID } from 'node:crypto';
import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { connectV2, CREDENTIALS } from '../fixtures/official-clients.js';
import { verifies } from '../verifies.js';

const CLIENT = { clientId: 'notes-server', clientSecret: randomUUID() };
const REDIRECT_URI = 'http://127.0.0.1:9/callback';

describe('sample/introspection', () => {
  let origin: string;
  let resource: string;
  let server: RunningAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    const port = await freePort();
    origin = `http://127.0.0.1:${String(port)}`;
    resource = `${origin}/notes`;
    server = await startAuthorizationServer({
      port: 0,
      resources: { [resource]: ['notes:read', 'notes:admin'], [`${resource}2`]: ['notes:read'] },
      ...CREDENTIALS,
      accessTokenFormat: 'opaque',
      introspectionClient: CLIENT,
    });
    Object.assign(process.env, {
      MCP_RESOURCE: resource,
      MCP_ISSUER: server.issuer,
      MCP_CLIENT_ID: CLIENT.clientId,
      MCP_CLIENT_SECRET: CLIENT.clientSecret,
    });
    const { startOpaqueServer } = await import('../../sample/introspection/src/start.js');
    app = await startOpaqueServer(port);
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  const call = (token: string, name = 'token_status'): Promise<HttpAnswer> =>
    send(origin, '/notes', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } },
    });

  /** What anybody gets who asks for tokens of this audience: a client registers, a person signs in and consents. */
  async function obtain(audience: string): Promise<{ clientId: string; token: string }> {
    const registration = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };
    const { json } = await send(server.issuer, '/reg', { method: 'POST', body: registration });
    const { client_id: clientId } = json as { client_id: string };
    const verifier = randomUUID() + randomUUID();
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'notes:read',
      resource: audience,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    const answer = await new Person(CREDENTIALS).authorize(
      new URL(`${server.issuer}/auth?${query.toString()}`),
    );
    const response = await post('/token', {
      grant_type: 'authorization_code',
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      code: answer.searchParams.get('code') ?? '',
      code_verifier: verifier,
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    return { clientId, token };
  }

  const post = (path: string, fields: Record<string, string>): Promise<Response> =>
    fetch(server.issuer + path, { method: 'POST', body: new URLSearchParams(fields) });

  const challenge = (error: string, description: string, scope: string): string =>
    `Bearer error="${error}", scope="${scope}", resource_metadata="${origin}/.well-known/oauth-protected-resource/notes", error_description="${description}"`;

  function expectInvalid({ status, headers, json }: HttpAnswer): void {
    const description = 'The access token is invalid or expired';
    expect([status, headers['www-authenticate'], json]).toEqual([
      401,
      challenge('invalid_token', description, 'notes:read'),
      { error: 'invalid_token', error_description: description },
    ]);
  }

  verifies('F80', 'the official client logs in and steps up with tokens that say nothing', async () => {
    const client = await connectV2(resource);
    expect(await client.call('token_status')).toMatch(/^demo with notes:read until 2\d{3}-.*Z$/);
    expect(await client.call('purge_notes')).toBe('deleted');
    expect(client.challenged).toEqual(['notes:admin']);
    await client.close();
  });

  verifies(
    'OPQ-01',
    'rejects a token that was revoked, is for another audience, or lacks a scope',
    async () => {
      const { clientId, token } = await obtain(resource);
      expect(token).not.toContain('.');
      expect((await call(token)).text).toContain('demo with notes:read until');
      const { status, headers } = await call(token, 'purge_notes');
      expect([status, headers['www-authenticate']]).toEqual([
        403,
        challenge(
          'insufficient_scope',
          'The access token does not grant what this operation needs',
          'notes:read notes:admin',
        ),
      ]);
      expectInvalid(await call((await obtain(`${resource}2`)).token));
      expectInvalid(await call(`${token}x`));
      expect((await post('/token/revocation', { client_id: clientId, token })).status).toBe(200);
      expectInvalid(await call(token));
    },
  );

  it('answers 503 without a challenge while nobody can be asked', async () => {
    const { token } = await obtain(resource);
    await server.close();
    const { status, headers, json } = await call(token);
    expect([status, headers['www-authenticate'], headers['retry-after']]).toEqual([
      503,
      undefined,
      expect.stringMatching(/^\d+$/),
    ]);
    expect(json).toMatchObject({ error: 'temporarily_unavailable' });
  });
});
