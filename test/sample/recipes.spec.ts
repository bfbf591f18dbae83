import type { INestApplication } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';
import { makeTestKey, TestAuthorizationServer, type TestTokenOptions } from 'nestjs-mcp-auth/testing';
import { auth0 } from '../../sample/recipes/src/auth0.js';
import { casdoor } from '../../sample/recipes/src/casdoor.js';
import { startCheck } from '../../sample/recipes/src/check.js';
import { cognito, cognitoWithoutAudience } from '../../sample/recipes/src/cognito.js';
import { entra } from '../../sample/recipes/src/entra.js';
import { keycloak } from '../../sample/recipes/src/keycloak.js';
import { logto } from '../../sample/recipes/src/logto.js';
import { okta } from '../../sample/recipes/src/okta.js';
import { PROVIDERS, recipeOf } from '../../sample/recipes/src/providers.js';
import { workos } from '../../sample/recipes/src/workos.js';
import { send } from '../fixtures/http.js';
import { notesRejections, type Rejected, rejectedAs, UNAVAILABLE } from '../fixtures/notes-rejections.js';
import { ADMIN, NOTES } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';

type Claims = Readonly<Record<string, unknown>>;

/** One key for all: no test here is about keys. */
const key = await makeTestKey('RS256');
const strangers = { rsa: await makeTestKey('RS256'), ec: await makeTestKey('ES256') };

/** What a JWT has unless its provider says otherwise: no `client_id`, which not all of them have. */
const bare: Claims = { client_id: undefined };

/** A rejection with the rule that the check prints. */
const because = (reason: string, { json, ...rejection }: Rejected): Rejected => ({
  ...rejection,
  json: { ...(json as object), reason },
});

/** A provider on loopback, the check with its recipe, and tokens as it makes them. */
class Provider {
  private constructor(
    readonly server: TestAuthorizationServer,
    private readonly app: INestApplication,
    private readonly origin: string,
  ) {}

  static async start(
    issuerPath: string,
    recipe: (server: TestAuthorizationServer) => ProtectedResourceOptions,
    alg?: string,
  ): Promise<Provider> {
    const keys = [alg === undefined ? key : await makeTestKey(alg)];
    const server = await TestAuthorizationServer.start({ issuerPath, layout: 'oidc', keys });
    try {
      const app = await startCheck(recipe(server), 0, ['error']);
      return new Provider(server, app, await app.getUrl());
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** @param header - `typ` is JWT where it does not say; undefined takes it away */
  token(claims: Claims, header: Claims = {}, more: TestTokenOptions = {}): Promise<string> {
    return this.server.issueToken({
      ...more,
      claims: { ...bare, ...claims },
      header: { typ: 'JWT', ...header },
    });
  }

  async answer(token: string) {
    return send(this.origin, '/notes', { headers: { authorization: `Bearer ${token}` } });
  }

  /** What the token is worth: what the check says of it. */
  async accepted(token: string): Promise<unknown> {
    const { status, json } = await this.answer(token);
    expect({ status, json }).toMatchObject({ status: 200 });
    return json;
  }

  async rejected(token: string): Promise<Rejected> {
    return rejectedAs(await this.answer(token));
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.server.close();
  }
}

/** Has one provider for all tests of a suite. */
function provided(...args: Parameters<typeof Provider.start>): () => Provider {
  let provider: Provider | undefined;
  beforeAll(async () => {
    provider = await Provider.start(...args);
  });
  afterAll(() => provider?.close());
  return () => provider!;
}

const { insufficientScope } = notesRejections('notes:read');
const noScope = insufficientScope('notes:read');
const rejection = (reason: string, scope = 'notes:read') =>
  because(reason, notesRejections(scope).invalidToken);

describe('the recipe for Keycloak', () => {
  const provider = provided('/realms/demo', ({ origin }) =>
    keycloak({ resource: NOTES, url: origin, realm: 'demo' }),
  );
  const claims = {
    typ: 'Bearer',
    azp: 'inspector',
    sid: 's1',
    acr: '1',
    aud: NOTES,
    scope: 'profile notes:read',
    realm_access: { roles: ['offline_access'] },
  };

  it.each([
    ['one audience', NOTES],
    ['the audience of the account console too', [NOTES, 'account']],
  ])('accepts an access token with %s', async (_, aud) => {
    expect(await provider().accepted(await provider().token({ ...claims, aud }))).toEqual({
      issuer: `${provider().server.origin}/realms/demo`,
      subject: 'user-1',
      clientId: 'inspector',
      scopes: ['profile', 'notes:read'],
      audience: [aud].flat(),
    });
  });

  it.each<[string, Claims, string]>([
    ['without the audience mapper', { aud: 'account' }, 'audience'],
    ['without any audience', { aud: undefined }, 'audience'],
    [
      'an ID token with the same mapper',
      { typ: 'ID', aud: ['inspector', NOTES], scope: undefined },
      'not_an_access_token',
    ],
    ['of another realm', { iss: 'https://id.example.com/realms/other' }, 'issuer'],
  ])('rejects one %s', async (_, changes, reason) => {
    expect(await provider().rejected(await provider().token({ ...claims, ...changes }))).toEqual(
      rejection(reason),
    );
  });

  it('rejects a refresh token, which is signed by a secret of the realm', async () => {
    const { issuer } = provider().server;
    const refresh = { ...claims, typ: 'Refresh', aud: issuer };
    const token = await provider().token(refresh, {}, { alg: 'HS512', key: Buffer.alloc(64, 1) });
    expect(await provider().rejected(token)).toEqual(rejection('algorithm'));
  });

  it('rejects one without the client scope', async () => {
    const token = await provider().token({ ...claims, scope: 'profile' });
    expect(await provider().rejected(token)).toEqual(because('insufficient_scope', noScope));
  });
});

describe('the recipe for Auth0', () => {
  const provider = provided('/', ({ issuer }) => auth0({ resource: NOTES, issuer }));
  const type = { typ: 'at+jwt' };
  const claims = {
    sub: 'auth0|123456',
    client_id: 'c1',
    aud: [NOTES, 'https://example.eu.auth0.com/userinfo'],
    scope: 'openid notes:read',
  };

  verifies('PRM-23', 'accepts an access token of an issuer with a slash at its end', async () => {
    const { issuer } = provider().server;
    expect(issuer).toMatch(/\/$/);
    expect(await provider().accepted(await provider().token(claims, type))).toEqual({
      issuer,
      subject: 'auth0|123456',
      clientId: 'c1',
      scopes: ['openid', 'notes:read'],
      audience: claims.aud,
    });
  });

  it('does not start with the issuer without its slash', async () => {
    const start = Provider.start('/', ({ origin }) => auth0({ resource: NOTES, issuer: origin }));
    await expect(start).rejects.toThrow(/names the issuer "http:[^"]*\/", expected "http:[^"]*[^/]"/);
  });

  it.each<[string, Claims, Claims, string]>([
    ['for another API', { aud: ADMIN }, type, 'audience'],
    ['for the userinfo endpoint only', { aud: claims.aud[1] }, type, 'audience'],
    ['of the other profile', { client_id: undefined, azp: 'c1', jti: undefined }, {}, 'type'],
    ['that is an ID token', { aud: 'c1', scope: undefined }, {}, 'type'],
    ['of another tenant', { iss: 'https://other.eu.auth0.com/' }, type, 'issuer'],
  ])('rejects a token %s', async (_, changes, header, reason) => {
    expect(await provider().rejected(await provider().token({ ...claims, ...changes }, header))).toEqual(
      rejection(reason),
    );
  });

  it('rejects the opaque token of a client that named no API', async () => {
    expect(await provider().rejected(provider().server.issueOpaqueToken())).toEqual(rejection('malformed'));
  });

  it('does not take permissions for scopes', async () => {
    const token = await provider().token({ ...claims, scope: 'openid', permissions: ['notes:read'] }, type);
    expect(await provider().rejected(token)).toEqual(because('insufficient_scope', noScope));
  });
});

describe('the recipe for Entra ID', () => {
  const [A, B, C] = ['aaaaaaaa-0000-4000-8000-000000000000', 'bbbbbbbb', 'cccccccc'];
  const API = '11111111-0000-4000-8000-000000000000';
  const READ = `${NOTES}/notes.read`;
  const provider = provided(`/${A}/v2.0`, (server) => {
    for (const tenant of [B, C]) {
      const issuer = `${server.origin}/${tenant}/v2.0`;
      server.serveMetadata(`/${tenant}/v2.0/.well-known/openid-configuration`, { issuer });
    }
    return entra({ resource: NOTES, tenantIds: [A, B], apiClientId: API, authority: server.origin });
  });
  const claims = {
    aud: API,
    azp: 'client-app',
    azpacr: '0',
    oid: 'o1',
    tid: A,
    scp: 'notes.read notes.write',
    uti: 'u1',
    ver: '2.0',
    jti: undefined,
  };
  const issuerOf = (tenant: string) => `${provider().server.origin}/${tenant}/v2.0`;

  it.each([A, B])('accepts a token of tenant %s, and gives its scopes their whole names', async (tid) => {
    const token = await provider().token({ ...claims, tid, iss: issuerOf(tid) });
    expect(await provider().accepted(token)).toEqual({
      issuer: issuerOf(tid),
      subject: 'user-1',
      clientId: 'client-app',
      scopes: [READ, `${NOTES}/notes.write`],
      audience: [API],
    });
  });

  verifies('ASM-21', 'rejects a tenant that is not listed, though it has the same keys', async () => {
    for (const tenant of [C, '{tenantid}', 'common']) {
      const token = await provider().token({ ...claims, tid: tenant, iss: issuerOf(tenant) });
      expect(await provider().rejected(token)).toEqual(rejection('issuer', READ));
    }
  });

  it.each<[string, Claims, string]>([
    [
      'of version 1.0',
      { iss: `https://sts.windows.net/${A}/`, aud: NOTES, azp: undefined, appid: 'c', ver: '1.0' },
      'issuer',
    ],
    ['for another API', { aud: '22222222-0000-4000-8000-000000000000' }, 'audience'],
    ['with the Application ID URI for audience', { aud: NOTES }, 'audience'],
    [
      'of an application that acts for itself',
      { scp: undefined, roles: ['notes.read'], idtyp: 'app' },
      'missing_claim',
    ],
    ['that is an ID token of the same registration', { scp: undefined, azp: undefined }, 'missing_claim'],
  ])('rejects a token %s', async (_, changes, reason) => {
    expect(await provider().rejected(await provider().token({ ...claims, ...changes }))).toEqual(
      rejection(reason, READ),
    );
  });

  it('asks for a scope by its whole name', async () => {
    const token = await provider().token({ ...claims, scp: 'notes.write' });
    expect(await provider().rejected(token)).toEqual(because('insufficient_scope', insufficientScope(READ)));
  });
});

describe('the recipe for Okta', () => {
  const provider = provided('/oauth2/default', ({ origin }) =>
    okta({ resource: NOTES, url: origin, authorizationServerId: 'default' }),
  );
  const untyped = { typ: undefined };
  const claims = {
    ver: 1,
    jti: 'AT.1',
    aud: NOTES,
    sub: 'ada@example.com',
    cid: 'c1',
    uid: '00u1',
    scp: ['openid', 'notes:read'],
    auth_time: 1_700_000_000,
  };

  it('accepts an access token of the custom authorization server', async () => {
    expect(await provider().accepted(await provider().token(claims, untyped))).toEqual({
      issuer: `${provider().server.origin}/oauth2/default`,
      subject: 'ada@example.com',
      clientId: 'c1',
      scopes: ['openid', 'notes:read'],
      audience: [NOTES],
    });
  });

  it.each<[string, Claims, string]>([
    [
      'of the org authorization server',
      { iss: 'https://example.okta.com', aud: 'https://example.okta.com' },
      'issuer',
    ],
    ['of another custom authorization server', { iss: 'https://example.okta.com/oauth2/aus1' }, 'issuer'],
    ['with the audience that Okta begins with', { aud: 'api://default' }, 'audience'],
    [
      'that is an ID token',
      { jti: 'ID.1', aud: 'c1', cid: undefined, scp: undefined, at_hash: 'h' },
      'audience',
    ],
  ])('rejects a token %s', async (_, changes, reason) => {
    const token = await provider().token({ ...claims, ...changes }, untyped);
    expect(await provider().rejected(token)).toEqual(rejection(reason));
  });

  it('rejects one without the scope', async () => {
    const token = await provider().token({ ...claims, scp: ['openid'] }, untyped);
    expect(await provider().rejected(token)).toEqual(because('insufficient_scope', noScope));
  });
});

describe('the recipes for Cognito', () => {
  const POOL = '/eu-west-1_example';
  const READ = `${NOTES}/read`;
  const untyped = { typ: undefined };
  const claims = {
    token_use: 'access',
    client_id: 'c1',
    version: 2,
    origin_jti: 'o1',
    username: 'ada',
    auth_time: 1_700_000_000,
    scope: `openid ${READ}`,
  };
  const whoami = ({ issuer }: TestAuthorizationServer, audience: string[]) => ({
    issuer,
    subject: 'user-1',
    clientId: 'c1',
    scopes: ['openid', READ],
    audience,
  });

  describe('with resource binding', () => {
    const provider = provided(POOL, ({ issuer }) => cognito({ resource: NOTES, issuer }));
    const bound = { ...claims, aud: NOTES };

    it('accepts an access token that is bound to the resource', async () => {
      const me = await provider().accepted(await provider().token(bound, untyped));
      expect(me).toEqual(whoami(provider().server, [NOTES]));
    });

    it.each<[string, Claims, string]>([
      ['that is bound to another resource', { aud: ADMIN }, 'audience'],
      ['that is not bound, as of a client without a user', { aud: undefined }, 'audience'],
      [
        'that is an ID token',
        { token_use: 'id', aud: 'c1', client_id: undefined, scope: undefined },
        'audience',
      ],
      ['that is an ID token for the resource', { token_use: 'id' }, 'not_an_access_token'],
      ['of another user pool', { iss: 'https://cognito-idp.eu-west-1.amazonaws.com/other' }, 'issuer'],
    ])('rejects a token %s', async (_, changes, reason) => {
      const token = await provider().token({ ...bound, ...changes }, untyped);
      expect(await provider().rejected(token)).toEqual(rejection(reason, READ));
    });

    it('rejects one that has no scope of the resource server', async () => {
      const token = await provider().token({ ...bound, scope: 'aws.cognito.signin.user.admin' }, untyped);
      expect(await provider().rejected(token)).toEqual(
        because('insufficient_scope', insufficientScope(READ)),
      );
    });
  });

  describe('without resource binding', () => {
    const start = () =>
      Provider.start(POOL, ({ issuer }) => cognitoWithoutAudience({ resource: NOTES, issuer }));
    const provider = provided(POOL, ({ issuer }) => cognitoWithoutAudience({ resource: NOTES, issuer }));

    it('accepts an access token whose custom scopes are all of this resource server', async () => {
      const me = await provider().accepted(await provider().token(claims, untyped));
      expect(me).toEqual(whoami(provider().server, []));
    });

    it.each<[string, Claims, string]>([
      ['with scopes of another resource server too', { scope: `${READ} ${ADMIN}/read` }, 'audience'],
      ['of a resource server below it', { scope: `${READ} ${NOTES}/admin/read` }, 'audience'],
      ['without a custom scope', { scope: 'openid' }, 'audience'],
      ['without scopes', { scope: undefined }, 'audience'],
      ['that is bound to another resource', { aud: ADMIN }, 'audience'],
      ['that is an ID token', { token_use: 'id', aud: 'c1' }, 'inactive'],
      ['that does not say what it is for', { token_use: undefined }, 'inactive'],
      ['of another user pool', { iss: 'https://cognito-idp.eu-west-1.amazonaws.com/other' }, 'inactive'],
      ['that has expired', { exp: 1_700_000_000 }, 'inactive'],
      ['that never expires', { exp: undefined }, 'time_claims'],
    ])('rejects a token %s', async (_, changes, reason) => {
      const token = await provider().token({ ...claims, ...changes }, untyped);
      expect(await provider().rejected(token)).toEqual(rejection(reason, READ));
    });

    it.each<[string, TestTokenOptions]>([
      ['by nobody', { alg: 'none' }],
      ['by a secret', { alg: 'HS256', key: Buffer.alloc(32, 1) }],
      ['by a key of somebody else', { key: strangers.rsa }],
      ['by the key of another algorithm', { key: strangers.ec }],
    ])('rejects a token that is signed %s', async (_, signed) => {
      const token = await provider().token(claims, untyped, signed);
      expect(await provider().rejected(token)).toEqual(rejection('inactive', READ));
    });

    it('rejects what is no token', async () => {
      for (const token of ['x', 'a.b.c', provider().server.issueOpaqueToken()]) {
        expect(await provider().rejected(token)).toEqual(rejection('inactive', READ));
      }
    });

    it('says that it cannot tell while the keys cannot be had', async () => {
      const own = await start();
      try {
        own.server.fail('jwks', { status: 500 }, { times: 1 });
        const token = await own.token(claims, untyped);
        const { issuer } = own.server;
        const { json, ...unavailable } = because('unavailable', UNAVAILABLE);
        expect(await own.rejected(token)).toEqual({
          ...unavailable,
          json: { ...(json as object), server: issuer },
        });
        expect(await own.accepted(token)).toEqual(whoami(own.server, []));
      } finally {
        await own.close();
      }
    });
  });
});

describe('the recipe for Logto', () => {
  const provider = provided('/oidc', ({ origin }) => logto({ resource: NOTES, endpoint: origin }), 'ES384');
  const type = { typ: 'at+jwt' };
  const claims = { client_id: 'c1', aud: NOTES, scope: 'notes:read' };

  it('accepts an access token for the API resource', async () => {
    expect(await provider().accepted(await provider().token(claims, type))).toEqual({
      issuer: `${provider().server.origin}/oidc`,
      subject: 'user-1',
      clientId: 'c1',
      scopes: ['notes:read'],
      audience: [NOTES],
    });
  });

  it.each<[string, Claims, Claims, string]>([
    ['for another API resource', { aud: ADMIN }, type, 'audience'],
    ['for an organization', { aud: 'urn:logto:organization:o1' }, type, 'audience'],
    [
      'that is an ID token',
      { aud: 'c1', client_id: undefined, scope: undefined, at_hash: 'h' },
      {},
      'audience',
    ],
  ])('rejects a token %s', async (_, changes, header, reason) => {
    expect(await provider().rejected(await provider().token({ ...claims, ...changes }, header))).toEqual(
      rejection(reason),
    );
  });

  it('rejects the opaque token of a client that named no resource', async () => {
    expect(await provider().rejected(provider().server.issueOpaqueToken())).toEqual(rejection('malformed'));
  });

  it('rejects a person whose roles do not have the permission', async () => {
    const token = await provider().token({ ...claims, scope: '' }, type);
    expect(await provider().rejected(token)).toEqual(because('insufficient_scope', noScope));
  });
});

describe('the recipe for WorkOS', () => {
  const provider = provided('', ({ issuer }) => workos({ resource: NOTES, authkitDomain: issuer }));
  const claims = {
    sub: 'user_01',
    client_id: 'client_mcp',
    org_id: 'org_01',
    sid: 'app_consent_01',
    aud: NOTES,
    scope: 'openid profile',
  };

  it('accepts an access token for the resource indicator', async () => {
    expect(await provider().accepted(await provider().token(claims))).toEqual({
      issuer: provider().server.issuer,
      subject: 'user_01',
      clientId: 'client_mcp',
      scopes: ['openid', 'profile'],
      audience: [NOTES],
    });
  });

  it.each<[string, Claims, string]>([
    ['of a client that named no resource', { aud: 'client_environment' }, 'audience'],
    [
      'of a machine',
      { sub: 'client_m2m', client_id: 'client_m2m', sid: undefined, aud: 'client_environment' },
      'audience',
    ],
    ['for another resource', { aud: ADMIN }, 'audience'],
    ['of a session', { iss: 'https://api.workos.com/user_management/client_1', aud: undefined }, 'issuer'],
    ['that is an ID token', { aud: 'client_mcp', client_id: undefined, nonce: 'n' }, 'audience'],
  ])('rejects a token %s', async (_, changes, reason) => {
    expect(await provider().rejected(await provider().token({ ...claims, ...changes }))).toEqual(
      rejection(reason, ''),
    );
  });
});

describe('the recipe for Casdoor', () => {
  const provider = provided('', ({ origin }) => casdoor({ resource: NOTES, origin }));
  const claims = {
    tokenType: 'access-token',
    owner: 'built-in',
    name: 'ada',
    azp: 'c1',
    jti: 'admin/1',
    aud: [NOTES],
    scope: 'notes:read',
  };

  it('accepts an access token, which is its ID token too', async () => {
    expect(await provider().accepted(await provider().token(claims))).toEqual({
      issuer: provider().server.issuer,
      subject: 'user-1',
      clientId: 'c1',
      scopes: ['notes:read'],
      audience: [NOTES],
    });
  });

  it.each<[string, Claims, string]>([
    ['of a client that named no resource', { aud: ['c1'] }, 'audience'],
    ['for another resource', { aud: [ADMIN] }, 'audience'],
    ['that does not say which kind it is', { tokenType: undefined }, 'missing_claim'],
    ['of a client that sent a nonce', { nonce: 'n' }, 'not_an_access_token'],
    ['of another Casdoor', { iss: 'https://door.example.com' }, 'issuer'],
  ])('rejects a token %s', async (_, changes, reason) => {
    expect(await provider().rejected(await provider().token({ ...claims, ...changes }))).toEqual(
      rejection(reason),
    );
  });

  it.each(['refresh-token', 'subscription-token', '', 7])(
    'grants nothing to a token of type %s',
    async (tokenType) => {
      const token = await provider().token({ ...claims, tokenType });
      expect(await provider().rejected(token)).toEqual(because('insufficient_scope', noScope));
    },
  );
});

describe('the check', () => {
  const readme = readFileSync(new URL('../../sample/recipes/README.md', import.meta.url), 'utf8');
  const values = new Proxy<NodeJS.ProcessEnv>({}, { get: () => 'https://a.example' });

  it.each(Object.keys(PROVIDERS))('takes the settings of %s from variables that the README names', (name) => {
    const asked: string[] = [];
    const variables = new Proxy<NodeJS.ProcessEnv>(
      {},
      {
        get: (_, variable) => {
          asked.push(String(variable));
          return variable === 'PROVIDER' ? name : values[String(variable)];
        },
      },
    );
    expect(recipeOf(variables)).toMatchObject({ resource: 'https://a.example' });
    for (const each of [...asked, name]) expect(readme).toContain(each);
  });

  it('says what is not set', () => {
    expect(() => recipeOf({})).toThrow('Set PROVIDER');
    expect(() => recipeOf({ PROVIDER: 'constructor' })).toThrow('PROVIDER is one of keycloak, auth0');
    expect(() => recipeOf({ PROVIDER: 'auth0' })).toThrow('Set MCP_RESOURCE');
    expect(() => recipeOf({ PROVIDER: 'auth0', MCP_RESOURCE: NOTES, AUTH0_ISSUER: '' })).toThrow(
      'Set AUTH0_ISSUER',
    );
  });
});
