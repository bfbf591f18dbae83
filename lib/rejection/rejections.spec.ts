import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { HttpException } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Response } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../../test/fixtures/http.js';
import { verifies } from '../../test/verifies.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientScopeError,
  RequestOriginRejectedError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { BearerException } from './bearer.exception.js';
import type { DecisionReport } from './decision-report.js';
import { requestIdOf } from './rejection-body.js';
import { rejectionResponse } from './rejection-response.js';
import { Rejections } from './rejections.js';
import { writeRejection } from './write-rejection.js';

const PRM = 'https://api.example.com/.well-known/oauth-protected-resource/notes';
const CALL = { jsonrpc: '2.0', id: 'é7', method: 'tools/call', params: {} };

const optionsWith = (more: object): ResolvedMcpAuthOptions =>
  resolveOptions({
    resources: {
      resource: 'https://api.example.com/notes',
      authorizationServers: ['https://as.example'],
      requiredScopes: ['notes:read'],
    },
    ...more,
  });
const oauth = optionsWith({});
const jsonRpc = optionsWith({ errorBody: 'json-rpc' });

const resource: ProtectedResource = {
  options: oauth.resources[0]!,
  metadataUrl: PRM,
  servers: new Map(),
  challengeScopes: oauth.resources[0]!.requiredScopes,
};

type Body = () => unknown;

/** The exception for a failure, on a response if there is one. */
function reject(
  failure: unknown,
  options: ResolvedMcpAuthOptions,
  body?: Body,
  response?: Response,
): BearerException {
  const request = body && {
    get body() {
      return body();
    },
  };
  // Nothing is reported.
  const rejections = new Rejections({} as DecisionReport, options);
  return rejections.exception(failure, resource, request, response, new ExpressAdapter());
}

const FAILURES = [
  new RequestOriginRejectedError('origin'),
  new CredentialsRejectedError('missing_token'),
  new CredentialsRejectedError('multiple_credentials'),
  new TokenRejectedError('expired'),
  new InsufficientScopeError(['notes:write']),
  new AuthorizationServerUnavailableError('https://as.example'),
  new Error('ours'),
];

/** Everything of an answer but when it was made and what only Express adds. */
async function answerOf(origin: string, path: string, method: string): Promise<object> {
  const { status, headers, text } = await send(origin, path, { method });
  const own = Object.entries(headers).filter(([name]) => !['date', 'etag', 'x-powered-by'].includes(name));
  return { status, headers: Object.fromEntries(own), text };
}

describe('Rejections.exception() and writeRejection()', () => {
  const adapter = new ExpressAdapter();
  let raw: Server;
  let origins: { nest: string; raw: string };

  const optionsOf = (path: string): ResolvedMcpAuthOptions => (path.includes('rpc') ? jsonRpc : oauth);
  const failureOf = (path: string): Error => FAILURES[Number(path.split('/')[2])]!;

  beforeAll(async () => {
    adapter.initHttpServer({});
    const answer = ({ path }: { path: string }, response: Response): void => {
      const options = optionsOf(path);
      const exception = reject(failureOf(path), options, () => CALL, response);
      response.status(exception.getStatus()).json(exception.getResponse());
    };
    adapter.all('/oauth/:index', answer);
    adapter.all('/rpc/:index', answer);
    raw = createServer(({ url = '' }, response) => {
      const rejection = rejectionResponse(failureOf(url), resource, optionsOf(url), requestIdOf(CALL));
      writeRejection(response, rejection);
    });
    await new Promise<void>((resolve) => {
      adapter.listen(0, '127.0.0.1', () => {
        resolve();
      });
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const at = (server: { address(): unknown }): string =>
      `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    origins = { nest: at(adapter.getHttpServer()), raw: at(raw) };
  });

  afterAll(async () => {
    await adapter.close();
    await new Promise((resolve) => raw.close(resolve));
  });

  it('puts the headers on the response and gives the exception with status and body', async () => {
    const answer = await send(origins.nest, '/oauth/1');
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({
      'www-authenticate': `Bearer scope="notes:read", resource_metadata="${PRM}"`,
      'cache-control': 'no-store',
    });
    expect(answer.json).toEqual({
      error: 'missing_token',
      error_description: 'Send an access token: Authorization: Bearer TOKEN',
    });
  });

  verifies('F107', 'give the same answer, in both forms, through Nest and past it', async () => {
    for (const form of ['oauth', 'rpc']) {
      for (const index of FAILURES.keys()) {
        for (const method of ['POST', 'HEAD']) {
          const path = `/${form}/${String(index)}`;
          const past = await answerOf(origins.raw, path, method);
          expect(past).toEqual(await answerOf(origins.nest, path, method));
          expect(past).toMatchObject({
            headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
          });
        }
      }
    }
    expect((await send(origins.raw, '/rpc/3')).json).toMatchObject({ id: 'é7', error: { code: 401 } });
  });

  it('keeps headers that are on a response already, and replaces its own', async () => {
    const server = createServer((_, response) => {
      response.setHeader('vary', 'Origin');
      response.setHeader('www-authenticate', 'Basic');
      response.setHeader('content-type', 'text/html');
      writeRejection(response, rejectionResponse(new TokenRejectedError('type'), resource, oauth));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { headers } = await send(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, '/');
    server.close();
    expect(headers.vary).toBe('Origin');
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_token", [^B]*$/);
  });

  it('looks at the body only for an answer that depends on it', () => {
    const body = (): never => {
      throw new Error('the body was asked for');
    };
    expect(reject(FAILURES[0], oauth, body).getStatus()).toBe(403);
    expect(() => reject(FAILURES[0], jsonRpc, body)).toThrow('the body was asked for');
    const without = reject(FAILURES[0], jsonRpc);
    expect(without.getResponse()).toMatchObject({ id: null });
  });
});

describe('BearerException', () => {
  const thrown = (failure: unknown, options = oauth): BearerException => reject(failure, options, () => CALL);

  it('is the rejection for filters: status, body, headers, OAuth error and the decision', () => {
    const failure = new InsufficientScopeError(['notes:write']);
    const exception = thrown(failure);
    expect(exception).toBeInstanceOf(BearerException);
    expect(exception).toBeInstanceOf(HttpException);
    expect(exception.getStatus()).toBe(403);
    expect(exception.getResponse()).toMatchObject({ error: 'insufficient_scope' });
    expect(exception.error).toBe('insufficient_scope');
    expect(exception.message).toBe('The access token does not grant what this operation needs');
    expect(exception.headers['WWW-Authenticate']).toContain('scope="notes:write"');
    expect(exception.cause).toBe(failure);
    expect(exception.stack).not.toContain('\n    at ');
    expect(thrown(failure, jsonRpc).error).toBe('insufficient_scope');
    expect(thrown(failure, jsonRpc).message).toBe(exception.message);
  });

  verifies('F106', 'becomes JSON with the decision, without stack and foreign causes', () => {
    const secret = new Error('secret');
    const rejected = thrown(new TokenRejectedError('audience', { cause: secret }));
    expect(JSON.parse(JSON.stringify(rejected))).toEqual({
      name: 'BearerException',
      status: 401,
      error: 'invalid_token',
      headers: rejected.headers,
      body: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
      cause: {
        name: 'TokenRejectedError',
        code: 'ERR_MCP_AUTH_TOKEN_REJECTED',
        reason: 'audience',
        message: 'Access token rejected: audience',
      },
    });
    const fault = JSON.stringify(thrown(secret));
    expect(JSON.parse(fault)).toMatchObject({ status: 500, error: 'server_error' });
    expect(fault).not.toMatch(/secret|cause|stack/);
    expect(inspect(thrown('a text').cause)).toBe("'a text'");
  });
});
