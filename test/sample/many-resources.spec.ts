import type { INestApplication } from '@nestjs/common';
import { TestAuthorizationServer, type TestTokenOptions } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

const SCOPES = ['notes:read', 'notes:write', 'reports:read'];

describe('sample/many-resources', () => {
  let origin: string;
  let customers: TestAuthorizationServer;
  let staff: TestAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    [customers, staff] = await Promise.all([
      TestAuthorizationServer.start(),
      TestAuthorizationServer.start(),
    ]);
    const port = await freePort();
    origin = `http://127.0.0.1:${String(port)}`;
    Object.assign(process.env, {
      MCP_RESOURCE: `${origin}/notes`,
      MCP_ISSUER: customers.issuer,
      MCP_STAFF_ISSUER: staff.issuer,
    });
    const { startResources } = await import('../../sample/many-resources/src/start.js');
    app = await startResources(port);
  });

  afterAll(async () => {
    await app.close();
    await Promise.all([customers.close(), staff.close()]);
  });

  const notes = (token: string, name = 'list_notes', args: object = {}): Promise<HttpAnswer> =>
    send(origin, '/notes', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } },
    });
  const reports = (token: string): Promise<HttpAnswer> =>
    send(origin, '/reports', { headers: { authorization: `Bearer ${token}` } });
  const issue = (as: TestAuthorizationServer, audience: string | string[], more: TestTokenOptions = {}) =>
    as.issueToken({ audience, scopes: SCOPES, ...more });
  const rejection = (name: 'notes' | 'reports') => ({
    status: 401,
    challenge:
      `Bearer error="invalid_token", scope="${name}:read", ` +
      `resource_metadata="${origin}/.well-known/oauth-protected-resource/${name}", ` +
      'error_description="The access token is invalid or expired"',
    json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
  });
  const shown = ({ status, headers, json }: HttpAnswer) => ({
    status,
    challenge: headers['www-authenticate'],
    json,
  });

  verifies(['PRM-60', 'PRM-62'], 'opens each resource to tokens for it, of its issuers, alone', async () => {
    const [notesUrl, reportsUrl] = [`${origin}/notes`, `${origin}/reports`];
    const table: [TestAuthorizationServer, string | string[], opens: { notes: boolean; reports: boolean }][] =
      [
        [customers, notesUrl, { notes: true, reports: false }],
        [customers, reportsUrl, { notes: false, reports: false }],
        [customers, [notesUrl, reportsUrl], { notes: false, reports: false }],
        [staff, notesUrl, { notes: true, reports: false }],
        [staff, reportsUrl, { notes: false, reports: true }],
        [staff, [notesUrl, reportsUrl], { notes: false, reports: false }],
        [staff, origin, { notes: false, reports: false }],
      ];
    for (const [as, audience, opens] of table) {
      const token = await issue(as, audience);
      for (const [name, ask] of [['notes', notes] as const, ['reports', reports] as const]) {
        const answer = await ask(token);
        if (opens[name]) expect(answer.status).toBe(200);
        else expect(shown(answer)).toEqual(rejection(name));
      }
    }
  });

  it('takes no issuer for the other by the keys of the first', async () => {
    const forged = await issue(customers, `${origin}/reports`, { claims: { iss: staff.issuer } });
    expect(shown(await reports(forged))).toEqual(rejection('reports'));
    const swapped = await issue(staff, `${origin}/notes`, { claims: { iss: customers.issuer } });
    expect(shown(await notes(swapped))).toEqual(rejection('notes'));
  });

  it('keeps the same subject of two issuers apart', async () => {
    const [customer, clerk] = await Promise.all([
      issue(customers, `${origin}/notes`, { sub: 'demo' }),
      issue(staff, `${origin}/notes`, { sub: 'demo' }),
    ]);
    expect((await notes(customer, 'add_note', { text: 'a secret' })).text).toContain('1 notes');
    expect((await notes(customer)).text).toContain('a secret');
    expect((await notes(clerk)).text).toContain('no notes');
    expect((await notes(clerk, 'add_note', { text: 'b' })).text).toContain('1 notes');
    expect((await reports(await issue(staff, `${origin}/reports`))).json).toEqual({ people: 2, notes: 2 });
  });

  it('names the issuers of each resource, and no others', async () => {
    const documents = await Promise.all(
      ['notes', 'reports'].map((name) => send(origin, `/.well-known/oauth-protected-resource/${name}`)),
    );
    expect(documents.map(({ json }) => json)).toMatchObject([
      {
        authorization_servers: [customers.issuer, staff.issuer],
        scopes_supported: ['notes:read', 'notes:write'],
      },
      { authorization_servers: [staff.issuer], scopes_supported: ['reports:read'] },
    ]);
  });
});
