import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HttpClient, MAX_BODY_BYTES } from '../../lib/doctor/http.js';
import { clientFetch } from '../../lib/doctor/login/client-fetch.js';
import { fetchDocument } from '../../lib/doctor/fetch-document.js';
import { doctor, examine, idsOf, problemsOf } from '../fixtures/doctor.js';
import { deploy, type Fault, json } from '../fixtures/doctor-deployment.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { verifies } from '../verifies.js';

const endless: NonNullable<Fault['endpoint']> = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = Buffer.alloc(65_536, 0x20);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
  return true;
};

/** A server that answers each connection with these bytes. */
async function rawServer(bytes: string): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeAfterTest({
    close: async () => {
      server.close();
      return Promise.resolve();
    },
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/mcp`;
}

const client = (ownOrigin: string, timeoutMs = 2000): HttpClient =>
  new HttpClient({ timeoutMs, ownHeaders: {}, ownOrigin, secrets: [] });

describe('the doctor at hostile servers', () => {
  verifies('DOC-09', 'reads no more than 1 MB of an endless body', async () => {
    const { url, origin } = await deploy({ endpoint: endless });
    const answer = await client(origin).send({ method: 'POST', url, body: '{}' });
    expect(answer).toMatchObject({ kind: 'answer', status: 200, isCut: true });
    expect(answer.kind === 'answer' && answer.text.length).toBe(MAX_BODY_BYTES);
    expect(idsOf(problemsOf(await examine(url)))).toContain('no_authentication');
  });

  verifies('DOC-09', 'reads no document of more than 1 MB', async () => {
    const { url } = await deploy({
      document:
        () =>
        (request, response, ...rest) =>
          endless(request, response, rest as never),
    });
    const [problem] = problemsOf(await examine(url));
    expect([problem?.id, problem?.found]).toEqual(['document_unusable', 'a document of more than 1 MB']);
  });

  verifies('DOC-09', 'ends each request at the time limit, before and within the body', async () => {
    const { url, origin } = await deploy({
      endpoint: ({ method }, response) => {
        if (method === 'GET') response.writeHead(200).write('{');
        return true;
      },
    });
    const impatient = client(origin, 100);
    for (const method of ['GET', 'POST']) {
      expect(await impatient.send({ method, url })).toMatchObject({ kind: 'failure', reason: 'timed_out' });
    }
    const report = await examine(url, ['--timeout', '0.1']);
    expect([report.exitCode, idsOf(report.findings)]).toEqual([2, ['timed_out']]);
  });

  verifies('DOC-09', 'writes no control characters of the server to the terminal', async () => {
    const escape = '\u001b[2J\u001b]0;owned\u0007\u202e\u0085\nok  all is well';
    const { url } = await deploy({
      document: (right) => ({ ...right, resource: escape, scopes_supported: [escape] }),
      server: (as) => {
        as.at(
          '/.well-known/oauth-authorization-server',
          as.metadata({ issuer: escape, token_endpoint: escape }),
        );
      },
    });
    const { stdout } = await doctor(['doctor', url]);
    expect(stdout).toContain('\\u001b[2J\\u001b]0;owned\\u0007\\u202e\\u0085\\u000aok  all is well');
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stdout).not.toMatch(/^ok {2}all is well/m);
  });

  verifies('DOC-09', 'says that headers are too large', async () => {
    const url = await rawServer(
      `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer a="${'x'.repeat(1_000_000)}"\r\n\r\n`,
    );
    const report = await examine(url);
    expect([report.exitCode, idsOf(report.findings)]).toEqual([2, ['headers_too_large']]);
  });

  it('says that an answer is not HTTP, and that a connection was closed', async () => {
    expect(idsOf((await examine(await rawServer('SSH-2.0-OpenSSH_9.6\r\n'))).findings)).toEqual(['not_http']);
    const { url } = await deploy({
      endpoint: ({ socket }) => {
        socket.destroy();
        return true;
      },
    });
    expect(idsOf((await examine(url)).findings)).toEqual(['connection_failed']);
  });

  verifies('DOC-10', 'follows no redirects, so that no loop can hold it', async () => {
    const { url, requests } = await deploy({
      endpoint: ({ url: path = '' }, response) => {
        response.writeHead(307, { location: `${path}?again` }).end();
        return true;
      },
    });
    const [problem] = problemsOf(await examine(url));
    expect([problem?.id, problem?.found, requests.length]).toEqual(['redirected', '307 to /mcp?again', 1]);
  });

  verifies('DOC-10', 'fetches no document by a redirect', async () => {
    const { url } = await deploy({
      document: () => (_request, response) => {
        response.writeHead(302, { location: '/elsewhere' }).end();
      },
    });
    const [problem] = problemsOf(await examine(url));
    expect([problem?.id, problem?.found]).toEqual(['document_unusable', '302, a redirect to /elsewhere']);
  });

  verifies('DOC-10', 'fetches no private address that a public server names', async () => {
    const { url, requests } = await deploy();
    const ofPublic = client('https://api.example.com');
    expect((await fetchDocument(ofPublic, url)).found).toBe(
      'a private address that a public server names; it is not fetched',
    );
    expect(requests).toEqual([]);
    expect((await fetchDocument(client(new URL(url).origin), url)).found).toBe('403');
  });

  verifies('DOC-05', 'sends neither token nor headers to the servers that a document names', async () => {
    const { url, as, requests } = await deploy();
    await examine(url, ['--token', 'secret-token', '--header', 'X-Gateway: secret-header']);
    const sent = requests.map(({ headers }) => [headers.authorization, headers['x-gateway']]);
    expect(sent).toContainEqual(['Bearer secret-token', 'secret-header']);
    expect(sent.every(([, gateway]) => gateway === 'secret-header')).toBe(true);
    expect(as.requests.length).toBeGreaterThan(1);
    expect(JSON.stringify(as.requests)).not.toContain('secret');
  });

  verifies('DOC-05', 'prints neither token nor headers, also if the server repeats them', async () => {
    const echo: Fault = {
      endpoint: ({ headers }, response, { url }) => {
        const told = `${String(headers.authorization)} ${String(headers['x-gateway'])}`;
        const challenge = `Bearer error="invalid_token", error_description="${told}", resource_metadata="${url}"`;
        if (headers.authorization?.includes('secret') !== true) return false;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
        return true;
      },
    };
    const { url } = await deploy(echo);
    const argv = ['doctor', url, '--token', 'secret-token', '--header', 'X-Gateway: secret-header'];
    for (const more of [[], ['--json']]) {
      const { stdout, stderr } = await doctor([...argv, ...more]);
      expect(stdout + stderr).toContain('Bearer [secret] [secret]');
      expect(stdout + stderr).not.toMatch(/secret-(?:token|header)/);
    }
  });

  verifies('DOC-09', 'holds the official client to the same limits', async () => {
    const { url, origin } = await deploy({
      endpoint: (request, response, deployment) => {
        if (request.method === 'PUT') return endless(request, response, deployment);
        if (request.method === 'DELETE') response.writeHead(307, { location: '/' }).end();
        if (request.method === 'GET') response.writeHead(200).write('{');
        return true;
      },
    });
    const limited = clientFetch(client(origin, 200));
    await expect(limited(url, { method: 'POST', body: '{}' })).rejects.toThrow('within the time limit');
    const slow = await limited(url);
    await expect(slow.text()).rejects.toThrow();
    const large = await clientFetch(client(origin))(url, { method: 'PUT' });
    await expect(large.text()).rejects.toThrow('an answer of more than 1 MB');
    expect((await limited(url, { method: 'DELETE' })).status).toBe(307);
    await expect(clientFetch(client('https://api.example.com'))(url)).rejects.toThrow('private address');
    await expect(limited(url, { method: 'POST', signal: AbortSignal.timeout(20) })).rejects.toThrow(
      'aborted',
    );
  });

  it('reads a stream that never ends until the response is in it', async () => {
    const { url } = await deploy({
      endpoint: ({ headers, method }, response) => {
        if (headers.authorization !== 'Bearer good' || method !== 'POST') return false;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(': hello\n\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\n\n');
        response.write(
          'event: message\ndata: {"jsonrpc":"2.0","id":1,\ndata: "result":{"tools":[{"name":"a"}]}}\n\n',
        );
        return true;
      },
    });
    const { findings } = await examine(url, ['--token', 'good', '--timeout', '5']);
    const tools = findings.filter(({ id }) => id === 'tool' || id === 'tools');
    expect(tools.map(({ subject, found }) => [subject, found])).toEqual([
      ['MCP 2025-11-25', '1 tools'],
      ['MCP 2026-07-28', '1 tools'],
      ['a', 'the list does not say what it needs'],
    ]);
  });

  it('takes a list of tools that is not one for a failure', async () => {
    const { url } = await deploy({
      endpoint: ({ headers, method }, response) => {
        if (headers.authorization !== 'Bearer good' || method !== 'POST') return false;
        json(response, 200, { jsonrpc: '2.0', id: 1, result: { tools: 'none' } });
        return true;
      },
    });
    expect(idsOf(problemsOf(await examine(url, ['--token', 'good'])))).toContain('call_failed');
  });
});
