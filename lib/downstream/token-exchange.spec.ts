import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { DownstreamTokenError } from '../errors/downstream-token.error.js';
import { AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import type {
  ResolvedTokenExchangeOptions,
  TrustedAuthorizationServer,
} from '../options/trusted-authorization-server.interface.js';
import type { DownstreamToken } from './downstream-token.js';
import { TokenExchange } from './token-exchange.js';

const ISSUER = 'https://as.example';
const ISSUED = JSON.stringify({
  access_token: 'new-token',
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  token_type: 'Bearer',
});
const found = (): Promise<unknown> => Promise.resolve({ token_endpoint: `${ISSUER}/token` });
const json = (): Promise<Response> =>
  Promise.resolve(new Response(ISSUED, { headers: { 'content-type': 'application/json' } }));

const shutdown = new AbortController().signal;
setMaxListeners(0, shutdown);

const make = (answers: () => Promise<Response>, metadata = found, timeoutMs = 10_000): TokenExchange =>
  new TokenExchange(
    { issuer: ISSUER, metadata } as unknown as TrustedAuthorizationServer,
    {
      ...{ clientId: 'rs', authMethod: 'none', preset: 'standard', maxCachedTokens: 10, timeoutMs },
    } as ResolvedTokenExchangeOptions,
    {
      ...{ fetch: answers, now: () => new Date(), shutdown },
      onCredentialsRejected: () => undefined,
    },
  );

const exchange = (by: TokenExchange, token = 'sent-token'): Promise<DownstreamToken> =>
  by.token({ token }, by.check({ audience: 'orders' }));

/** Why the server is not available. */
const outage = async (pending: Promise<unknown>): Promise<string> => {
  const error: unknown = await pending.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AuthorizationServerUnavailableError);
  return (error as Error & { cause: Error }).cause.message;
};

describe('TokenExchange', () => {
  it('reads JSON of any media type, and rejects what is no JSON', async () => {
    expect(await exchange(make(json))).toMatchObject({ accessToken: 'new-token', expiresAt: undefined });
    const untyped = (text: string): TokenExchange =>
      make(() => Promise.resolve(new Response(new TextEncoder().encode(text))));
    expect(await exchange(untyped(ISSUED))).toMatchObject({ accessToken: 'new-token' });
    await expect(exchange(untyped('new-token'))).rejects.toThrow(DownstreamTokenError);
  });

  it('keeps the failure to load the metadata of the server', async () => {
    const failure = new AuthorizationServerUnavailableError(ISSUER, 'metadata');
    await expect(exchange(make(json, () => Promise.reject(failure)))).rejects.toBe(failure);
  });

  it('sends nothing to a server whose metadata has lost the endpoint', async () => {
    let requests = 0;
    const count = (): Promise<Response> => {
      requests += 1;
      return json();
    };
    const without = make(count, () => Promise.resolve({}));
    await expect(exchange(without)).rejects.toThrow(AuthorizationServerUnavailableError);
    expect(requests).toBe(0);
    await exchange(make(count));
    expect(requests).toBe(1);
  });

  it('limits how many requests wait, and says which had to', async () => {
    const never = make(() => new Promise(() => undefined), found, 300);
    const late = 'no complete answer within the time limit';
    const reasons = Array.from({ length: 1101 }, (_, at) => outage(exchange(never, `token-${String(at)}`)));
    const [first, ...others] = await Promise.all(reasons);
    expect(first).toBe(late);
    expect(others[98]).toBe(late);
    expect(others[99]).toBe(`${late}, part of which it waited for its turn`);
    expect(others[1098]).toBe(others[99]);
    expect(others[1099]).toBe('1000 others wait for their turn already');
  });
});
