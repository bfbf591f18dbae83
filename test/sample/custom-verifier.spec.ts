import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { StaticTokenVerifier, TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccessKey, AccessKeys } from '../../sample/custom-verifier/src/access-keys.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

const PARTNER_KEY = 'the-key-of-the-partner';

describe('sample/custom-verifier', () => {
  let origin: string;
  let NOTES: string;
  let EXPORT: string;
  let as: TestAuthorizationServer;
  let app: INestApplication;
  let keys: AccessKeys;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    const port = await freePort();
    origin = `http://127.0.0.1:${String(port)}`;
    NOTES = `${origin}/notes`;
    EXPORT = `${origin}/export`;
    Object.assign(process.env, { MCP_RESOURCE: NOTES, MCP_ISSUER: as.issuer, PARTNER_KEY });
    const { startKeysServer } = await import('../../sample/custom-verifier/src/start.js');
    const { AccessKeys } = await import('../../sample/custom-verifier/src/access-keys.js');
    app = await startKeysServer(port);
    keys = app.get(AccessKeys);
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  const notes = (token: string, name = 'count_notes'): Promise<HttpAnswer> =>
    send(origin, '/notes', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } },
    });
  const exported = (token: string): Promise<HttpAnswer> =>
    send(origin, '/export', { headers: { authorization: `Bearer ${token}` } });
  const key = (changes: Partial<AccessKey> = {}): string =>
    keys.create({
      owner: 'ada',
      resource: NOTES,
      scopes: ['notes:read'],
      expiresAt: Math.floor(Date.now() / 1000) + 60,
      ...changes,
    });

  function expectInvalid({ status, headers, json }: HttpAnswer, name = 'notes'): void {
    const description = 'The access token is invalid or expired';
    const metadata = `${origin}/.well-known/oauth-protected-resource/${name}`;
    expect([status, headers['www-authenticate'], json]).toEqual([
      401,
      `Bearer error="invalid_token", scope="${name}:read", resource_metadata="${metadata}", error_description="${description}"`,
      { error: 'invalid_token', error_description: description },
    ]);
  }

  verifies(['VER-01', 'F77'], 'the class takes keys that are good, as the gate decides', async () => {
    const good = key();
    expect((await notes(good)).text).toContain('ada has no notes');
    expect((await notes(good, 'purge_notes')).status).toBe(403);
    expectInvalid(await notes(`${good}x`));
    expectInvalid(await notes(key({ resource: EXPORT })));
    expectInvalid(await notes(key({ expiresAt: Math.floor(Date.now() / 1000) - 60 })));
    expect((await notes(key({ scopes: ['notes:reading'] }))).status).toBe(403);
    keys.revoke(good);
    expectInvalid(await notes(good));
  });

  it('the class leaves other tokens to the verifier of the package', async () => {
    const token = await as.issueToken({ audience: NOTES, scopes: ['notes:read'], sub: 'bob' });
    expect((await notes(token)).text).toContain('bob has no notes');
    expectInvalid(await notes(await as.issueToken({ audience: EXPORT, scopes: ['notes:read'] })));
    const other = await TestAuthorizationServer.start();
    const forged = { audience: NOTES, scopes: ['notes:read'], claims: { iss: as.issuer } };
    expectInvalid(await notes(await other.issueToken(forged)));
    await other.close();
  });

  verifies('VER-01', 'the one from the factory serves its resource alone', async () => {
    expect((await exported(PARTNER_KEY)).json).toEqual({ for: 'partner', notes: [] });
    expectInvalid(await exported(`${PARTNER_KEY}2`), 'export');
    expectInvalid(await notes(PARTNER_KEY));
    expectInvalid(await exported(key({ resource: EXPORT, scopes: ['export:read'] })), 'export');
    const scopes = ['export:read'];
    expectInvalid(await exported(await as.issueToken({ audience: EXPORT, scopes })), 'export');
  });

  verifies('F77', 'a test takes the place of either', async () => {
    const { AppModule } = await import('../../sample/custom-verifier/src/app.module.js');
    const { AccessKeyVerifier } = await import('../../sample/custom-verifier/src/access-key.verifier.js');
    const { PARTNER_VERIFIER } = await import('../../sample/custom-verifier/src/partner.module.js');
    //#region override
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(AccessKeyVerifier)
      .useValue(new StaticTokenVerifier({ reader: { sub: 'me', aud: NOTES, scope: 'notes:read' } }))
      .overrideProvider(PARTNER_VERIFIER)
      .useValue(new StaticTokenVerifier({ partner: { sub: 'them', aud: EXPORT, scope: 'export:read' } }))
      .compile();
    //#endregion override
    const tested = module.createNestApplication({ logger: false });
    await tested.listen(0, '127.0.0.1');
    try {
      const ask = async (path: string, token: string) => {
        const headers = { authorization: `Bearer ${token}` };
        const { status, text } = await send(await tested.getUrl(), path, { method: 'GET', headers });
        return `${String(status)} ${text}`;
      };
      expect(await ask('/export', 'partner')).toBe('200 {"for":"them","notes":[]}');
      expect(await ask('/export', 'reader')).toMatch(/^401 /);
      expect(await ask('/export', PARTNER_KEY)).toMatch(/^401 /);
      expect(await ask('/notes', 'reader')).not.toMatch(/^401 /);
      expect(await ask('/notes', 'partner')).toMatch(/^401 /);
    } finally {
      await tested.close();
    }
  });
});
