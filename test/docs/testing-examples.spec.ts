import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BearerAuthGuard, McpAuthModule, TokenVerifier } from 'nestjs-mcp-auth';
import { StaticTokenVerifier, TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { AppModule, FixedModule, mcpAuth, NotesController, Settings } from './testing-examples.js';

// Runs in jest too, without the import of vitest: test/package/nest-new.spec.ts.

//#region status
const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function status(app: INestApplication, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${await app.getUrl()}/notes`, { headers })).status;
}
//#endregion status

const resource = 'https://api.example.com/notes';

describe('a guarded class', () => {
  //#region unit
  it('lists the notes of the caller', async () => {
    const module = await Test.createTestingModule({ controllers: [NotesController] })
      .overrideGuard(BearerAuthGuard)
      .useValue({ canActivate: () => true })
      .compile();
    expect(module.get(NotesController).list('ada')).toBe('notes of ada');
  });
  //#endregion unit
});

describe('an application under test', () => {
  //#region server
  it('takes tokens for it, with its scope', async () => {
    const as = await TestAuthorizationServer.start();
    opened.push(as);
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Settings)
      .useValue({ resource, issuer: as.issuer, discovery: 'bootstrap' })
      .compile();
    const app = module.createNestApplication();
    opened.push(app);
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
    opened.push(app);
    await app.listen(0, '127.0.0.1');
    expect(await status(app, 'reader')).toBe(200);
    expect(await status(app, 'writer')).toBe(403);
    expect(await status(app, 'stranger')).toBe(401);
    expect(await status(app, 'unknown')).toBe(401);
  });
  //#endregion static

  //#region fixed
  it('starts without the authorization server that it names', async () => {
    const offline = McpAuthModule.forRoot({
      resources: { resource, authorizationServers: ['https://auth.example.com'] },
      discovery: 'lazy',
      verifier: new StaticTokenVerifier({ reader: { sub: 'ada', aud: resource } }),
    });
    const module = await Test.createTestingModule({ imports: [FixedModule] })
      .overrideModule(mcpAuth)
      .useModule(offline)
      .compile();
    const app = module.createNestApplication();
    opened.push(app);
    await app.listen(0, '127.0.0.1');
    expect(await status(app, 'reader')).toBe(200);
    expect(await status(app, 'unknown')).toBe(401);
  });
  //#endregion fixed

  it('is tried in what goes wrong at the authorization server', async () => {
    const as = await TestAuthorizationServer.start();
    opened.push(as);
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Settings)
      .useValue({ resource, issuer: as.issuer, discovery: 'bootstrap' })
      .compile();
    const app = module.createNestApplication({ logger: false });
    opened.push(app);
    await app.listen(0, '127.0.0.1');
    const token = { audience: resource, scopes: ['notes:read'] };

    //#region faults
    as.fail('jwks', { status: 500 }, { times: 1 });
    expect(await status(app, await as.issueToken(token))).toBe(503); // not 401: the client keeps its token
    //#endregion faults

    expect(as.requestCount('jwks')).toBe(1);
  });

  it('says why it cannot reach an authorization server that is down', async () => {
    const as = await TestAuthorizationServer.start();
    await as.close();
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Settings)
      .useValue({ resource, issuer: as.issuer, discovery: 'bootstrap' })
      .compile();
    const app = module.createNestApplication({ logger: false });
    await expect(app.init()).rejects.toThrow('cannot be reached (connect ECONNREFUSED 127.0.0.1:');
  });

  it('keeps its own settings otherwise', () => {
    expect(new Settings()).toEqual({
      resource,
      issuer: 'https://auth.example.com',
      discovery: 'bootstrap',
    });
  });
});
