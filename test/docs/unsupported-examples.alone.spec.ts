import { Controller, Get, type INestApplication, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthInfo, BearerAuthGuard } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../fixtures/http.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import type * as Examples from './unsupported-examples.js';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  who(@AuthInfo() auth: AuthInfo) {
    return { issuer: auth.issuer, subject: auth.subject };
  }
}

describe('the examples of what is not supported yet', () => {
  let as: TestAuthorizationServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    Object.assign(process.env, {
      MCP_RESOURCE: NOTES,
      MCP_ISSUER: as.issuer,
      MCP_TOKEN_ENDPOINT: `${as.origin}/exchange`,
      MCP_CLIENT_ID: 'notes server',
      MCP_CLIENT_SECRET: 's3cret:1',
    });
    examples = await import('./unsupported-examples.js');
  });

  afterAll(() => as.close());

  it('verify tokens of tenants that are added at run time, each with people of its own', async () => {
    @Module({ imports: [examples.TenantModule], controllers: [NotesController] })
    class App {}
    const app: INestApplication = await NestFactory.create(App, { logger: false });
    closeAfterTest(app);
    await app.listen(0, '127.0.0.1');
    const origin = await app.getUrl();
    const ask = async (token: string) => {
      const { status, json } = await send(origin, '/notes', {
        headers: { authorization: `Bearer ${token}` },
      });
      return status === 200 ? json : status;
    };
    const [one, two] = [
      closeAfterTest(await TestAuthorizationServer.start()),
      closeAfterTest(await TestAuthorizationServer.start()),
    ];
    const token = { audience: NOTES, sub: 'ada' };
    expect(await ask(await one.issueToken(token))).toBe(401);

    const tenants = app.get(examples.Tenants);
    tenants.add(one.issuer, one.jwksUri);
    tenants.add(two.issuer, two.jwksUri);
    const issuer = `urn:nestjs-mcp-auth:verifier:${NOTES}`;
    for (const tenant of [one, two]) {
      const subject = JSON.stringify([tenant.issuer, 'ada']);
      expect(await ask(await tenant.issueToken(token))).toEqual({ issuer, subject });
    }
    expect(await ask(await as.issueToken(token))).toEqual({ issuer: as.issuer, subject: 'ada' });

    const forged = { ...token, claims: { iss: one.issuer } };
    expect(await ask(await two.issueToken(forged))).toBe(401);
    expect(await ask(await one.issueToken({ ...token, audience: `${NOTES}2` }))).toBe(401);
    expect(await ask(await one.issueToken({ ...token, typ: 'JWT' }))).toBe(401);
    expect(await ask(await one.issueToken({ ...token, expiresInSeconds: 0 }))).toBe(401);
    expect(await ask(await one.issueToken({ ...token, claims: { exp: undefined } }))).toBe(401);
    expect(await ask(await one.issueToken({ ...token, claims: { sub: undefined } }))).toBe(401);
    const down = closeAfterTest(await TestAuthorizationServer.start());
    tenants.add(down.issuer, down.jwksUri);
    down.fail('jwks', { status: 500 });
    expect(await ask(await down.issueToken(token))).toBe(503);
  });

  it('exchange a token at the token endpoint, and say if that fails', async () => {
    const service = 'https://files.example.com';
    const seen: { authorization: string | undefined; body: object }[] = [];
    as.serve('/exchange', (request, response, body) => {
      const parameters = Object.fromEntries(new URLSearchParams(body));
      seen.push({ authorization: request.headers.authorization, body: parameters });
      const isKnown = parameters['resource'] === service;
      response.writeHead(isKnown ? 200 : 400, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isKnown ? { access_token: 'for files' } : { error: 'invalid_target' }));
    });
    const auth = { token: 'inbound' } as AuthInfo;
    expect(await examples.exchange(auth, service)).toBe('for files');
    expect(seen).toEqual([
      {
        authorization: `Basic ${Buffer.from('notes%20server:s3cret%3A1').toString('base64')}`,
        body: {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: 'inbound',
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          resource: service,
        },
      },
    ]);
    await expect(examples.exchange(auth, 'https://other.example.com')).rejects.toThrow('answered with 400');
  });
});
