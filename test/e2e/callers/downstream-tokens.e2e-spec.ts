import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Controller, Get, Injectable, type LoggerService, Query, UseGuards } from '@nestjs/common';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { McpController, Tool } from '@rekog/mcp-nest';
import { decodeJwt, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import {
  AccessDeniedError,
  AllowAnonymous,
  AuthContext,
  AuthorizationServerUnavailableError,
  BearerAuthGuard,
  type DownstreamTarget,
  type DownstreamToken,
  DownstreamTokenError,
  DownstreamTokens,
  MCP_AUTH_OPTIONS,
  type McpAuthModuleOptions,
  type ProtectedResourceOptions,
  type TokenExchangeOptions,
} from 'nestjs-mcp-auth';
import { TestAuthorizationServer, type TestTokenOptions } from 'nestjs-mcp-auth/testing';
import { beforeEach, describe, expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { TokenExchanges } from '../../../lib/downstream/token-exchanges.js';
import { type RunningApp, start, startFailure } from '../../fixtures/app.js';
import { TestClock } from '../../fixtures/clock.js';
import { ProvingClient } from '../../fixtures/dpop.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { DENIED, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { TokenEndpoint } from '../../fixtures/token-endpoint.js';
import { sdkController } from '../../fixtures/transport-servers.js';
import { verifies } from '../../verifies.js';

const ORDERS = 'https://orders.example.com/api';
const TARGET: DownstreamTarget = { resource: ORDERS, scopes: ['orders:read'] };
const CLIENT = { clientId: 'notes-server', clientSecret: 'notes-secret-of-32-characters-000' };

/** What a handler tells of a token, or of the error in its place. */
const told = (token: DownstreamToken): object => {
  const { accessToken, expiresAt, scopes, tokenType } = token;
  return { accessToken, expiresAt, scopes, tokenType };
};

/** What the routes ask for; tests set it. */
let target: DownstreamTarget = TARGET;

@Controller('notes')
@UseGuards(BearerAuthGuard)
class RoutesController {
  constructor(
    private readonly tokens: DownstreamTokens,
    private readonly context: AuthContext,
  ) {}

  @Get('token')
  async token() {
    return told(await this.tokens.forResource(target));
  }

  /** Catches what the handler of an application would. */
  @Get('caught')
  async caught() {
    try {
      return told(await this.tokens.forResource(target));
    } catch (error) {
      if (!(error instanceof DownstreamTokenError))
        return { name: (error as Error).name, message: (error as Error).message };
      const { reason, oauthError, code, message } = error;
      return { reason, oauthError, code, message };
    }
  }

  /** Has an answer of its own if there is no token. */
  @Get('fallback')
  async fallback() {
    return this.tokens.forResource(target).then(told, () => ({ instead: true }));
  }

  /** Does more for callers with a scope, and for all it needs the other service. */
  @Get('extra')
  async extra() {
    try {
      this.context.requireScopes('notes:extra');
    } catch {
      // Without that.
    }
    return told(await this.tokens.forResource(target));
  }

  /** The other way round. */
  @Get('needed')
  async needed() {
    await this.tokens.forResource(target).catch(() => undefined);
    this.context.requireScopes('notes:extra');
  }

  @Get('refused')
  async refused() {
    await this.tokens.forResource(target).catch(() => undefined);
    try {
      this.context.requireScopes('notes:extra');
    } catch {
      throw new AccessDeniedError('policy');
    }
  }

  @Get('open')
  @AllowAnonymous()
  open() {
    return this.caught();
  }

  @Get('many')
  async many(@Query('count') count: string) {
    const all = await Promise.all(
      Array.from({ length: Number(count) }, () => this.tokens.forResource(target)),
    );
    return { tokens: [...new Set(all.map(({ accessToken }) => accessToken))] };
  }
}

@McpController()
class Tools {
  constructor(private readonly tokens: DownstreamTokens) {}

  @Tool({ name: 'orders', description: 'Orders', parameters: z.object({}) })
  async orders() {
    const { scopes } = await this.tokens.forResource(target);
    return { content: [{ type: 'text' as const, text: scopes.join(' ') }] };
  }
}

/** Keeps everything that is logged, inspected deeply. */
class FullLog implements LoggerService {
  readonly lines: string[] = [];
  private readonly keep = (...line: unknown[]): void =>
    void this.lines.push(line.map((part) => inspect(part, { depth: 10 })).join(' '));
  readonly log = this.keep;
  readonly warn = this.keep;
  readonly error = this.keep;
  readonly debug = this.keep;
  readonly verbose = this.keep;
}

interface Started extends RunningApp {
  readonly log: FullLog;
  /** The answer to a GET of a route below `/notes`. */
  get(route: string, token: string): ReturnType<RunningApp['send']>;
  call(token: string): ReturnType<RunningApp['send']>;
  /** The downstream token of a caller. */
  readonly tokenOf: (token: string) => Promise<string>;
}

describe('DownstreamTokens', () => {
  let as: TestAuthorizationServer;
  let endpoint: TokenEndpoint;

  beforeEach(async () => {
    target = TARGET;
    as = closeAfterTest(await TestAuthorizationServer.start());
    endpoint = new TokenEndpoint(as);
  });

  const inbound = (more: TestTokenOptions = {}): Promise<string> =>
    as.issueToken({ audience: NOTES, sub: 'u1', ...more });

  async function started(
    tokenExchange: Partial<TokenExchangeOptions> = {},
    more: Partial<McpAuthModuleOptions> = {},
    ofResource: Partial<ProtectedResourceOptions> = {},
  ): Promise<Started> {
    const log = new FullLog();
    const { controller, connect } = mcpEndpoint({ statefulMode: false });
    const authorizationServers = [{ issuer: as.issuer, tokenExchange: { ...CLIENT, ...tokenExchange } }];
    const app = await start(
      { resources: { resource: NOTES, authorizationServers, ...ofResource }, ...more },
      { controllers: [RoutesController, controller, Tools], prepare: connect, log },
    );
    const get = (route: string, token: string) =>
      app.send(`/notes/${route}`, { headers: { authorization: `Bearer ${token}` } });
    return {
      ...app,
      ...{ log, get },
      call: (token) =>
        app.send('/notes', {
          method: 'POST',
          headers: { ...MCP_HEADERS, authorization: `Bearer ${token}` },
          body: toolCall('orders'),
        }),
      tokenOf: async (token) => ((await get('token', token)).json as { accessToken: string }).accessToken,
    };
  }

  /** The error that the handler catches. */
  const caught = async (app: Started, token?: string): Promise<unknown> =>
    (await app.get('caught', token ?? (await inbound()))).json;

  const expectUnavailable = ({ status, headers, json }: Awaited<ReturnType<RunningApp['send']>>): void => {
    expect([status, headers['retry-after'], headers['www-authenticate'], json]).toEqual([
      ...[503, '5', undefined],
      {
        error: 'temporarily_unavailable',
        error_description: 'An authorization server does not answer at the moment; try again later',
      },
    ]);
  };

  verifies('DWN-01', 'gets a token for the target, of the same subject', async () => {
    const app = await started();
    const token = await inbound();
    const { status, json } = await app.get('token', token);
    const { accessToken, expiresAt, ...rest } = json as { accessToken: string; expiresAt: number };
    expect([status, rest]).toEqual([200, { scopes: ['orders:read'], tokenType: 'Bearer' }]);
    const { aud, sub, scope, act, exp } = decodeJwt(accessToken);
    expect({ aud, sub, scope, act }).toEqual({
      ...{ aud: ORDERS, sub: 'u1', scope: 'orders:read', act: { sub: 'notes-server' } },
    });
    expect(Math.abs(Number(exp) - expiresAt)).toBeLessThanOrEqual(30);
    const [{ form, headers }] = endpoint.requests as [TokenEndpoint['requests'][number]];
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    expect(form).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: type,
      requested_token_type: type,
      resource: ORDERS,
      scope: 'orders:read',
    });
    expect(headers).toMatchObject({
      authorization: `Basic ${Buffer.from('notes-server:notes-secret-of-32-characters-000'.replaceAll('-', '%2D')).toString('base64')}`,
      accept: 'application/json',
    });
    expect(JSON.stringify(headers)).not.toContain(token);
    target = { audience: 'orders' };
    expect((await app.get('token', token)).status).toBe(200);
    expect(endpoint.requests[1]?.form).not.toHaveProperty('resource');
    expect(endpoint.requests[1]?.form).toMatchObject({ audience: 'orders' });
    expect(JSON.parse((await app.call(token)).text.replace(/^[^{]*/, '')) as object).toMatchObject({
      result: { content: [{ text: '' }] },
    });
  });

  verifies('DWN-02', 'sends an assertion to Entra', async () => {
    const app = await started({ preset: 'entra-on-behalf-of', authMethod: 'client_secret_post' });
    endpoint.changes = { issued_token_type: undefined, scope: 'api://orders/Orders.Read' };
    target = { scopes: ['api://orders/.default'] };
    const token = await inbound();
    expect((await app.get('token', token)).json).toMatchObject({ scopes: ['api://orders/Orders.Read'] });
    expect(endpoint.requests[0]?.form).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: token,
      requested_token_use: 'on_behalf_of',
      scope: 'api://orders/.default',
      client_id: CLIENT.clientId,
      client_secret: CLIENT.clientSecret,
    });
    target = TARGET;
    expect(await caught(app)).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('takes no "resource"'),
    });
  });

  verifies('DWN-03', 'authenticates its client by a key, dated by the clock of the application', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'k1' };
    const clock = new TestClock();
    const { clientId } = CLIENT;
    const app = await started(
      { clientId, clientSecret: undefined as never, privateKey: jwk },
      { now: clock.now },
    );
    expect((await app.get('token', await inbound())).status).toBe(200);
    const { client_assertion: assertion = '', client_assertion_type: type } =
      endpoint.requests[0]?.form ?? {};
    const { payload } = await jwtVerify(assertion, publicKey);
    expect([payload.iss, payload.sub, type]).toEqual([
      ...[clientId, clientId, 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
    ]);
  });

  verifies('DWN-03', 'fails startup without usable credentials', async () => {
    const failure = async (tokenExchange: object): Promise<string> => {
      const authorizationServers = [{ issuer: as.issuer, tokenExchange }];
      return (await startFailure({ resources: { resource: NOTES, authorizationServers } as never })).message;
    };
    const { clientId, clientSecret } = CLIENT;
    expect(await failure({ clientId })).toContain('has no "clientSecret" and no "privateKey"');
    expect(await failure({ clientId, authMethod: 'client_secret_post' })).toContain('has no "clientSecret"');
    expect(await failure({ clientId, authMethod: 'private_key_jwt' })).toContain('has no "privateKey"');
    const both = await failure({ clientId, clientSecret, privateKey: { kty: 'EC', d: 'private-part' } });
    expect(both).toContain('has both "clientSecret" and "privateKey"');
    expect(await failure({ clientId, privateKey: { kty: 'EC', d: 'private-part' } })).toContain(
      'has no "alg"',
    );
    expect(await failure({ clientSecret })).toContain('tokenExchange.clientId: must be a non-empty string');
    expect(await failure({ ...CLIENT, preset: 'entra' })).toContain(
      'must be one of standard, entra-on-behalf-of',
    );
    expect(both).not.toContain('private-part');
    expect(await failure({ clientId, clientSecret: ['private-part'] })).not.toContain('private-part');
  });

  verifies('DWN-04', 'sends one request for a hundred calls at once', async () => {
    const app = await started();
    const token = await inbound();
    const { json } = await app.get('many?count=100', token);
    expect(json).toEqual({ tokens: endpoint.issued });
    const others = await Promise.all(Array.from({ length: 10 }, () => app.tokenOf(token)));
    expect([endpoint.requests.length, new Set(others)]).toEqual([1, new Set(endpoint.issued)]);
  });

  verifies('DWN-05', 'caches a token until it, or the token of the caller, is about to expire', async () => {
    const clock = new TestClock();
    clock.stop();
    const app = await started({}, { now: clock.now });
    const issuedAt = clock.now();
    const count = async (token: string): Promise<number> => {
      expect((await app.get('token', token)).status).toBe(200);
      return endpoint.requests.length;
    };
    const long = await inbound({ expiresInSeconds: 3600, issuedAt });
    const short = await inbound({ expiresInSeconds: 120, issuedAt });
    expect([await count(long), await count(long), await count(short), await count(short)]).toEqual([
      1, 1, 2, 2,
    ]);
    clock.forward(85);
    expect([await count(long), await count(short)]).toEqual([2, 2]);
    clock.forward(10); // 25 seconds before the caller's token expires
    expect([await count(short), await count(short)]).toEqual([3, 4]);
    clock.forward(170);
    expect(await count(long)).toBe(4);
    clock.forward(10); // 25 seconds before the downstream token expires
    expect([await count(long), await count(long)]).toEqual([5, 5]);
    endpoint.changes = { expires_in: undefined };
    const other = await inbound({ expiresInSeconds: 3600, issuedAt });
    expect([await count(other), await count(other)]).toEqual([6, 7]);
  });

  verifies('DWN-06', 'never gives a token to another caller, or for another target', async () => {
    const app = await started();
    const callers = await Promise.all([inbound(), inbound(), inbound({ sub: 'u2' })]);
    const first = await Promise.all(callers.map(app.tokenOf));
    expect(new Set(first).size).toBe(3);
    expect(first.map((token) => decodeJwt(token).sub)).toEqual(['u1', 'u1', 'u2']);
    expect(await Promise.all(callers.map(app.tokenOf))).toEqual(first);
    const [caller] = callers;
    const found: string[] = [first[0] ?? ''];
    for (const each of [
      { resource: ORDERS },
      { resource: `${ORDERS}/2`, scopes: ['orders:read'] },
      { resource: ORDERS, scopes: ['orders:write'] },
      { resource: ORDERS, scopes: ['orders:read', 'orders:write'] },
      { audience: ORDERS, scopes: ['orders:read'] },
    ]) {
      target = each;
      found.push(await app.tokenOf(caller));
    }
    expect(new Set(found).size).toBe(6);
    target = { resource: ORDERS, scopes: ['orders:write', 'orders:read'] };
    expect(await app.tokenOf(caller)).toBe(found[4]);
  });

  verifies('DWN-07', 'tells the handler what the server says, and asks again the next time', async () => {
    const app = await started();
    const token = await inbound();
    for (const oauthError of [
      'consent_required',
      'interaction_required',
      'invalid_grant',
      'invalid_target',
    ]) {
      endpoint.reject(oauthError);
      expect(await caught(app, token)).toEqual({
        reason: 'rejected',
        oauthError,
        code: 'ERR_MCP_AUTH_DOWNSTREAM_TOKEN',
        message: `${as.issuer} rejected the token exchange: ${oauthError}`,
      });
    }
    endpoint.reject(token);
    const { oauthError, message } = (await caught(app, token)) as DownstreamTokenError;
    expect([oauthError, message]).toEqual([
      undefined,
      `${as.issuer} rejected the token exchange: it names no error code of OAuth`,
    ]);
    // Not caught, it is a fault of the application.
    expect((await app.get('token', token)).status).toBe(500);
    expect((await app.call(token)).text).toContain('"isError":true');
    endpoint.fail(undefined);
    expect((await app.get('token', token)).status).toBe(200);
  });

  verifies('DWN-08', 'answers 503 while the server does not answer, on a route and in a tool', async () => {
    const app = await started();
    const token = await inbound();
    for (const status of [500, 503, 429]) {
      endpoint.fail((response) => response.writeHead(status).end('<html>'));
      expectUnavailable(await app.get('token', token));
    }
    expectUnavailable(await app.call(token));
    endpoint.reject('temporarily_unavailable');
    expectUnavailable(await app.get('token', token));
    // A handler that has another answer gives it.
    expect((await app.get('fallback', token)).json).toEqual({ instead: true });
    await as.goDown();
    expectUnavailable(await app.get('token', token));
    expect(app.log.lines.join('\n')).toMatch(/Answered 503 .* Could not get the downstream token of http/);
    await as.comeBack();
    endpoint.fail(undefined);
    expect((await app.get('token', token)).status).toBe(200);
    expect((await app.call(token)).status).toBe(200);
  });

  verifies('DWN-09', 'tells the handler of a wrong answer, without the token in it', async () => {
    const app = await started();
    const token = await inbound();
    const wrongs: [Record<string, unknown>, string][] = [
      [{ token_type: 'DPoP' }, 'bound to a key'],
      [{ access_token: token }, 'with the token that was sent'],
      [{ expires_in: -1 }, 'expires_in'],
      [{ issued_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'issued_token_type'],
    ];
    for (const [changes, message] of wrongs) {
      endpoint.changes = changes;
      const error = (await caught(app, token)) as DownstreamTokenError;
      expect(error).toMatchObject({ reason: 'invalid_answer', message: expect.stringContaining(message) });
      expect(JSON.stringify(error)).not.toContain('eyJ');
    }
    endpoint.fail((response) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${token}`));
    expect(await caught(app, token)).toMatchObject({ reason: 'invalid_answer' });
    expect(JSON.stringify(await caught(app, token))).not.toContain('eyJ');
  });

  verifies('DWN-10', 'follows no redirect, and reads neither too long nor too much', async () => {
    const elsewhere: string[] = [];
    const thief = createServer((request, response) => {
      elsewhere.push(String(request.url));
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(thief, 'listening');
    onTestFinished(() => void thief.close());
    const { port } = thief.address() as AddressInfo;
    const app = await started();
    const token = await inbound();
    for (const status of [302, 307, 308]) {
      const location = `http://127.0.0.1:${String(port)}/token`;
      endpoint.fail((response) => response.writeHead(status, { location }).end());
      expect(await caught(app, token)).toMatchObject({
        reason: 'invalid_answer',
        message: `${as.issuer} answered the token exchange with a redirect, which is not followed`,
      });
    }
    expect(elsewhere).toEqual([]);
    endpoint.fail((response) => response.writeHead(200).end(JSON.stringify({ pad: 'x'.repeat(1_048_576) })));
    expect(await caught(app, token)).toMatchObject({
      message: `${as.issuer} answered the token exchange with more than 65536 bytes`,
    });
    endpoint.fail((response) => response.writeHead(204).end());
    expect(await caught(app, token)).toMatchObject({ message: expect.stringContaining('with status 204') });
    const hasty = await started({ timeoutMs: 100 });
    endpoint.fail(() => undefined);
    expectUnavailable(await hasty.get('token', token));
    endpoint.fail((response) => void response.writeHead(200).write('{'));
    expectUnavailable(await hasty.get('token', token));
  });

  verifies('DWN-10', 'rejects a token endpoint that is not safe', async () => {
    const failure = async (token_endpoint: unknown): Promise<string> => {
      as.changeMetadata({ token_endpoint });
      const authorizationServers = [{ issuer: as.issuer, tokenExchange: CLIENT }];
      return (await startFailure({ resources: { resource: NOTES, authorizationServers } })).message;
    };
    expect(await failure(undefined)).toContain('has no "token_endpoint"; add it by "transpileData"');
    expect(await failure('http://as.example.com/token')).toContain('token_endpoint');
    expect(await failure(7)).toContain('names as "token_endpoint" what is not a string');
  });

  verifies('DWN-11', 'needs a caller, and a server with the option', async () => {
    const app = await started();
    const none = { reason: 'no_caller', code: 'ERR_MCP_AUTH_DOWNSTREAM_TOKEN' };
    expect((await app.send('/notes/open')).json).toMatchObject(none);
    await expect(app.app.get(DownstreamTokens).forResource(TARGET)).rejects.toMatchObject(none);
    expect(await caught(app)).toHaveProperty('accessToken');
    const other = closeAfterTest(await TestAuthorizationServer.start());
    const without = await started({}, {}, { authorizationServers: [other.issuer] });
    expect(await caught(without, await other.issueToken({ audience: NOTES }))).toMatchObject({
      reason: 'not_configured',
      message: expect.stringContaining(other.issuer),
    });
    expect(endpoint.requests).toHaveLength(1);
  });

  verifies('DWN-23', 'says what ended the handler, whatever it has caught before', async () => {
    const app = await started();
    const token = await inbound();
    expect((await app.get('extra', token)).json).toHaveProperty('accessToken');
    target = { ...TARGET, scopes: ['orders:write'] };
    endpoint.fail((response) => response.writeHead(500).end());
    expectUnavailable(await app.get('extra', token));
    const needed = await app.get('needed', token);
    expect([needed.status, needed.json]).toMatchObject([403, { error: 'insufficient_scope' }]);
    expect(needed.headers['www-authenticate']).toContain('scope="notes:extra"');
    expect(rejectedAs(await app.get('refused', token))).toEqual(DENIED);
  });

  verifies('DWN-12', 'gives nothing to a caller whose token is revoked meanwhile', async () => {
    let answers: boolean[] = [];
    const app = await started({}, { isRevoked: () => answers.shift() ?? false });
    const token = await inbound();
    expect(await caught(app, token)).toHaveProperty('accessToken');
    answers = [false, true];
    expect(await caught(app, token)).toMatchObject({ reason: 'revoked' });
    expect(endpoint.requests).toHaveLength(1);
    // Its cached tokens are gone.
    expect(await caught(app, token)).toHaveProperty('accessToken');
    expect(endpoint.requests).toHaveLength(2);
    answers = [false, 'maybe' as never];
    expect((await app.get('token', token)).status).toBe(503);
  });

  verifies('DWN-13', 'shows no token and no secret', async () => {
    const published: unknown[] = [];
    const listener = (message: unknown): void => void published.push(message);
    for (const part of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
      const name = `tracing:nestjs-mcp-auth:exchange:${part}`;
      subscribe(name, listener);
      onTestFinished(() => void unsubscribe(name, listener));
    }
    const app = await started();
    const token = await inbound();
    expect((await app.get('token', token)).status).toBe(200);
    endpoint.reject('invalid_grant');
    const other = await inbound();
    await app.get('token', other);
    await app.call(other);
    endpoint.fail((response) => response.writeHead(503).end(other));
    await app.get('token', other);
    const shown = [
      inspect(app.app.get(DownstreamTokens), { depth: 20, showHidden: false }),
      inspect(app.app.get(MCP_AUTH_OPTIONS), { depth: 20 }),
      inspect(published, { depth: 20 }),
      ...app.log.lines,
    ].join('\n');
    const secrets = [token, other, ...endpoint.issued].map((jwt) => jwt.split('.')[2] ?? jwt);
    expect([...secrets, CLIENT.clientSecret].filter((secret) => shown.includes(secret))).toEqual([]);
    expect(published.length).toBeGreaterThan(8);
  });

  verifies('DWN-14', 'publishes each exchange on a tracing channel', async () => {
    const parts: string[] = [];
    const contexts = new Set<unknown>();
    for (const part of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
      const name = `tracing:nestjs-mcp-auth:exchange:${part}`;
      const listener = (message: unknown): void => {
        parts.push(part);
        contexts.add(message);
      };
      subscribe(name, listener);
      onTestFinished(() => void unsubscribe(name, listener));
    }
    const app = await started();
    const token = await inbound();
    await app.get('token', token);
    await app.get('token', token);
    expect(parts).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect([...contexts]).toMatchObject([{ issuer: as.issuer }]);
    endpoint.reject('invalid_grant');
    await app.get('token', await inbound());
    expect(parts.slice(4)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect([...contexts][1]).toMatchObject({
      error: { message: expect.stringContaining('invalid_grant'), reason: 'fault' },
    });
  });

  verifies('DWN-15', 'exchanges the token of a caller with a proof', async () => {
    const app = await started({}, {}, { dpop: 'allowed' });
    const client = await ProvingClient.make(`${NOTES}/token`);
    const token = await inbound({ claims: { cnf: { jkt: client.jkt } } });
    const answer = await app.send('/notes/token', { headers: await client.headers({ token }) });
    expect([answer.status, answer.json]).toMatchObject([200, { tokenType: 'Bearer' }]);
    expect(endpoint.requests[0]?.form).toMatchObject({ subject_token: token });
    // Without a proof there is no caller.
    expect((await app.get('token', token)).status).toBe(401);
    expect(endpoint.requests).toHaveLength(1);
  });

  verifies('DWN-17', 'logs once that the server rejects its credentials', async () => {
    const app = await started();
    const lines = (): string[] =>
      app.log.lines.filter((line) => line.includes('invalid_client to token exchange'));
    for (const count of [1, 2]) {
      endpoint.reject('invalid_client', 401);
      expect(await caught(app)).toMatchObject({ reason: 'rejected', oauthError: 'invalid_client' });
      expect(await caught(app)).toMatchObject({ oauthError: 'invalid_client' });
      endpoint.fail(undefined);
      expect(await caught(app)).toHaveProperty('accessToken');
      expect(lines()).toHaveLength(count);
    }
    expect(lines()[0]).toContain('client "notes-server" with client_secret_basic');
  });

  verifies('DWN-17', 'loads rejected credentials again after a while', async () => {
    const clock = new TestClock();
    const secrets = ['old', 'new'];
    const app = await started({ clientSecret: () => secrets.shift() ?? 'none' }, { now: clock.now });
    endpoint.reject('invalid_client', 401);
    await caught(app);
    expect(secrets).toEqual(['new']);
    clock.forward(31);
    const token = await inbound({ expiresInSeconds: 600 });
    await caught(app, token);
    await expect.poll(() => secrets).toEqual([]);
    endpoint.fail(undefined);
    expect(await caught(app, token)).toHaveProperty('accessToken');
    const basic = Buffer.from('notes%2Dserver:new').toString('base64');
    expect(endpoint.requests.at(-1)?.headers.authorization).toBe(`Basic ${basic}`);
  });

  verifies('DWN-08', 'answers 503 if its own secret cannot be had', async () => {
    const app = await started({
      clientSecret: () => {
        throw new Error('no vault');
      },
    });
    expectUnavailable(await app.get('token', await inbound()));
    expect(endpoint.requests).toEqual([]);
  });

  verifies('DWN-20', 'ends a request that hangs with the application', async () => {
    const app = await started({ timeoutMs: 30_000 });
    endpoint.fail(() => undefined);
    const pending = app.get('token', await inbound()).catch(() => undefined);
    await expect.poll(() => endpoint.requests.length).toBe(1);
    app.app.get(TokenExchanges, { strict: false }).onApplicationShutdown();
    const answer = await pending;
    if (answer) expectUnavailable(answer);
    expect(answer).toBeDefined();
  });

  verifies('DWN-08', 'answers 503 in a tool of the MCP SDK, which makes errors answers', async () => {
    let tokens: DownstreamTokens | undefined;
    const controller = sdkController(async (request, response, body) => {
      const server = new McpServerV1({ name: 'notes', version: '1.0.0' });
      server.registerTool('orders', { description: 'Orders' }, async () => {
        await tokens?.forResource(TARGET);
        return { content: [] };
      });
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
      await server.connect(transport);
      await transport.handleRequest(request, response, body);
    });
    const authorizationServers = [{ issuer: as.issuer, tokenExchange: CLIENT }];
    const app = await start(
      { resources: { resource: NOTES, authorizationServers } },
      { controllers: [controller], prepare: (nest) => void (tokens = nest.get(DownstreamTokens)) },
    );
    const headers = { ...MCP_HEADERS, authorization: `Bearer ${await inbound()}` };
    const call = () => app.send('/notes', { method: 'POST', headers, body: toolCall('orders') });
    expect((await call()).json).toMatchObject({ result: { content: [] } });
    endpoint.fail((response) => response.writeHead(503).end());
    headers.authorization = `Bearer ${await inbound()}`;
    expectUnavailable(await call());
    endpoint.reject('consent_required');
    expect((await call()).json).toMatchObject({ result: { isError: true } });
  });
});

describe('AuthorizationServerUnavailableError of a handler', () => {
  @Injectable()
  class Thrower {
    throw(): never {
      throw new AuthorizationServerUnavailableError('https://other.example', 'keys');
    }
  }

  @Controller('notes')
  @UseGuards(BearerAuthGuard)
  class ThrowingController {
    constructor(private readonly thrower: Thrower) {}

    @Get()
    @AllowAnonymous()
    list() {
      return this.thrower.throw();
    }
  }

  verifies('DWN-08', 'is 503 whoever throws it, also without a caller', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const app = await start(
      { resources: { resource: NOTES, authorizationServers: [as.issuer] } },
      { controllers: [ThrowingController], providers: [Thrower] },
    );
    const { status, headers, json } = await app.send('/notes');
    expect([status, headers['retry-after'], headers['www-authenticate'], json]).toMatchObject([
      ...[503, '5', undefined],
      { error: 'temporarily_unavailable' },
    ]);
  });
});
