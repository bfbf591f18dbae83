import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { app, as } from '../../sample/first-run/src/server.js';

vi.hoisted(() => void (process.env['PORT'] = '0'));

describe('the file of the README', () => {
  let url: string;

  beforeAll(async () => {
    url = `${await (await app).getUrl()}/notes`;
  });

  afterAll(async () => {
    await (await app).close();
    await (await as).close();
  });

  async function call(tool: string, ...scopes: string[]) {
    const token = await (await as).issueToken({ audience: 'http://127.0.0.1:3000/notes', scopes });
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }),
    });
    return { status: response.status, text: await response.text() };
  }

  it('runs its tool for a token with the scope of the tool', async () => {
    expect(await call('purge', 'notes:read', 'notes:write')).toEqual({
      status: 200,
      text: expect.stringContaining('deleted the notes of user-1'),
    });
  });

  it('rejects a token without the scope of the tool', async () => {
    expect(await call('purge', 'notes:read')).toEqual({
      status: 403,
      text: expect.stringContaining('insufficient_scope'),
    });
  });
});
