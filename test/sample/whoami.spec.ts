import type { INestApplication } from '@nestjs/common';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

describe('sample/whoami', () => {
  let origin: string;
  let resource: string;
  let as: TestAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    const port = await freePort();
    origin = `http://127.0.0.1:${String(port)}`;
    resource = `${origin}/whoami`;
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: as.issuer });
    const { startWhoami } = await import('../../sample/whoami/src/start.js');
    app = await startWhoami(port);
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  const whoami = (token: string): Promise<HttpAnswer> =>
    send(origin, '/whoami', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } },
    });
  const issue = (sub: string, changes: object = {}): Promise<string> =>
    as.issueToken({
      audience: resource,
      scopes: ['identity:read'],
      sub,
      clientId: `${sub}'s client`,
      ...changes,
    });
  /** What the tool said, out of an answer in JSON or in an event stream. */
  const told = ({ text }: HttpAnswer): unknown => {
    const message = JSON.parse(text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '')) as {
      result: { content: { text: string }[] };
    };
    return JSON.parse(message.result.content[0]?.text ?? '');
  };

  verifies(
    'F126',
    'tells each caller who it is, however many call at once, and never its token',
    async () => {
      const people = Array.from({ length: 8 }, (_, index) => `person-${String(index)}`);
      await Promise.all(
        people.map(async (sub) => {
          const token = await issue(sub, { claims: { name: sub.toUpperCase() } });
          const answer = await whoami(token);
          expect(told(answer)).toEqual({
            issuer: as.issuer,
            subject: sub,
            clientId: `${sub}'s client`,
            scopes: ['identity:read'],
            expiresAt: expect.any(Number),
            name: sub.toUpperCase(),
          });
          expect(answer.text).not.toContain(token);
        }),
      );
    },
  );

  verifies('F126', 'tells nobody else anything', async () => {
    const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/whoami"`;
    const invalid = 'The access token is invalid or expired';
    const lacking = 'The access token does not grant what this operation needs';
    for (const [token, status, error, description] of [
      [await issue('eve', { audience: origin }), 401, 'invalid_token', invalid],
      [await issue('eve', { expiresInSeconds: -60 }), 401, 'invalid_token', invalid],
      [await issue('eve', { scopes: ['identity'] }), 403, 'insufficient_scope', lacking],
    ] as const) {
      const { status: got, headers, json } = await whoami(token);
      expect([got, headers['www-authenticate'], json]).toEqual([
        status,
        `Bearer error="${error}", scope="identity:read", ${metadata}, error_description="${description}"`,
        { error, error_description: description },
      ]);
    }
  });
});
