import { type INestApplication, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { McpAuthConfigError, McpAuthModule, TokenVerifier } from 'nestjs-mcp-auth';
import { StaticTokenVerifier, TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { closeAfterTest } from '../fixtures/opened.js';
import { verifies } from '../verifies.js';
import { AppModule, developmentOptions, Settings } from './testing-examples.js';

//#region status
async function status(app: INestApplication, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${await app.getUrl()}/notes`, { headers })).status;
}
//#endregion status

describe('an application under test', () => {
  const resource = 'https://api.example.com/notes';

  //#region server
  it('takes tokens for it, with its scope', async () => {
    const as = await TestAuthorizationServer.start();
    onTestFinished(() => as.close());
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Settings)
      .useValue({ resource, issuer: as.issuer, discovery: 'bootstrap' })
      .compile();
    const app = module.createNestApplication();
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const token = { audience: resource, scopes: ['notes:read'] };
    expect(await status(app, await as.issueToken(token))).toBe(200);
    expect(await status(app, await as.issueToken({ ...token, audience: `${resource}2` }))).toBe(401);
    expect(await status(app, await as.issueToken({ ...token, scopes: ['notes:write'] }))).toBe(403);
  });
  //#endregion server

  //#region static
  it('takes fixed tokens in place of an authorization server', async () => {
    const tokens = {
      reader: { sub: 'ada', aud: resource, scope: 'notes:read' },
      writer: { sub: 'ada', aud: resource, scope: 'notes:write' },
      stranger: { sub: 'ada', aud: `${resource}2`, scope: 'notes:read' },
    };
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Settings)
      .useValue({ resource, issuer: 'https://auth.example.com', discovery: 'lazy' }) // lazy: never asked
      .overrideProvider(TokenVerifier)
      .useValue(new StaticTokenVerifier(tokens))
      .compile();
    const app = module.createNestApplication();
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    expect(await status(app, 'reader')).toBe(200);
    expect(await status(app, 'writer')).toBe(403);
    expect(await status(app, 'stranger')).toBe(401);
    expect(await status(app, 'unknown')).toBe(401);
  });
  //#endregion static

  it('is tried in what goes wrong at the authorization server', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Settings)
      .useValue({ resource, issuer: as.issuer, discovery: 'bootstrap' })
      .compile();
    const app = closeAfterTest(module.createNestApplication({ logger: false }));
    await app.listen(0, '127.0.0.1');
    const token = { audience: resource, scopes: ['notes:read'] };

    //#region faults
    as.fail('jwks', { status: 500 }, { times: 1 });
    expect(await status(app, await as.issueToken(token))).toBe(503); // not 401: the client keeps its token
    //#endregion faults

    expect(as.requestCount('jwks')).toBe(1);
  });

  it('keeps its own settings otherwise', () => {
    expect(new Settings()).toEqual({
      resource,
      issuer: 'https://auth.example.com',
      discovery: 'bootstrap',
    });
  });
});

describe('fixed tokens in development', () => {
  const warnings: unknown[] = [];

  afterEach(() => {
    Logger.overrideLogger(false);
    vi.unstubAllEnvs();
  });

  verifies(
    'F122',
    'are warned of at each start, and fail startup outside of test and development',
    async () => {
      Logger.overrideLogger({
        log: () => undefined,
        error: () => undefined,
        warn: (message: unknown) => warnings.push(message),
      });

      @Module({ imports: [McpAuthModule.forRoot(developmentOptions())] })
      class Development {}
      const app = closeAfterTest(await NestFactory.create(Development, { logger: false }));
      await app.init();
      expect(warnings).toContain(
        'StaticTokenVerifier is in use: 1 fixed tokens are accepted. NOT FOR PRODUCTION',
      );

      vi.stubEnv('NODE_ENV', 'production');
      expect(developmentOptions).toThrow(McpAuthConfigError);
      expect(developmentOptions).toThrow(/accepts tokens that never change, .* NODE_ENV is "production"/);
      await expect(TestAuthorizationServer.start()).rejects.toThrow();
    },
  );
});
