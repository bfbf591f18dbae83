import { Controller, Get, Injectable, type Type, UseGuards } from '@nestjs/common';
import { describe, expect } from 'vitest';
import {
  AuthInfo,
  type AuthorizationServerOptions,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  principalKey,
  ProtectedResource,
  TokenVerifier,
  type VerificationContext,
  type VerificationResult,
  VerifiedToken,
} from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { type RunningApp, start } from '../../fixtures/app.js';
import { listing, problems } from '../../fixtures/config-problems.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES, NOTES_METADATA, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};
/** The issuer of what verifiers say without naming one. */
const OF_VERIFIER = `urn:nestjs-mcp-auth:verifier:${NOTES}`;
const TENANT = 'https://tenant.example';

@Controller()
@UseGuards(BearerAuthGuard)
@ProtectedResource(NOTES)
class Notes {
  @Get('notes')
  who(@AuthInfo() auth: AuthInfo): object {
    return { issuer: auth.issuer, subject: auth.subject, key: principalKey(auth) };
  }
}

@Controller()
@UseGuards(BearerAuthGuard)
@ProtectedResource(ADMIN)
class Admin {
  @Get('admin')
  who(@AuthInfo('issuer') issuer: string): object {
    return { issuer };
  }
}

/** What `ApiKeyVerifier` says of API keys. */
let ofKey: VerificationResult = null;

/** Says of API keys what a test says, and leaves other tokens to the verifier of the package. */
@Injectable()
class ApiKeyVerifier extends TokenVerifier {
  constructor(private readonly standard: TokenVerifier) {
    super();
  }

  verify(token: string, context: VerificationContext): VerificationResult | Promise<VerificationResult> {
    return token.startsWith('key_') ? ofKey : this.standard.verify(token, context);
  }
}

const authorizationServer = async (): Promise<TestAuthorizationServer> =>
  closeAfterTest(await TestAuthorizationServer.start());

function startWith(
  authorizationServers: readonly (string | AuthorizationServerOptions)[],
  more: { privateIssuers?: string[] } & Partial<McpAuthModuleOptions> = {},
): Promise<RunningApp> {
  const { privateIssuers, ...options } = more;
  const resource = { resource: NOTES, authorizationServers, ...(privateIssuers && { privateIssuers }) };
  return start(
    { resources: resource, verifier: ApiKeyVerifier, ...options },
    { controllers: [Notes], providers: [ApiKeyVerifier as Type] },
  );
}

async function answerTo(app: RunningApp, token: string): Promise<{ status: number; json: unknown }> {
  const { status, headers, json } = await app.send('/notes', {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status, json, ...(status !== 200 && { challenge: headers['www-authenticate'] }) };
}

const claims = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  sub: 'ada',
  client_id: 'c1',
  aud: NOTES,
  ...changes,
});

describe('a verifier that names no issuer', () => {
  verifies('WAY-12', 'gives its principals an issuer that is no authorization server', async () => {
    const [as, other] = [await authorizationServer(), await authorizationServer()];
    for (const servers of [[as.issuer], [as.issuer, other.issuer]]) {
      const app = await startWith(servers);
      const token = await as.issueToken({ audience: NOTES, sub: 'ada', clientId: 'c1' });
      const person = await answerTo(app, token);
      expect(person).toMatchObject({ status: 200, json: { issuer: as.issuer, subject: 'ada' } });
      for (const result of [
        claims(),
        new VerifiedToken(claims()),
        new VerifiedToken(claims(), { cacheable: true }),
        { clientId: 'c1', scopes: [], subject: 'ada', audience: NOTES },
      ]) {
        ofKey = result;
        // Three times: the cache of verified tokens answers the third.
        for (let time = 0; time < 3; time += 1) {
          const owner = await answerTo(app, 'key_ada');
          const key = principalKey({ issuer: OF_VERIFIER, subject: 'ada', clientId: 'c1' });
          expect(owner).toEqual({ status: 200, json: { issuer: OF_VERIFIER, subject: 'ada', key } });
          expect(key).not.toBe((person.json as { key: string }).key);
        }
      }
    }
  });

  verifies('WAY-12', 'gives them another issuer at another resource', async () => {
    const as = await authorizationServer();
    const app = await start(
      {
        resources: [NOTES, ADMIN].map((resource) => ({ resource, authorizationServers: [as.issuer] })),
        verifier: (_, { resource }) => claims({ aud: resource }),
      },
      { controllers: [Notes, Admin] },
    );
    const headers = { authorization: 'Bearer key' };
    expect((await app.send('/notes', { headers })).json).toMatchObject({ issuer: OF_VERIFIER });
    expect((await app.send('/admin', { headers })).json).toEqual({
      issuer: `urn:nestjs-mcp-auth:verifier:${ADMIN}`,
    });
  });

  verifies('WAY-12', 'may name one of an authorization server, and nothing else in its place', async () => {
    const as = await authorizationServer();
    const app = await startWith([as.issuer]);
    ofKey = claims({ iss: as.issuer });
    expect(await answerTo(app, 'key_ada')).toMatchObject({ status: 200, json: { issuer: as.issuer } });
    for (const iss of [null, '', 0, [], [as.issuer], `${as.issuer}/`, OF_VERIFIER, TENANT, 'undefined']) {
      ofKey = claims({ iss });
      expect([iss, await answerTo(app, 'key_ada')]).toEqual([iss, INVALID_TOKEN]);
    }
  });
});

describe('a private issuer', () => {
  verifies(
    'WAY-12',
    'is accepted from the verifier if it is exactly the same, and published nowhere',
    async () => {
      const as = await authorizationServer();
      const app = await startWith([as.issuer], { privateIssuers: [TENANT, 'keys'], showErrorDetails: true });
      for (const iss of [TENANT, 'keys']) {
        ofKey = claims({ iss });
        expect(await answerTo(app, 'key_ada')).toMatchObject({
          status: 200,
          json: { issuer: iss, key: principalKey({ issuer: iss, subject: 'ada', clientId: 'c1' }) },
        });
      }
      const detailed = { ...INVALID_TOKEN, json: { ...INVALID_TOKEN.json, reason: 'issuer' } };
      for (const iss of [`${TENANT}/`, 'HTTPS://tenant.example', 'key', 'keys ', '', null, ['keys']]) {
        ofKey = claims({ iss });
        expect([iss, await answerTo(app, 'key_ada')]).toEqual([iss, detailed]);
      }
      const document = await app.send(`${PRM}/notes`);
      expect(document.json).toMatchObject({ authorization_servers: [as.issuer] });
      expect(document.text).not.toContain('tenant');
    },
  );

  verifies('WAY-12', 'is not accepted from the verifier of the package', async () => {
    const as = await authorizationServer();
    const client = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
    for (const server of [
      { issuer: as.issuer },
      { issuer: as.issuer, mode: 'introspection', introspection: client },
      { issuer: as.issuer, mode: 'auto', introspection: client },
    ] as const) {
      const app = await startWith([server], { privateIssuers: [TENANT] });
      const forged = await as.issueToken({ audience: NOTES, claims: { iss: TENANT } });
      expect(await answerTo(app, forged)).toEqual(INVALID_TOKEN);
      if (!('mode' in server)) continue;
      const opaque = as.issueOpaqueToken({ audience: NOTES, claims: { iss: TENANT } });
      expect(await answerTo(app, opaque)).toEqual(INVALID_TOKEN);
      expect(await answerTo(app, as.issueOpaqueToken({ audience: NOTES }))).toMatchObject({
        status: 200,
        json: { issuer: as.issuer },
      });
    }
  });

  verifies('WAY-12', 'is not asked for metadata', async () => {
    const [as, tenant] = [await authorizationServer(), await authorizationServer()];
    const app = await startWith([as.issuer], { privateIssuers: [tenant.issuer] });
    ofKey = claims({ iss: tenant.issuer });
    expect((await answerTo(app, 'key_ada')).status).toBe(200);
    const own = await tenant.issueToken({ audience: NOTES });
    expect(await answerTo(app, own)).toEqual(INVALID_TOKEN);
    expect(tenant.requests).toEqual([]);
  });

  verifies('WAY-12', 'that an authorization server has too fails startup', async () => {
    const [as, other] = [await authorizationServer(), await authorizationServer()];
    const metadataUrl = `${as.issuer}/.well-known/oauth-authorization-server`;
    const fix = 'is the issuer of an authorization server; a private issuer must not be';
    const servers: (string | AuthorizationServerOptions)[] = [
      as.issuer,
      { metadataUrl, trustDocumentIssuer: true },
      { metadata: { ...as.metadata(), issuer: as.issuer } },
    ];
    for (const server of servers) {
      const resource = { resource: NOTES, authorizationServers: [server], privateIssuers: ['a', as.issuer] };
      expect(await problems({ resources: resource, verifier: () => null })).toBe(
        listing(`resources[0].privateIssuers[1]: ${fix}; got "${as.issuer}"`),
      );
    }
    const notes = { resource: NOTES, authorizationServers: [as.issuer], privateIssuers: [other.issuer] };
    const admin = { resource: ADMIN, authorizationServers: [other.issuer] };
    expect(await problems({ resources: [notes, admin], verifier: () => null })).toBe(
      listing(`resources[0].privateIssuers[0]: ${fix}; got "${other.issuer}"`),
    );
    const lazy = { resources: [notes, admin], verifier: () => null, discovery: 'lazy' } as const;
    expect(await problems(lazy)).toContain(fix);
  });

  verifies('WAY-12', 'that no verifier could name fails startup', async () => {
    const { issuer } = await authorizationServer();
    const withPrivate = (privateIssuers: unknown, verifier?: TokenVerifier['verify']) =>
      problems({
        resources: { resource: NOTES, authorizationServers: [issuer], privateIssuers } as never,
        ...(verifier && { verifier }),
      });
    expect(await withPrivate(['keys'])).toBe(
      listing('resources[0].privateIssuers: needs a "verifier": only that may name these issuers'),
    );
    for (const [given, problem] of [
      ['keys', 'must be a list'],
      [[''], 'must be a non-empty string'],
      [[7], 'must be a non-empty string'],
      [[OF_VERIFIER], 'must not begin with "urn:nestjs-mcp-auth:"'],
    ] as const) {
      const message = await withPrivate(given, () => null);
      expect(message).toContain('resources[0].privateIssuers');
      expect(message).toContain(problem);
    }
  });
});
