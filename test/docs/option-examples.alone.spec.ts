import { Controller, Get, Module, Req, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  type AuthorizationServerOptions,
  BearerAuthGuard,
  McpAuthModule,
  type McpAuthModuleOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import {
  makeTestKey,
  TestAuthorizationServer,
  type TestKey,
  type TestTokenOptions,
} from 'nestjs-mcp-auth/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  byIntrospection,
  byKeys,
  failuresByAddress,
  notes,
  resource,
  revokedIds,
} from './option-examples.js';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  @RequireScopes('notes:read')
  list(@Req() { user }: { user?: unknown }) {
    return { user: user ?? null };
  }
}

const RESOURCE = 'https://api.example.com/notes';

const withServer = (server: string | AuthorizationServerOptions): McpAuthModuleOptions => ({
  resources: { resource: RESOURCE, authorizationServers: [server], requiredScopes: ['notes:read'] },
});

const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** An application with the options, and an authorization server that issues its tokens. */
async function start(
  optionsOf: (as: TestAuthorizationServer) => McpAuthModuleOptions,
  keys?: readonly TestKey[],
) {
  const as = await TestAuthorizationServer.start(keys && { keys });
  opened.push(as);
  @Module({ imports: [McpAuthModule.forRoot(optionsOf(as))], controllers: [NotesController] })
  class AppModule {}
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = module.createNestApplication({ logger: false });
  opened.push(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const request = async (token?: string, headers: Record<string, string> = {}) => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return fetch(`${url}/notes`, { headers: { ...authorization, ...headers } });
  };
  const issue = (token: TestTokenOptions = {}) =>
    as.issueToken({ audience: RESOURCE, scopes: ['notes:read'], ...token });
  return { as, url, request, issue };
}

describe('the examples of options of the module', () => {
  const startNotes = () =>
    start(({ issuer }) => ({
      ...notes,
      ...withServer(issuer),
    }));

  it('give the caller to req.user, and let wider scopes include narrower ones', async () => {
    const { request, issue } = await startNotes();
    const response = await request(await issue({ claims: { sub: 'ada' }, scopes: ['notes:admin'] }));
    expect(await response.json()).toEqual({ user: { id: 'ada', roles: ['notes:admin'] } });
    expect((await request(await issue({ scopes: ['notes:list'] }))).status).toBe(403);
  });

  it('reject a revoked token', async () => {
    const { as, request, issue } = await startNotes();
    const token = await issue({ claims: { jti: 'lost' } });
    expect((await request(token)).status).toBe(200);
    revokedIds.add(`${as.issuer} lost`);
    expect((await request(token)).status).toBe(401);
    expect((await request(await issue({ claims: { jti: 'kept' } }))).status).toBe(200);
  });

  it('count bad tokens by address, and no requests without a token', async () => {
    const { request } = await startNotes();
    failuresByAddress.clear();
    expect((await request()).status).toBe(401);
    expect(failuresByAddress.size).toBe(0);
    expect((await request('bad')).status).toBe(401);
    expect([...failuresByAddress.values()]).toEqual([1]);
  });
});

describe('the examples of options of a resource', () => {
  it('publish the metadata, and accept the listed audiences and origins only', async () => {
    const { url, request, issue } = await start(({ issuer }) => ({
      resources: {
        ...resource,
        authorizationServers: [issuer],
        allowedHosts: ['127.0.0.1', ...resource.allowedHosts],
      },
    }));
    const document = await fetch(`${url}/.well-known/oauth-protected-resource/notes`);
    expect(await document.json()).toMatchObject({
      scopes_supported: resource.scopesSupported,
      ...resource.metadata,
    });
    expect((await request(await issue({ audience: 'notes-api' }))).status).toBe(200);
    expect((await request(await issue({ audience: 'other-api' }))).status).toBe(401);
    const token = await issue();
    expect((await request(token, { origin: 'https://app.example.com' })).status).toBe(200);
    expect((await request(token, { origin: 'https://evil.example.com' })).status).toBe(403);
  });
});

describe('the examples of options of an authorization server', () => {
  it('read scopes and client from other claims, and require claims and an algorithm', async () => {
    const keys = [await makeTestKey('ES256')];
    const { request, issue } = await start(({ issuer }) => withServer({ ...byKeys, issuer }), keys);
    const claims = { scope: undefined, permissions: 'notes:read', tenant: 'one', app: 'desk' };
    expect((await request(await issue({ claims }))).status).toBe(200);
    expect((await request(await issue({ claims: { ...claims, tenant: undefined } }))).status).toBe(401);
    expect((await request(await issue({ claims: { ...claims, permissions: 'notes:list' } }))).status).toBe(
      403,
    );
  });

  it('introspect opaque tokens, with the secret of the environment', async () => {
    const { as, request } = await start((server) => {
      const { clientId, clientSecret = '' } = server.introspectionClient;
      process.env['INTROSPECTION_SECRET'] = clientSecret;
      const introspection = { ...byIntrospection.introspection, clientId };
      return withServer({ ...byIntrospection, issuer: server.issuer, introspection });
    });
    const token = as.issueOpaqueToken({ audience: RESOURCE, scopes: ['notes:read'] });
    expect((await request(token)).status).toBe(200);
    expect((await request('unknown')).status).toBe(401);
  });
});
