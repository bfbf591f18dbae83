import { afterAll, beforeAll, describe, expect } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { toolCall } from '../fixtures/mcp-endpoint.js';
import { type SampleProcess, startSample, stopSample } from '../fixtures/sample-process.js';
import { verifies } from '../verifies.js';

interface MadeKey {
  readonly id: string;
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  readonly key: string;
}

describe('sample/api-keys as a process', () => {
  let as: LoopbackAuthorizationServer;
  let sample: SampleProcess;
  let origin: string;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const port = String(await freePort());
    origin = `http://127.0.0.1:${port}`;
    const settings = { MCP_RESOURCE: `${origin}/notes`, MCP_ISSUER: as.issuer, PORT: port };
    sample = await startSample('api-keys', 'Stop with Ctrl-C.', settings);
  });

  afterAll(async () => {
    await stopSample(sample);
    await as.close();
  });

  const ALL = 'notes:read notes:write keys:manage';
  const bearer = async (sub: string, scope = ALL): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await as.token({ aud: `${origin}/notes`, sub, scope })}`,
  });
  const keys = (
    method: string,
    headers: Record<string, string>,
    body?: object,
    path = '',
  ): Promise<HttpAnswer> => send(origin, `/notes/keys${path}`, { method, headers, body });
  const call = (name: string, headers: Record<string, string>): Promise<HttpAnswer> =>
    send(origin, '/notes', { method: 'POST', headers, body: toolCall(name) });
  async function made(sub: string, scopes: string[]): Promise<MadeKey> {
    const { status, json, headers } = await keys('POST', await bearer(sub), { scopes });
    expect([status, headers['cache-control']]).toEqual([201, 'no-store']);
    return json as MadeKey;
  }

  verifies('AKY-20', 'shows a key once, and serves its caller with its scopes', async () => {
    const { key, ...stored } = await made('ada', ['notes:read']);
    expect(stored).toMatchObject({ owner: 'ada', scopes: ['notes:read'] });
    const answer = await call('count_notes', { 'x-api-key': key });
    expect(answer.text).toContain('ada has no notes (by an API key)');
    expect((await call('count_notes', await bearer('ada'))).text).toContain('ada has no notes (by a token)');
    const scopeless = await call('write_note', { 'x-api-key': key });
    expect([scopeless.status, scopeless.json]).toMatchObject([403, { error: 'insufficient_scope' }]);
    const writer = await made('ada', ['notes:read', 'notes:write']);
    expect((await call('write_note', { 'x-api-key': writer.key })).text).toContain('written');
    const listed = await keys('GET', await bearer('ada'));
    expect(listed.json).toEqual(
      [stored, { ...writer, key: undefined }].map((each) => ({ ...each, key: undefined })),
    );
    expect(listed.text).not.toContain(key);
    expect((await keys('GET', await bearer('bob'))).json).toEqual([]);
    expect(sample.output()).not.toContain(key);
  });

  verifies('AKY-20', 'rejects a key that differs by one character, and one that is revoked', async () => {
    const { id, key } = await made('ada', ['notes:read']);
    const other = key.endsWith('A') ? 'B' : 'A';
    const near = [`${key}A`, key.slice(0, -1), key.slice(0, -1) + other, key.replace(id, '0'.repeat(12)), ''];
    for (const wrong of near) {
      const { status, headers } = await call('count_notes', { 'x-api-key': wrong });
      const error = wrong === '' ? '' : 'error="invalid_token", ';
      expect([wrong, status, headers['www-authenticate']]).toEqual([
        wrong,
        401,
        expect.stringMatching(new RegExp(`^Bearer ${error}scope="notes:read", resource_metadata=`)),
      ]);
    }
    expect((await call('count_notes', { authorization: `Bearer ${key}` })).status).toBe(401);
    expect((await keys('DELETE', await bearer('bob'), undefined, `/${id}`)).status).toBe(404);
    expect((await call('count_notes', { 'x-api-key': key })).status).toBe(200);
    expect((await keys('DELETE', await bearer('ada'), undefined, `/${id}`)).status).toBe(204);
    expect((await call('count_notes', { 'x-api-key': key })).status).toBe(401);
  });

  verifies('AKY-20', 'lets no key manage keys, and gives no key more than its person may do', async () => {
    const { key } = await made('ada', ['notes:read', 'notes:write']);
    for (const method of ['GET', 'POST'])
      expect(
        (await keys(method, { 'x-api-key': key }, method === 'POST' ? { scopes: [] } : undefined)).status,
      ).toBe(403);
    const wrong = [
      [],
      ['keys:manage'],
      ['notes:read', 'keys:manage'],
      ['notes:read notes:write'],
      'notes:read',
      [1],
    ];
    for (const scopes of wrong)
      expect([scopes, (await keys('POST', await bearer('ada'), { scopes })).status]).toEqual([scopes, 400]);
    const reader = await bearer('ada', 'notes:read keys:manage');
    expect((await keys('POST', reader, { scopes: ['notes:write'] })).status).toBe(400);
    expect((await keys('POST', reader, { scopes: ['notes:read'] })).status).toBe(201);
  });
});
