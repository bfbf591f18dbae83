import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { describe, expect } from 'vitest';
import { startAttacked } from '../fixtures/attacked-app.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { verifies } from '../verifies.js';
import { anyJson, bounded, CHALLENGE, expectSamePrototypes } from './arbitraries.js';

const AT_ONCE = 20;
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Sends bytes, ends, and takes what comes until the server ends too. */
function exchange(origin: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.end(bytes, 'latin1'));
    socket.setTimeout(5000, () => socket.destroy(new Error(`no answer to ${JSON.stringify(bytes)}`)));
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The server may hang up on what is not HTTP.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => {
      resolve(received);
    });
  });
}

const anyLine = fc.string({ unit: 'binary', maxLength: 40 }).map((text) =>
  Buffer.from(text)
    .toString('latin1')
    .replace(/[\r\n]/g, ''),
);
/** Mostly what the HTTP parser lets through, so that it comes to the app. */
const lineText = fc.oneof(
  { weight: 9, arbitrary: anyLine.map((text) => text.replace(/\p{Cc}/gu, '')) },
  { weight: 1, arbitrary: anyLine },
);
const encoded = anyJson.map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'));
const authorization = fc.oneof(
  lineText,
  lineText.map((text) => `Bearer ${text}`),
  fc.base64String({ maxLength: 400 }).map((text) => `Bearer ${text}`),
  fc.tuple(encoded, encoded, encoded).map((parts) => `Bearer ${parts.join('.')}`),
  fc.constant('Bearer GOOD'),
  fc.constant('bearer  GOOD'),
  fc.constantFrom('Bearer GOOD, Bearer x', 'Basic eDp5', 'DPoP GOOD', 'GOOD'),
);
const fieldName = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      ...['X-Forwarded-Host', 'Accept', 'Origin', 'Mcp-Session-Id', 'Cookie', 'DPoP', 'Forwarded'],
      ...['Mcp-Protocol-Version', 'If-None-Match', '__proto__', 'constructor', 'Proxy-Authorization'],
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('Authorization', 'Content-Encoding', 'Expect', 'Te st') },
);
const body = fc.oneof(
  anyJson.map((value) => JSON.stringify([value])),
  fc
    .tuple(fc.constantFrom('tools/call', 'initialize'), anyJson)
    .map(([method, params]) => JSON.stringify([{ jsonrpc: '2.0', id: 1, method, params }])),
  lineText,
);
const path = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('/notes', '/notes', '/admin', '/notes?access_token=x', '/Notes/') },
  { weight: 1, arbitrary: fc.constantFrom('//notes', '/notes/..', '/%', '*', `${WELL_KNOWN}/notes`) },
  { weight: 1, arbitrary: lineText.map((text) => `/${text}`) },
  { weight: 1, arbitrary: fc.webUrl().map((url) => `/notes?${url}`) },
  { weight: 1, arbitrary: fc.constantFrom(`${WELL_KNOWN}/%2e`, `${WELL_KNOWN}/__proto__`, '/__proto__') },
);
const method = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('GET', 'POST') },
  { weight: 1, arbitrary: fc.constantFrom('DELETE', 'OPTIONS', 'HEAD', 'PUT', 'TRACE', 'QUERY') },
);
const request = fc
  .record({
    method,
    path,
    credentials: fc.oneof(
      { weight: 6, arbitrary: fc.tuple(authorization) },
      { weight: 1, arbitrary: fc.array(authorization, { maxLength: 2 }) },
    ),
    fields: fc.array(fc.tuple(fieldName, lineText), { maxLength: 3 }),
    type: fc.oneof(
      { weight: 5, arbitrary: fc.constant('application/json') },
      { weight: 1, arbitrary: fc.constantFrom('application/json; charset=x', 'text/plain', 'multipart/x') },
    ),
    body,
    mutation: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.tuple(fc.nat(), fc.nat(255)) },
    ),
  })
  .map(({ mutation, ...parts }) => {
    const lines = [
      `${parts.method} ${parts.path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: close',
      `Content-Type: ${parts.type}`,
      ...parts.credentials.map((each) => `Authorization: ${each}`),
      ...parts.fields.map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${Buffer.byteLength(parts.body, 'latin1')}`,
    ];
    const text = `${lines.join('\r\n')}\r\n\r\n${Buffer.from(parts.body, 'latin1').toString('latin1')}`;
    if (!mutation) return text;
    const at = mutation[0] % text.length;
    return text.slice(0, at) + String.fromCharCode(mutation[1]) + text.slice(at + 1);
  });

describe('2000 requests of any bytes', () => {
  verifies('OPS-02', 'leave the app as it was', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const app = await startAttacked({ as });
    const good = await app.mint();
    const seen = new Map<number, number>();
    const batch = fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE });
    const property = fc.asyncProperty(batch, async (requests) => {
      const before = app.runs();
      const answers = await Promise.all(
        requests.map((text) => exchange(app.origin, text.replaceAll('GOOD', good))),
      );
      for (const answer of answers) {
        const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
        expect(status, answer).toBeLessThan(500);
        seen.set(status, (seen.get(status) ?? 0) + 1);
        for (const [, challenge] of answer.matchAll(/^WWW-Authenticate: (.*?)\r$/gim))
          expect(challenge).toMatch(CHALLENGE);
      }
      if (!requests.some((text) => text.includes('GOOD'))) expect(app.runs()).toBe(before);
      expectSamePrototypes();
    });
    await fc.assert(property, bounded(20, 20_000));
    collectGarbage();
    const before = process.memoryUsage.rss();
    await fc.assert(property, bounded(100, 20_000));
    collectGarbage();
    // Node 24 takes memory in larger steps than Node 20.
    expect(process.memoryUsage.rss() - before).toBeLessThan(80 * 1024 * 1024);
    const count = (...statuses: number[]): number =>
      statuses.reduce((sum, status) => sum + (seen.get(status) ?? 0), 0);
    expect(count(400, 401, 403)).toBeGreaterThan(500);
    expect(count(200, 201)).toBeGreaterThan(30);
    expect(app.canary.hits).toBe(0);
    expect(app.log.lines.filter((line) => line.includes(good.split('.')[2] ?? good))).toEqual([]);
    await app.accepts(good);
  });
});
