import { Controller, Get, UseGuards } from '@nestjs/common';
import {
  AuthInfo,
  type AuthorizationServerByIssuer,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  ProtectedResource,
  type ProtectedResourceOptions,
} from 'nestjs-mcp-auth';
import { describe, expect, it } from 'vitest';
import { start, startFailure } from '../../fixtures/app.js';
import type { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { hits, startLiving } from '../../fixtures/living-app.js';
import { ADMIN, NOTES, NOTES_METADATA, ORIGIN } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};

function rejection({ status, headers, json }: HttpAnswer): object {
  return { status, challenge: headers['www-authenticate'], json };
}

@Controller('notes')
@UseGuards(BearerAuthGuard)
@ProtectedResource(NOTES)
class NotesController {
  @Get()
  who(@AuthInfo() { subject, clientId, isClientPrincipal, scopes, expiresAt }: AuthInfo): object {
    return { subject, clientId, isClientPrincipal, scopes, expiresAt };
  }
}

@Controller('admin')
@UseGuards(BearerAuthGuard)
@ProtectedResource(ADMIN)
class AdminController {
  @Get()
  get(): string {
    return 'admin';
  }
}

type Changes = Record<string, unknown>;
type Ask = (claims?: Changes, header?: Changes) => Promise<HttpAnswer>;

/** What tokens of one server get, good for the resource except for their changes. */
async function asking(
  of: Partial<AuthorizationServerByIssuer>,
  more: Partial<ProtectedResourceOptions> = {},
): Promise<{ ask: Ask; as: LoopbackAuthorizationServer }> {
  const as = await server();
  const authorizationServers = [{ issuer: as.issuer, ...of }];
  const app = await start(
    { resources: { resource: NOTES, authorizationServers, ...more } },
    { controllers: [NotesController] },
  );
  const ask: Ask = async (claims, header = {}) => {
    const token = await as.token({ aud: NOTES, ...claims }, { header });
    return app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
  };
  return { ask, as };
}

const seconds = (ahead: number): number => Math.floor(Date.now() / 1000) + ahead;

describe('the profile of an authorization server', () => {
  verifies(
    ['JWT-07', 'F44', 'F54'],
    'accepts at+jwt, JWT or no type, and at+jwt alone if configured',
    async () => {
      const [lenient, strict] = [await asking({}), await asking({ profile: 'rfc9068' })];
      for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT']) {
        expect((await lenient.ask({}, { typ })).status).toBe(200);
        expect((await strict.ask({}, { typ })).status).toBe(200);
      }
      for (const typ of ['JWT', 'application/jwt', undefined]) {
        expect((await lenient.ask({}, { typ })).status).toBe(200);
        expect(rejection(await strict.ask({}, { typ }))).toEqual(INVALID_TOKEN);
      }
      for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'token-introspection+jwt']) {
        expect(rejection(await lenient.ask({}, { typ }))).toEqual(INVALID_TOKEN);
        expect(rejection(await strict.ask({}, { typ }))).toEqual(INVALID_TOKEN);
      }
    },
  );

  verifies(['JWT-28', 'F56'], 'needs all claims of RFC 9068 if configured', async () => {
    const [lenient, strict] = [await asking({}), await asking({ profile: 'rfc9068' })];
    for (const { ask } of [lenient, strict]) {
      expect(await ask()).toMatchObject({ status: 200, json: { subject: 'u1', clientId: 'c1' } });
      for (const claim of ['iss', 'exp', 'aud'])
        expect(rejection(await ask({ [claim]: undefined }))).toEqual(INVALID_TOKEN);
    }
    for (const claim of ['sub', 'client_id', 'iat', 'jti']) {
      expect((await lenient.ask({ [claim]: undefined })).status).toBe(200);
      expect(rejection(await strict.ask({ [claim]: undefined }))).toEqual(INVALID_TOKEN);
    }
    expect((await lenient.ask({ client_id: undefined, azp: 'c1' })).status).toBe(200);
    expect(rejection(await strict.ask({ client_id: undefined, azp: 'c1' }))).toEqual(INVALID_TOKEN);
  });

  verifies(['JWT-07', 'JWT-28'], 'holds for one server, not for its neighbours', async () => {
    const [one, other] = [await server(), await server()];
    const app = await startLiving([{ issuer: one.issuer, profile: 'rfc9068' }, other.issuer]);
    const plain = { header: { typ: 'JWT' } };
    expect(await app.status(await one.token({ aud: NOTES }))).toBe(200);
    expect(rejection(await app.ask(await one.token({ aud: NOTES }, plain)))).toEqual(INVALID_TOKEN);
    expect(await app.status(await other.token({ aud: NOTES, jti: undefined }, plain))).toBe(200);
  });
});

describe('the claims of a token', () => {
  const requiredScopes = ['notes:read'];
  const insufficient = {
    status: 403,
    challenge: `Bearer error="insufficient_scope", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`,
    json: {
      error: 'insufficient_scope',
      error_description: 'The access token does not grant what this operation needs',
    },
  };

  verifies('F53', 'must include all that the server is configured with', async () => {
    const { ask } = await asking({ requiredClaims: ['tid', 'jti'] });
    expect((await ask({ tid: 't' })).status).toBe(200);
    for (const claims of [
      {},
      { tid: null },
      { tid: 't', jti: '' },
      { tid: 't', jti: undefined },
      { Tid: 't' },
    ]) {
      const { status, headers, json } = await ask(claims);
      expect([claims, { status, challenge: headers['www-authenticate'], json }]).toEqual([
        claims,
        INVALID_TOKEN,
      ]);
    }
  });

  verifies(
    ['CLM-03', 'F57', 'F58'],
    'give client and scopes under the names that are configured',
    async () => {
      const claims = { roles: ['notes:read'], app: 'c7' };
      const { ask: byDefault } = await asking({}, { requiredScopes });
      expect(rejection(await byDefault(claims))).toEqual(insufficient);
      const { ask } = await asking({ claimNames: { scopes: 'roles', clientId: 'app' } }, { requiredScopes });
      expect(await ask(claims)).toMatchObject({
        status: 200,
        json: { clientId: 'c7', scopes: ['notes:read'] },
      });
      expect(rejection(await ask({ ...claims, roles: ['notes:rea'] }))).toEqual(insufficient);
      expect(rejection(await ask({ scope: 'notes:read', permissions: 'notes:read' }))).toEqual(insufficient);
    },
  );

  verifies(['CLM-03', 'F58'], 'give scopes by a function, which cannot fail in silence', async () => {
    type Roles = { readonly realm_access?: { readonly roles?: readonly string[] } };
    const { ask } = await asking(
      { claimNames: { scopes: (claims) => (claims as Roles).realm_access?.roles as readonly string[] } },
      { requiredScopes },
    );
    expect((await ask({ realm_access: { roles: ['notes:read'] } })).status).toBe(200);
    expect(rejection(await ask({ realm_access: { roles: ['admin'] }, scope: 'notes:read' }))).toEqual(
      insufficient,
    );
    expect(rejection(await ask({ scope: 'notes:read' }))).toEqual({
      status: 500,
      challenge: undefined,
      json: { error: 'server_error', error_description: 'The request could not be checked' },
    });
  });

  it('are read as each of two servers has them, also when one function is all that differs', async () => {
    const one = await server();
    const scopes = (): string[] => ['notes:read'];
    const resource = (identifier: string, claimNames: object): ProtectedResourceOptions => ({
      resource: identifier,
      authorizationServers: [{ issuer: one.issuer, claimNames }],
      requiredScopes,
    });
    const app = await start(
      { resources: [resource(NOTES, {}), resource(ADMIN, { scopes })] },
      { controllers: [NotesController, AdminController] },
    );
    const headers = { authorization: `Bearer ${await one.token({ aud: [NOTES, ADMIN] })}` };
    expect((await app.send('/notes', { headers })).status).toBe(403);
    expect((await app.send('/admin', { headers })).status).toBe(200);
  });
});

describe('the greatest age of a token', () => {
  verifies('JWT-26', 'ends a token before its exp, if configured', async () => {
    const limited = await asking({ maxTokenAgeSeconds: 600 });
    const free = await asking({});
    const old = { exp: seconds(3600), iat: seconds(-700) };
    expect((await limited.ask({ ...old, iat: seconds(-500) })).status).toBe(200);
    expect(rejection(await limited.ask(old))).toEqual(INVALID_TOKEN);
    expect(rejection(await limited.ask({ iat: undefined }))).toEqual(INVALID_TOKEN);
    expect((await free.ask(old)).status).toBe(200);
    expect((await free.ask({ iat: undefined })).status).toBe(200);
  });

  verifies(['JWT-26', 'CLM-07'], 'is the expiry that the caller has, if it comes before exp', async () => {
    const limited = await asking({ maxTokenAgeSeconds: 600 });
    const free = await asking({});
    const [iat, exp] = [seconds(-100), seconds(3600)];
    expect((await limited.ask({ iat, exp })).json).toMatchObject({ expiresAt: iat + 600 });
    expect((await limited.ask({ iat, exp: iat + 599 })).json).toMatchObject({ expiresAt: iat + 599 });
    expect((await free.ask({ iat, exp })).json).toMatchObject({ expiresAt: exp });
  });

  verifies(['JWT-26', 'OPS-05'], 'ends a remembered token too', async () => {
    const as = await server();
    const servers = [{ issuer: as.issuer, maxTokenAgeSeconds: 30 }];
    const app = await startLiving(servers, { tokenCache: { maxAgeSeconds: 300 }, clockToleranceSeconds: 0 });
    const token = await as.token({ aud: NOTES });
    expect(await app.status(token)).toBe(200);
    app.clock.forward(20);
    expect(await app.status(token)).toBe(200);
    app.clock.forward(11);
    expect(rejection(await app.ask(token))).toEqual(INVALID_TOKEN);
  });
});

describe('the audience of a token', () => {
  verifies(['AUD-04', 'F64'], 'may be above the resource only by choice', async () => {
    const [exact, above] = [await asking({}), await asking({}, { audienceMatch: 'hierarchical' })];
    for (const aud of [NOTES, `${NOTES}/`]) {
      expect((await exact.ask({ aud })).status).toBe(200);
      expect((await above.ask({ aud })).status).toBe(200);
    }
    for (const aud of [ORIGIN, `${ORIGIN}/`]) {
      expect(rejection(await exact.ask({ aud }))).toEqual(INVALID_TOKEN);
      expect((await above.ask({ aud })).status).toBe(200);
    }
    for (const aud of [`${ORIGIN}/not`, `${NOTES}/sub`, ADMIN, 'https://example.com', 'https:/', undefined]) {
      expect(rejection(await above.ask({ aud }))).toEqual(INVALID_TOKEN);
    }
  });

  verifies(['AUD-03', 'F62'], 'may be one of several, unless those are rejected', async () => {
    const [any, one] = [await asking({}), await asking({}, { rejectMultipleAudiences: true })];
    for (const aud of [NOTES, [NOTES]]) {
      expect((await any.ask({ aud })).status).toBe(200);
      expect((await one.ask({ aud })).status).toBe(200);
    }
    expect((await any.ask({ aud: [NOTES, ADMIN] })).status).toBe(200);
    expect(rejection(await one.ask({ aud: [NOTES, ADMIN] }))).toEqual(INVALID_TOKEN);
    expect(rejection(await one.ask({ aud: [ADMIN] }))).toEqual(INVALID_TOKEN);
  });

  verifies(['AUD-06', 'F61'], 'cannot be left unchecked, or the application does not start', async () => {
    for (const [audience, problem] of [
      ['', 'must be a non-empty string; got ""'],
      [[], 'must not be empty; got a list of 0'],
      [false, 'must be a list; got false'],
    ]) {
      const resources = { resource: NOTES, authorizationServers: ['https://as.example'], audience };
      const error = await startFailure({ resources } as unknown as McpAuthModuleOptions);
      expect(error.message).toBe(
        `McpAuthModule has 1 problem:\n  - resources[0].audience: ${String(problem)}`,
      );
    }
    const { ask } = await asking({}, { audience: 'api://notes' });
    expect((await ask({ aud: 'api://notes' })).status).toBe(200);
    expect(rejection(await ask({ aud: NOTES }))).toEqual(INVALID_TOKEN);
  });

  verifies(['AUD-07', 'F66'], 'of another resource opens nothing, and its server is not asked', async () => {
    const [one, other] = [await server(), await server()];
    const app = await start(
      {
        resources: [
          { resource: NOTES, authorizationServers: [one.issuer] },
          { resource: ADMIN, authorizationServers: [other.issuer] },
        ],
      },
      { controllers: [NotesController, AdminController] },
    );
    const authorization = `Bearer ${await other.token({ aud: [NOTES, ADMIN] })}`;
    expect(rejection(await app.send('/notes', { headers: { authorization } }))).toEqual(INVALID_TOKEN);
    expect(hits(other, '/jwks')).toBe(0);
    expect((await app.send('/admin', { headers: { authorization } })).status).toBe(200);
    expect(hits(other, '/jwks')).toBe(1);
  });
});

describe('the principal of a token', () => {
  verifies('CLM-06', 'is flagged where it is the client itself', async () => {
    const { ask } = await asking({});
    const flagged = async (claims: Changes): Promise<unknown> => {
      const { status, json } = await ask(claims);
      expect(status).toBe(200);
      return (json as AuthInfo).isClientPrincipal;
    };
    expect(await flagged({ sub: 'c1' })).toBe(true);
    expect(await flagged({ sub: undefined })).toBe(true);
    expect(await flagged({ sub: 'u1' })).toBe(false);
    expect(await flagged({ sub: 'C1' })).toBe(false);
    expect(rejection(await ask({ sub: undefined, client_id: undefined }))).toEqual(INVALID_TOKEN);
  });
});
