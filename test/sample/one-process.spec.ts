import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientProvider } from '../../sample/client/src/client-provider.js';
import { SampleClient } from '../../sample/client/src/sample-client.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { OAUTH } from '../fixtures/discovery.js';
import { send } from '../fixtures/http.js';
import { CREDENTIALS, visitWithV1, visitWithV2 } from '../fixtures/official-clients.js';
import { OldClient } from '../fixtures/old-client.js';
import { PRM } from '../fixtures/resources.js';
import { type SampleProcess, startSample, stopSample } from '../fixtures/sample-process.js';
import { verifies } from '../verifies.js';

/** Has a process tell of every connection that it opens. */
const TELL_CONNECTIONS = `
import { Socket } from 'node:net';
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...to) {
  console.log('OUTBOUND', JSON.stringify(to));
  return connect.apply(this, to);
};`;
const TELLING = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(TELL_CONNECTIONS)}`,
};
const READY = 'Stop with Ctrl-C.';

async function settingsFor(): Promise<{ origin: string; settings: Record<string, string> }> {
  const port = String(await freePort());
  const origin = `http://127.0.0.1:${port}`;
  return { origin, settings: { ...TELLING, MCP_RESOURCE: `${origin}/notes`, PORT: port } };
}

for (const [format, id] of [['opaque', 'F86'] as const, ['jwt', 'F11'] as const]) {
  describe(`sample/one-process with ${format} access tokens`, () => {
    let origin: string;
    let sample: SampleProcess;

    beforeAll(async () => {
      const { settings, ...where } = await settingsFor();
      origin = where.origin;
      sample = await startSample('one-process', READY, { ...settings, ACCESS_TOKENS: format });
    });

    afterAll(() => stopSample(sample));

    const whoami = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } };
    const challenge = (parameters = ''): string =>
      `Bearer ${parameters}scope="notes:read", resource_metadata="${origin}${PRM}/notes"`;

    const answerTo = async (headers: Record<string, string>) => {
      const answer = await send(origin, '/notes', { method: 'POST', body: whoami, headers });
      return [answer.status, answer.headers['www-authenticate']?.replace(/, error_description=.*/, '')];
    };

    async function logIn() {
      const person = new Person(CREDENTIALS);
      const browse = async (url: URL) => (await person.authorize(url)).searchParams;
      const provider = new ClientProvider('c', 'http://127.0.0.1:9/callback', browse);
      const client = new SampleClient(new URL(`${origin}/notes`), provider);
      await client.connect();
      return { client, provider };
    }

    verifies([id, 'LEG-09'], 'serves current clients on one port, and opens no connection', async () => {
      for (const visit of [visitWithV1, visitWithV2]) {
        const { text, urls } = await visit(`${origin}/notes`, 'whoami');
        expect(text).toBe('demo with notes:read');
        expect(urls).toContain(`${origin}${PRM}/notes`);
        expect(urls).toContain(`${origin}${OAUTH}`);
        expect(urls.every((url) => url.startsWith(origin))).toBe(true);
      }
      expect(sample.output()).not.toContain('OUTBOUND');
    });

    verifies('LEG-09', 'serves a client that knows no RFC 9728', async () => {
      const old = new OldClient(`${origin}/notes`, new Person(CREDENTIALS), 'notes:read');
      await old.connect();
      expect(old.discovered).toBe('metadata');
      expect(await old.call('whoami')).toBe('demo with notes:read');
    });

    verifies(id, 'takes access tokens and nothing else', async () => {
      const { client, provider } = await logIn();
      const { access_token = '', refresh_token = '' } = provider.tokens() ?? {};
      expect(access_token.split('.')).toHaveLength(format === 'jwt' ? 3 : 1);
      expect(await answerTo({})).toEqual([401, challenge()]);
      const wrong = [refresh_token, `${access_token}x`, access_token.slice(0, -5), 'made-up'];
      for (const token of wrong) {
        const authorization = `Bearer ${token}`;
        expect(await answerTo({ authorization })).toEqual([401, challenge('error="invalid_token", ')]);
      }
      expect((await answerTo({ authorization: `Bearer ${access_token}` }))[0]).toBe(200);
      expect(await client.call('add_note', { text: 'Buy milk' })).toBe('1 notes');
      await client.close();
    });

    verifies(id, 'knows what was revoked where it looks tokens up', async () => {
      const { client, provider } = await logIn();
      const { access_token = '', refresh_token = '' } = provider.tokens() ?? {};
      const { client_id = '' } = provider.clientInformation() ?? {};
      const body = new URLSearchParams({ token: refresh_token, client_id });
      const revoked = await fetch(`${origin}/token/revocation`, { method: 'POST', body });
      expect(revoked.status).toBe(200);
      const [status] = await answerTo({ authorization: `Bearer ${access_token}` });
      expect(status).toBe(format === 'jwt' ? 200 : 401);
      await client.close();
    });
  });
}

describe('the quick start, which has its authorization server elsewhere', () => {
  it('opens connections, and is seen to', async () => {
    const as = await LoopbackAuthorizationServer.start();
    const { settings } = await settingsFor();
    const sample = await startSample('quickstart', READY, { ...settings, MCP_ISSUER: as.issuer });
    expect(sample.output()).toContain('OUTBOUND');
    await stopSample(sample);
    await as.close();
  });
});
