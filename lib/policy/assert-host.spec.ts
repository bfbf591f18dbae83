import { createServer, type IncomingMessage } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { sendRaw } from '../../test/fixtures/http.js';
import { verifies } from '../../test/verifies.js';
import { RequestOriginRejectedError } from '../errors/rejection.errors.js';
import { resolveAllowedHosts } from '../options/resolve-origins.js';
import { assertHost } from './assert-host.js';
import type { OriginRequest } from './header-values.js';

const REMOTE = 'https://api.example.com/notes';
const LOCAL = 'http://localhost:3000/notes';

function outcomeOf(request: OriginRequest, resource = LOCAL, allowed?: string[]): string {
  const hosts = resolveAllowedHosts(resource, allowed);
  try {
    assertHost(request, hosts && new Set(hosts));
    return 'passes';
  } catch (error) {
    if (error instanceof RequestOriginRejectedError) return error.reason;
    throw error;
  }
}

const outcome = (host: string | readonly string[], resource?: string, allowed?: string[]): string =>
  outcomeOf({ headers: {}, rawHeaders: typeof host === 'string' ? ['Host', host] : host }, resource, allowed);

describe('assertHost', () => {
  verifies('ORG-05', 'lets loopback names pass on every port, where the resource is loopback', () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
      for (const port of ['', ':1', ':3000', ':65535']) expect(outcome(host + port)).toBe('passes');
    }
    expect(outcome('127.0.0.5:3000', 'http://127.0.0.5:3000')).toBe('passes');
    expect(outcome('127.0.0.5:3000')).toBe('host');
  });

  verifies(['ORG-05', 'H13'], 'rejects other names, where the resource is loopback', () => {
    for (const host of [
      ...[
        'evil.example',
        'evil.example:3000',
        'localhost.evil.example',
        '127.0.0.1.nip.io',
        'localhost.',
        'xlocalhost',
      ],
      ...[
        '',
        ' ',
        'localhost:',
        'localhost:0',
        'localhost:65536',
        'localhost:3000:3000',
        'localhost, evil.example',
      ],
      ...[
        'localhost@evil.example',
        'evil.example#localhost',
        'localhost/',
        'http://localhost',
        '127.1',
        '0x7f000001',
      ],
      ...['::1', '[::1%lo]', '[::2]', '0.0.0.0', '192.168.0.2', 'l\u043ecalhost', 'localhost\u0000'],
    ]) {
      expect(outcome(host)).toBe('host');
      expect(outcome(host, REMOTE)).toBe('passes');
    }
  });

  verifies('ORG-05', 'lets the configured hosts and that of the resource pass, and no others', () => {
    const allowed = ['mcp.internal', 'proxy.internal:8080', 'tls.internal:443', 'plain.internal:80'];
    for (const host of [
      ...['api.example.com', 'API.example.com:443', 'api.example.com:8443', 'mcp.internal', 'mcp.internal:1'],
      ...['proxy.internal:8080', 'tls.internal:443', 'tls.internal', 'plain.internal', 'plain.internal:80'],
    ]) {
      expect(outcome(host, REMOTE, allowed)).toBe('passes');
    }
    for (const host of [
      ...[
        'evil.example',
        'localhost',
        'proxy.internal',
        'proxy.internal:8081',
        'tls.internal:80',
        'tls.internal:8443',
      ],
      ...['plain.internal:443', 'xmcp.internal', 'mcp.internal.evil.example', 'api.example.co'],
    ]) {
      expect(outcome(host, REMOTE, allowed)).toBe('host');
    }
    expect(outcome('api.example.com', REMOTE, [])).toBe('passes');
    expect(outcome('api.example.org', REMOTE, [])).toBe('host');
    expect(outcome('127.0.0.1:3000', LOCAL, ['mcp.internal'])).toBe('host');
    expect(outcome('localhost:3000', LOCAL, ['mcp.internal'])).toBe('passes');
  });

  verifies('ORG-08', 'rejects two Host lines wherever they say', () => {
    for (const resource of [REMOTE, LOCAL]) {
      expect(outcome(['Host', 'localhost', 'host', 'localhost'], resource)).toBe('duplicate_host');
      expect(outcome(['Host', 'localhost', 'HOST', 'evil.example'], resource)).toBe('duplicate_host');
      expect(outcome(['Host', 'localhost', 'X-Host', 'localhost'], resource)).toBe('passes');
    }
  });

  it('rejects no Host, as HTTP/1.0 allows it, where hosts are looked at', () => {
    expect(outcome([])).toBe('host');
    expect(outcome([], REMOTE)).toBe('passes');
    expect(outcome([], REMOTE, [])).toBe('host');
  });

  verifies('ORG-09', 'does not look at what proxies say', () => {
    const forwarded = (host: string): string[] => ['X-Forwarded-Host', host, 'Forwarded', `host=${host}`];
    expect(outcome(['Host', 'evil.example', ...forwarded('localhost')])).toBe('host');
    expect(outcome(['Host', 'localhost:3000', ...forwarded('evil.example')])).toBe('passes');
    expect(outcome(forwarded('localhost'))).toBe('host');
  });

  it('takes the authority of HTTP/2 for the Host, and rejects one that says otherwise', () => {
    expect(outcome([':authority', 'localhost:3000'])).toBe('passes');
    expect(outcome([':authority', 'evil.example'])).toBe('host');
    expect(outcome([':authority', 'localhost:3000', 'host', 'LOCALHOST:3000'])).toBe('passes');
    for (const resource of [REMOTE, LOCAL]) {
      expect(outcome([':authority', 'localhost:3000', 'host', 'localhost:3001'], resource)).toBe(
        'duplicate_host',
      );
      expect(outcome([':authority', 'evil.example', 'host', 'localhost'], resource)).toBe('duplicate_host');
      for (const lines of [
        [':authority', 'localhost', ':authority', 'localhost'],
        [':authority', 'localhost', ':authority', 'evil.example', 'host', 'localhost'],
        [':authority', 'localhost', 'host', 'localhost', 'host', 'evil.example'],
      ]) {
        expect(outcome(lines, resource)).toBe('duplicate_host');
      }
    }
  });

  verifies('ORG-08', 'sees the second Host that Node leaves out of its headers', async () => {
    const seen: string[] = [];
    const server = createServer((request: IncomingMessage, response) => {
      seen.push(`${request.headers.host ?? 'none'}: ${outcomeOf(request)}`);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const end = 'Connection: close\r\n\r\n';
    await sendRaw(origin, `GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n${end}`);
    await sendRaw(origin, `GET / HTTP/1.1\r\nHost: localhost\r\n${end}`);
    await sendRaw(origin, `GET / HTTP/1.0\r\n${end}`);
    // Node's own: no Host in HTTP/1.1, and a name that only HTTP/2 has.
    const rejected = [
      await sendRaw(origin, `GET / HTTP/1.1\r\n${end}`),
      await sendRaw(origin, `GET / HTTP/1.1\r\nHost: evil.example\r\n:authority: localhost\r\n${end}`),
    ];
    server.close();
    expect(seen).toEqual(['localhost: duplicate_host', 'localhost: passes', 'none: host']);
    expect(rejected.map((answer) => answer.split('\r\n', 1)[0])).toEqual(
      Array<string>(2).fill('HTTP/1.1 400 Bad Request'),
    );
  });

  it('reads the authority as Node gives it', async () => {
    const seen: string[] = [];
    const server = createHttp2Server((request, response) => {
      seen.push(outcomeOf(request));
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = connect(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
    for (const headers of [
      { ':authority': 'localhost:3000' },
      { ':authority': 'evil.example' },
      { ':authority': 'localhost', host: 'evil.example' },
      { host: 'localhost' },
      { host: 'evil.example' },
    ]) {
      await new Promise((resolve) => session.request(headers).on('close', resolve).resume());
    }
    session.close();
    server.close();
    expect(seen).toEqual(['passes', 'host', 'duplicate_host', 'passes', 'host']);
  });
});
