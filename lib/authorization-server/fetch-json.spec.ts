import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoopbackAuthorizationServer } from '../../test/fixtures/authorization-server.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import { fetchJson, type FetchJsonOptions } from './fetch-json.js';

describe('fetchJson', () => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start('', { serve: false });
  });

  afterAll(async () => {
    await as.close();
  });

  const get = (path: string, options: Partial<FetchJsonOptions> = {}): Promise<unknown> =>
    fetchJson(path.startsWith('/') ? `${as.origin}${path}` : path, {
      fetch: globalThis.fetch,
      timeoutMs: 5000,
      maxBytes: 100,
      ...options,
    });

  const failureOf = async (
    path: string,
    options: Partial<FetchJsonOptions> = {},
  ): Promise<DiscoveryError> => {
    const error = await get(path, options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DiscoveryError);
    return error as DiscoveryError;
  };

  const text = (
    path: string,
    body: string | Buffer,
    headers: Record<string, string> = {},
    status = 200,
  ): void => {
    as.at(path, (_request, response) => {
      response.writeHead(status, headers).end(body);
    });
  };

  it('gives a JSON object of status 200, whatever its media type', async () => {
    text('/json', '{"issuer":"x"}', { 'content-type': 'text/html' });
    expect(await get('/json')).toEqual({ issuer: 'x' });
  });

  it('asks for JSON, without cookies and credentials', async () => {
    as.at('/asked', {});
    await get('/asked');
    const { method, headers } = as.requests.at(-1)!;
    expect(method).toBe('GET');
    expect(headers.accept).toBe('application/json');
    expect(headers).not.toHaveProperty('cookie');
    expect(headers).not.toHaveProperty('authorization');
  });

  it.each([
    ['no JSON', '<html>', 'answered 200 with something that is not JSON'],
    ['nothing', '', 'answered 200 with something that is not JSON'],
    ['a list', '[]', 'answered 200 with JSON that is not an object'],
    ['null', 'null', 'answered 200 with JSON that is not an object'],
    ['a text', '"{}"', 'answered 200 with JSON that is not an object'],
  ])('rejects %s as a document', async (_what, body, detail) => {
    text('/body', body);
    expect(await failureOf('/body')).toMatchObject({ failure: 'not_json', detail, url: `${as.origin}/body` });
  });

  it.each([
    [201, 'not_json', 'answered 201, not 200'],
    [204, 'not_json', 'answered 204, not 200'],
    [301, 'redirected', 'answered with a redirect; redirects are not followed'],
    [308, 'redirected', 'answered with a redirect; redirects are not followed'],
    [400, 'not_found', 'answered 400'],
    [404, 'not_found', 'answered 404'],
    [499, 'not_found', 'answered 499'],
    [500, 'server_error', 'answered 500'],
    [503, 'server_error', 'answered 503'],
  ])('takes status %i for %s', async (status, failure, detail) => {
    as.at('/elsewhere', {});
    text('/status', status === 204 ? '' : '{}', { location: '/elsewhere' }, status);
    expect(await failureOf('/status')).toMatchObject({ failure, detail });
    expect(as.paths.at(-1)).toBe('/status');
  });

  it('reads a document of just the size limit, and not one byte more', async () => {
    const body = (size: number): string => `{"a":"${'x'.repeat(size - 8)}"}`;
    text('/fits', body(100));
    text('/large', body(101));
    expect(await get('/fits')).toHaveProperty('a');
    expect(await failureOf('/large')).toMatchObject({
      failure: 'too_large',
      detail: 'is larger than 100 bytes',
    });
  });

  it('counts the bytes of a compressed document after unpacking', async () => {
    text('/bomb', gzipSync(Buffer.alloc(1_000_000, 'x')), { 'content-encoding': 'gzip' });
    expect(await failureOf('/bomb')).toMatchObject({ failure: 'too_large' });
  });

  it('gives up on a document that never ends, as soon as it is too large', async () => {
    as.at('/endless', (_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(50)), 1);
      response.on('close', () => {
        clearInterval(timer);
      });
    });
    expect(await failureOf('/endless')).toMatchObject({ failure: 'too_large' });
  });

  it('gives up on a server that is silent before or within its answer', async () => {
    as.at('/silent', () => undefined);
    as.at('/stalls', (_request, response) => response.writeHead(200).write('{'));
    for (const path of ['/silent', '/stalls']) {
      expect(await failureOf(path, { timeoutMs: 100 })).toMatchObject({
        failure: 'timeout',
        detail: 'no complete answer within the time limit',
      });
    }
  });

  it('ends early by the signal of its caller, also one that is aborted already', async () => {
    as.at('/silent', () => undefined);
    for (const signal of [AbortSignal.timeout(50), AbortSignal.abort()]) {
      expect(await failureOf('/silent', { signal })).toMatchObject({ failure: 'timeout' });
    }
  });

  it('names the innermost reason why a server cannot be reached', async () => {
    const gone = await LoopbackAuthorizationServer.start();
    await gone.close();
    const { port } = new URL(gone.origin);
    const failure = await failureOf(`${gone.origin}/`);
    expect(failure).toMatchObject({
      failure: 'unreachable',
      detail: `cannot be reached (connect ECONNREFUSED 127.0.0.1:${port})`,
    });
    expect(failure.cause).toBeInstanceOf(TypeError);
  });

  it.each<[string, unknown, string]>([
    [
      'several addresses',
      new TypeError('fetch failed', { cause: new AggregateError([new Error('first'), new Error('second')]) }),
      'first',
    ],
    ['an empty aggregate', new TypeError('fetch failed', { cause: new AggregateError([], 'none') }), 'none'],
    ['a plain error', new Error('no network'), 'no network'],
    ['what is no error', 'broken', 'broken'],
  ])('tells of %s thrown by a fetch of the application', async (_what, thrown, reason) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- any fetch may
    const fetch = (): Promise<Response> => Promise.reject(thrown);
    expect(await failureOf('/x', { fetch })).toMatchObject({
      failure: 'unreachable',
      detail: `cannot be reached (${reason})`,
    });
  });

  it('understands answers that only a fetch of the application gives', async () => {
    const answer = (response: Response) => ({ fetch: () => Promise.resolve(response) });
    expect(await failureOf('/x', answer(Response.error()))).toMatchObject({ failure: 'redirected' });
    expect(await failureOf('/x', answer(new Response(null)))).toMatchObject({ failure: 'not_json' });
  });

  it('keeps its time limit over a fetch that does not', async () => {
    const fetch = (): Promise<Response> => new Promise(() => undefined);
    expect(await failureOf('/x', { fetch, timeoutMs: 50 })).toMatchObject({ failure: 'timeout' });
  });
});
