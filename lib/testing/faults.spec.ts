import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HttpAnswer, send } from '../../test/fixtures/http.js';
import type { TestFault } from './faults.js';
import { TestAuthorizationServer } from './test-authorization-server.js';
import type { TestEndpoint } from './test-authorization-server.interface.js';
import { makeTestKey } from './test-keys.js';

const SHORT_MS = 100;
const PATHS: Readonly<Record<TestEndpoint, string>> = {
  metadata: '/.well-known/oauth-authorization-server',
  jwks: '/jwks',
  introspection: '/introspect',
  revocation: '/revoke',
};

describe('a fault', () => {
  let as: TestAuthorizationServer;
  let right: HttpAnswer;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start({ keys: [await makeTestKey('ES256')] });
    right = await send(as.origin, PATHS.jwks);
  });

  beforeEach(() => {
    as.recover();
    as.resetRequests();
  });

  afterAll(() => as.close());

  const failing = (fault: TestFault): Promise<HttpAnswer> => {
    as.fail('jwks', fault);
    return send(as.origin, PATHS.jwks);
  };

  /** What a client gets that waits only so long. */
  const impatient = async (path: string): Promise<{ started: boolean; ended: boolean }> => {
    const signal = AbortSignal.timeout(SHORT_MS);
    const response = await fetch(as.origin + path, { signal }).catch(() => undefined);
    const body = await response?.text().catch(() => undefined);
    return { started: response !== undefined, ended: body !== undefined };
  };

  it.each<[string, TestFault, object]>([
    ['a status, with the right body', { status: 500 }, { status: 500, text: 'right' }],
    ['a body', { body: '<html>' }, { status: 200, text: '<html>' }],
    ['another document', { json: { keys: 'none' } }, { status: 200, json: { keys: 'none' } }],
    ['null for a document', { json: null }, { status: 200, text: 'null' }],
    ['an empty body', { body: '' }, { status: 200, text: '' }],
    ['a redirect', { redirectTo: '/elsewhere' }, { status: 302, headers: { location: '/elsewhere' } }],
    [
      'another redirect',
      { redirectTo: 'https://a.example/', status: 307 },
      { status: 307, headers: { location: 'https://a.example/' } },
    ],
    [
      'a content type',
      { contentType: 'text/html' },
      { headers: { 'content-type': 'text/html' }, text: 'right' },
    ],
    [
      'headers',
      { status: 503, json: {}, headers: { 'retry-after': '7' } },
      { status: 503, headers: { 'retry-after': '7', 'content-type': 'application/json' }, text: '{}' },
    ],
  ])('is %s', async (_, fault, expected) => {
    const { text } = expected as { text?: string };
    const answer = await failing(fault);
    expect(answer).toMatchObject({ ...expected, ...(text === 'right' && { text: right.text }) });
  });

  it('is a delay of the right answer', async () => {
    const begun = performance.now();
    const answer = await failing({ delayMs: SHORT_MS });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(SHORT_MS - 2);
    expect(answer.text).toBe(right.text);
  });

  it('is silence', async () => {
    as.fail('jwks', 'hang');
    expect(await impatient(PATHS.jwks)).toEqual({ started: false, ended: false });
    expect(await impatient(PATHS.metadata)).toEqual({ started: true, ended: true });
    expect(as.requestCount('jwks')).toBe(1);
  });

  it('is an answer that never ends', async () => {
    as.fail('jwks', 'drip');
    expect(await impatient(PATHS.jwks)).toEqual({ started: true, ended: false });
    as.recover('jwks');
    expect(await impatient(PATHS.jwks)).toEqual({ started: true, ended: true });
  });

  it('is a connection that is reset', async () => {
    await expect(failing('reset')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it.each([300_000, 65_536, 1000])('is the right document with %i bytes', async (hugeBytes) => {
    const { text, json, headers } = await failing({ hugeBytes });
    expect(Buffer.byteLength(text)).toBe(hugeBytes);
    expect(json).toEqual(right.json);
    expect(headers).not.toHaveProperty('content-length');
  });

  it('never makes a document smaller', async () => {
    expect((await failing({ hugeBytes: 1 })).text).toBe(right.text);
  });

  it.each(Object.entries(PATHS) as [TestEndpoint, string][])(
    'at %s is there and nowhere else, until it recovers',
    async (endpoint, path) => {
      as.fail(endpoint, { status: 599 });
      const statuses = async (): Promise<Record<string, number>> =>
        Object.fromEntries(
          await Promise.all(
            Object.entries(PATHS).map(async ([name, each]) => [name, (await send(as.origin, each)).status]),
          ),
        ) as Record<string, number>;
      const healthy = { metadata: 200, jwks: 200, introspection: 405, revocation: 405 };
      expect(await statuses()).toEqual({ ...healthy, [endpoint]: 599 });
      as.recover(endpoint);
      expect(await statuses()).toEqual(healthy);
      expect((await send(as.origin, path)).status).toBe(healthy[endpoint]);
    },
  );

  it('ends by itself after as many requests as were said', async () => {
    as.fail('jwks', { status: 500 }, { times: 2 });
    const statuses = [];
    for (let count = 0; count < 4; count++) statuses.push((await send(as.origin, PATHS.jwks)).status);
    expect(statuses).toEqual([500, 500, 200, 200]);
    expect(as.requestCount('jwks')).toBe(4);
  });
});
