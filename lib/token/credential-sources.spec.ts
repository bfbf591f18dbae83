import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { sendRaw } from '../../test/fixtures/http.js';
import { credentialSources, presentedSecrets } from './credential-sources.js';

describe('credentialSources', () => {
  it('reads every Authorization line, whatever its letter case, in order', () => {
    const rawHeaders = [
      'Host',
      'x',
      'AUTHORIZATION',
      'Bearer a',
      'X-Authorization',
      'Bearer b',
      'authorization',
      'Basic c',
    ];
    expect(credentialSources({ headers: { authorization: 'Bearer z' }, rawHeaders }).authorization).toEqual([
      'Bearer a',
      'Basic c',
    ]);
  });

  it('does not take a value for a name', () => {
    expect(
      credentialSources({ headers: {}, rawHeaders: ['x', 'authorization', 'y', 'Bearer a'] }).authorization,
    ).toEqual([]);
  });

  it('sees the second line that Node leaves out of its headers', async () => {
    const seen: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      seen.push(request);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    await sendRaw(
      origin,
      'GET /notes?a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\nConnection: close\r\n\r\n',
    );
    server.close();
    const { headers, rawHeaders, url = '' } = seen[0]!;
    expect(headers.authorization).toBe('Bearer a');
    expect(credentialSources({ headers, rawHeaders, url })).toEqual({
      authorization: ['Bearer a', 'Bearer b'],
      target: '/notes?a',
    });
  });

  it("reads the Node request behind a request of Fastify's", () => {
    const raw = { rawHeaders: ['Authorization', 'Bearer a', 'Authorization', 'Bearer b'] };
    expect(credentialSources({ headers: { authorization: 'Bearer a' }, raw }).authorization).toEqual([
      'Bearer a',
      'Bearer b',
    ]);
  });

  it('reads the headers where nothing else is there', () => {
    const headers = { 'set-cookie': ['authorization', 'Bearer c'], authorization: 'Bearer a' };
    expect(credentialSources({ headers }).authorization).toEqual(['Bearer a']);
    expect(credentialSources({ headers, raw: {} }).authorization).toEqual(['Bearer a']);
    expect(credentialSources({ headers: {} })).toEqual({ authorization: [], target: '' });
  });

  it('prefers the target as received over the one that a mount point leaves', () => {
    expect(credentialSources({ headers: {}, originalUrl: '/api/x', url: '/x' }).target).toBe('/api/x');
    expect(credentialSources({ headers: {}, url: '/x' }).target).toBe('/x');
  });
});

describe('presentedSecrets', () => {
  it('finds whatever may be secret in any Authorization line, and no names', () => {
    const lines = [
      'Bearer 0123456789',
      'Basic YWJjZGVmZ2g=,\tBearer x',
      'opaque-secret',
      'Bearer 012345678',
      '',
    ];
    const rawHeaders = lines.flatMap((line) => ['Authorization', line]);
    expect(presentedSecrets({ headers: {}, rawHeaders })).toEqual([
      '0123456789',
      'YWJjZGVmZ2g=',
      'opaque-secret',
    ]);
    expect(presentedSecrets({ headers: {} })).toEqual([]);
  });
});
