import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  Delete,
  type ExceptionFilter,
  Get,
  HttpException,
  Injectable,
  Post,
  Req,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AuthInfo,
  AuthorizationServerUnavailableError,
  BearerAuthGuard,
  RequireScopes,
  SkipBearerAuth,
  type TokenClaims,
  TokenRejectedError,
  TokenVerifier,
  type VerifyToken,
} from 'nestjs-mcp-auth';
import { type RunningApp, start, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { type HttpAnswer, sendRaw } from '../../fixtures/http.js';
import { makeKey } from '../../fixtures/keys.js';
import { ADMIN, NOTES, NOTES_METADATA, ORIGIN, PRM } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const NO_TOKEN = {
  status: 401,
  challenge: `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`,
  json: { error: 'missing_token', error_description: 'Send an access token: Authorization: Bearer TOKEN' },
};
const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};
const SEVERAL_CREDENTIALS = {
  status: 400,
  challenge: `Bearer error="invalid_request", resource_metadata="${NOTES_METADATA}", error_description="The request carries more than one credential"`,
  json: { error: 'invalid_request', error_description: 'The request carries more than one credential' },
};
const UNAVAILABLE = {
  status: 503,
  challenge: undefined,
  json: {
    error: 'temporarily_unavailable',
    error_description: 'The access token cannot be checked at the moment; try again later',
  },
};

function insufficient(scope: string): object {
  const description = 'The access token does not grant what this operation needs';
  return {
    status: 403,
    challenge: `Bearer error="insufficient_scope", scope="${scope}", resource_metadata="${NOTES_METADATA}", error_description="${description}"`,
    json: { error: 'insufficient_scope', error_description: description },
  };
}

/** What a rejection is judged by: the status, the whole challenge and the body. */
function rejection({ status, headers, json }: HttpAnswer): object {
  return { status, challenge: headers['www-authenticate'], json };
}

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  static ran = 0;

  @Get()
  list(@AuthInfo() auth: AuthInfo, @AuthInfo('subject') subject: string, @Req() request: { auth: object }) {
    NotesController.ran++;
    return { subject, scopes: auth.scopes, same: request.auth === auth, json: JSON.stringify(request.auth) };
  }

  @Post()
  post(@Body() body: unknown): unknown {
    NotesController.ran++;
    return body;
  }

  @Delete()
  remove(): string {
    NotesController.ran++;
    return 'removed';
  }

  @Get('export')
  @RequireScopes('notes:export', 'notes:all')
  export(): string {
    NotesController.ran++;
    return 'exported';
  }
}

/** Scopes without a guard: the decorator brings it along. */
@Controller('scoped')
@RequireScopes('notes:admin')
class ScopedController {
  @Get()
  get(): string {
    return 'scoped';
  }
}

@Controller('open')
class OpenController {
  @Get()
  @SkipBearerAuth()
  @UseGuards(BearerAuthGuard)
  get(@AuthInfo() auth: AuthInfo | undefined): string {
    return auth === undefined ? 'nobody' : 'somebody';
  }
}

describe('a guarded route', () => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  /** How far the app's clock is ahead, in milliseconds. */
  let ahead = 0;
  const good = (claims: Record<string, unknown> = {}) =>
    as.token({ aud: NOTES, scope: 'notes:read', ...claims });
  const get = (token: string, path = '/notes') =>
    app.send(path, { headers: { authorization: `Bearer ${token}` } });

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    app = await startApp(
      {
        resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
        now: () => new Date(Date.now() + ahead),
      },
      { controllers: [NotesController, ScopedController, OpenController] },
    );
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  verifies(['TOK-01', 'F44'], 'authenticates a good token from the Authorization header', async () => {
    const { status, json } = await get(await good());
    expect({ status, json }).toMatchObject({
      status: 200,
      json: { subject: 'u1', scopes: ['notes:read'], same: true },
    });
  });

  it('keeps the token out of the JSON of req.auth', async () => {
    const token = await good();
    expect((await get(token)).text).not.toContain(token);
  });

  verifies(
    ['CHL-01', 'CHL-02', 'CHL-05', 'CHL-08', 'TOK-10'],
    'answers every request without credentials with 401, a challenge and no error',
    async () => {
      NotesController.ran = 0;
      for (const method of ['GET', 'POST', 'DELETE', 'HEAD']) {
        const answer = await app.send('/notes', { method });
        expect({ ...rejection(answer), json: NO_TOKEN.json }).toEqual(NO_TOKEN);
      }
      for (const authorization of ['Basic abc', 'Negotiate x', 'Bearer', 'Bearer ', 'DPoP abc', 'BearerT']) {
        expect(rejection(await app.send('/notes', { headers: { authorization } }))).toEqual(NO_TOKEN);
      }
      expect(NotesController.ran).toBe(0);
    },
  );

  verifies('CHL-03', 'names the document in the challenge, and serves it', async () => {
    const answer = await app.send('/notes');
    const url = /resource_metadata="([^"]+)"/.exec(answer.headers['www-authenticate'] ?? '')?.[1] ?? '';
    expect((await app.send(new URL(url).pathname)).json).toMatchObject({ resource: NOTES });
  });

  verifies(['TOK-02', 'TOK-03'], 'never takes a token from anywhere else', async () => {
    const token = await good();
    expect(rejection(await app.send(`/notes?access_token=${token}`))).toEqual(NO_TOKEN);
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect(rejection(await app.send('/notes', { ...form, body: `access_token=${token}` }))).toEqual(NO_TOKEN);
    for (const name of ['cookie', 'x-forwarded-authorization', 'proxy-authorization', 'x-api-key']) {
      const value = name === 'cookie' ? `access_token=${token}` : `Bearer ${token}`;
      expect(rejection(await app.send('/notes', { headers: { [name]: value } }))).toEqual(NO_TOKEN);
    }
  });

  verifies('TOK-07', 'answers several credentials with 400', async () => {
    const token = await good();
    const headers = { authorization: `Bearer ${token}` };
    expect(rejection(await app.send(`/notes?access_token=${token}`, { headers }))).toEqual(
      SEVERAL_CREDENTIALS,
    );
    const comma = { authorization: `Bearer ${token}, Bearer ${token}` };
    expect(rejection(await app.send('/notes', { headers: comma }))).toEqual(SEVERAL_CREDENTIALS);
    for (const [first, second] of [
      [token, 'evil'],
      ['evil', token],
      [token, token],
    ]) {
      const lines = `Authorization: Bearer ${first ?? ''}\r\nauthorization: Bearer ${second ?? ''}`;
      const raw = await sendRaw(
        app.origin,
        `GET /notes HTTP/1.1\r\nHost: x\r\n${lines}\r\nConnection: close\r\n\r\n`,
      );
      expect(raw).toMatch(/^HTTP\/1\.1 400 /);
      expect(raw).toContain(SEVERAL_CREDENTIALS.challenge);
    }
  });

  verifies(
    ['CHL-13', 'CHL-15', 'CHL-16', 'CHL-17'],
    'answers every bad token with the same bytes',
    async () => {
      const stranger = await makeKey('RS256', as.key.kid);
      const valid = await good();
      const bad = [
        'abc',
        `${valid.slice(0, -10)}AAAAAAAAAA`,
        await good({ aud: 'https://api.example.com/notes2' }),
        await good({ exp: 1 }),
        await good({ iss: 'https://evil.example' }),
        await good({ cnf: { jkt: 'x' } }),
        await as.token({ aud: NOTES, scope: 'notes:read' }, { key: stranger }),
      ];
      for (const token of bad) {
        const answer = await get(token);
        expect(rejection(answer)).toEqual(INVALID_TOKEN);
        expect(answer.headers['cache-control']).toBe('no-store');
        expect(answer.headers['content-type']).toMatch(/^application\/json/);
      }
    },
  );

  verifies(
    ['CHL-04', 'CHL-14'],
    'answers a good token without its scopes with 403 and all that is needed',
    async () => {
      NotesController.ran = 0;
      expect(rejection(await get(await good({ scope: 'other' })))).toEqual(insufficient('notes:read'));
      const both = insufficient('notes:read notes:export notes:all');
      expect(rejection(await get(await good(), '/notes/export'))).toEqual(both);
      expect(rejection(await get(await good({ scope: 'notes:read notes:all' }), '/notes/export'))).toEqual(
        both,
      );
      expect(NotesController.ran).toBe(0);
      const all = await good({ scope: 'notes:read notes:export notes:all' });
      expect(await get(all, '/notes/export')).toMatchObject({ status: 200, text: 'exported' });
    },
  );

  it('guards what has scopes, without a guard of its own', async () => {
    expect((await app.send('/scoped')).status).toBe(401);
    expect(rejection(await get(await good(), '/scoped'))).toEqual(insufficient('notes:read notes:admin'));
    expect((await get(await good({ scope: 'notes:read notes:admin' }), '/scoped')).status).toBe(200);
  });

  it('serves a handler that skips it, without a caller', async () => {
    expect(await app.send('/open')).toMatchObject({ status: 200, text: 'nobody' });
    expect(await get(await good(), '/open')).toMatchObject({ status: 200, text: 'nobody' });
    expect(await get('abc', '/open')).toMatchObject({ status: 200, text: 'nobody' });
  });

  verifies('OPS-04', 'checks times by the injected clock', async () => {
    const token = await good();
    try {
      ahead = 303_000;
      expect((await get(token)).status).toBe(200);
      ahead = 306_000;
      expect(rejection(await get(token))).toEqual(INVALID_TOKEN);
    } finally {
      ahead = 0;
    }
  });

  it('answers any bytes with a status of its own, never 500, and goes on serving', async () => {
    const hostile = [
      `Bearer ${' '.repeat(7000)}x`,
      `Bearer ${'='.repeat(8000)}`,
      `Bearer ${'a.'.repeat(4000)}`,
      'Bearer eyJhbGciOiJub25lIn0.e30.',
      'Bearer ..',
      'Bearer \u00e9\u00e8',
      'Bearer "x"',
      `Bearer ${Buffer.from('{"alg":"RS256","kid":"__proto__"}').toString('base64url')}.e30.AAAA`,
      `Bearer ${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('['.repeat(4000)).toString('base64url')}.AA`,
    ];
    for (const authorization of hostile) {
      const raw = await sendRaw(
        app.origin,
        `GET /notes HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`,
      );
      expect(raw).toMatch(/^HTTP\/1\.1 401 /);
    }
    for (const body of [
      '[[[[',
      '{"method":"tools/call"}',
      '{"method":"tools/call","params":null}',
      '[null,1,[]]',
      '"x"',
    ]) {
      const headers = { authorization: `Bearer ${await good()}`, 'content-type': 'application/json' };
      expect((await app.send('/notes', { method: 'POST', headers, body })).status).toBeLessThan(500);
    }
    expect((await get(await good())).status).toBe(200);
  });
});

describe('req.auth that something else has written', () => {
  it('authenticates nobody, and is not what handlers get', async () => {
    const as = await server();
    const forged = { subject: 'forged', scopes: ['notes:read', 'notes:admin'] };
    const app = await start(
      { resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] } },
      {
        controllers: [NotesController, OpenController],
        prepare: (nest) => {
          nest.use((request: { auth?: object }, _: unknown, next: () => void) => {
            request.auth = forged;
            next();
          });
        },
      },
    );
    NotesController.ran = 0;
    expect(rejection(await app.send('/notes'))).toEqual(NO_TOKEN);
    expect(NotesController.ran).toBe(0);
    expect(await app.send('/open')).toMatchObject({ status: 200, text: 'nobody' });
    const authorization = `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}`;
    const answer = await app.send('/notes', { headers: { authorization } });
    expect(answer.json).toMatchObject({ subject: 'u1', scopes: ['notes:read'], same: true });
  });
});

describe('a guarded route, when things go wrong', () => {
  verifies('CHL-21', 'answers 503 while the keys cannot be fetched, and 200 once they can', async () => {
    const as = await server();
    let ahead = 0;
    const app = await start(
      {
        resources: { resource: NOTES, authorizationServers: [as.issuer] },
        now: () => new Date(Date.now() + ahead),
      },
      { controllers: [NotesController] },
    );
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES })}` };
    const broken: [string, Parameters<LoopbackAuthorizationServer['at']>[1]][] = [
      ['500', (_, response) => response.writeHead(500).end()],
      ['a redirect', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
      ['no JSON', (_, response) => response.end('<html>')],
      ['no keys', { keys: 'none' }],
    ];
    for (const [, reply] of broken) {
      as.at('/jwks', reply);
      const answer = await app.send('/notes', { headers });
      expect(rejection(answer)).toEqual(UNAVAILABLE);
      expect(answer.headers['retry-after']).toBe('5');
      ahead += 61_000; // past the pause after a failure
    }
    as.at('/jwks', { keys: [as.key.publicJwk] });
    expect((await app.send('/notes', { headers })).status).toBe(200);
  });

  verifies('F102', 'says no more than whose fault it is, and when to come back', async () => {
    const exactly = (answer: HttpAnswer): object => {
      const names = ['www-authenticate', 'retry-after', 'cache-control', 'content-type'];
      const headers = names.map((name) => answer.headers[name]);
      return { status: answer.status, headers, json: answer.json };
    };
    const as = await server();
    const outcome = async (verifier: VerifyToken): Promise<object> => {
      const resources = { resource: NOTES, authorizationServers: [as.issuer], verifier };
      const app = await start({ resources }, { controllers: [NotesController] });
      return exactly(await app.send('/notes', { headers: { authorization: 'Bearer opaque' } }));
    };
    const json = 'application/json; charset=utf-8';
    const fail = (error: Error) => () => Promise.reject(error);
    expect(await outcome(fail(new AuthorizationServerUnavailableError(as.issuer, 'verification')))).toEqual({
      status: 503,
      headers: [undefined, '5', 'no-store', json],
      json: {
        error: 'temporarily_unavailable',
        error_description: 'The access token cannot be checked at the moment; try again later',
      },
    });
    expect(await outcome(fail(new Error('hush')))).toEqual({
      status: 500,
      headers: [undefined, undefined, 'no-store', json],
      json: { error: 'server_error', error_description: 'The request could not be checked' },
    });
    expect(await outcome(() => ({ sub: 'u1', aud: NOTES }))).toMatchObject({ status: 200 });
  });

  verifies(
    'CHL-18',
    'keeps challenge and status under an exception filter that rewrites bodies',
    async () => {
      @Catch()
      class RewritingFilter implements ExceptionFilter {
        catch(exception: unknown, host: ArgumentsHost): void {
          const response = host
            .switchToHttp()
            .getResponse<{ status(code: number): { send(body: string): void } }>();
          const status = exception instanceof HttpException ? exception.getStatus() : 500;
          response.status(status).send('rewritten');
        }
      }
      const as = await server();
      const app = await start(
        {
          resources: {
            resource: NOTES,
            authorizationServers: [as.issuer],
            requiredScopes: ['notes:read'],
          },
        },
        { controllers: [NotesController], providers: [{ provide: APP_FILTER, useClass: RewritingFilter }] },
      );
      const answer = await app.send('/notes');
      expect({ ...rejection(answer), text: answer.text }).toEqual({
        ...NO_TOKEN,
        json: undefined,
        text: 'rewritten',
      });
    },
  );

  verifies('CHL-09', 'says the same whatever a verifier throws', async () => {
    const evil = 'bad "x" \\ \r\nX-Evil: 1 \u00e9 scope=admin';

    @Injectable()
    class EvilVerifier extends TokenVerifier {
      verify(token: string): TokenClaims | null {
        if (token === 'null') return null;
        throw token === 'rejected' ? new TokenRejectedError('signature', { cause: evil }) : new Error(evil);
      }
    }
    const as = await server();
    const app = await start(
      {
        resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
      },
      {
        controllers: [NotesController],
        override: (builder) => builder.overrideProvider(TokenVerifier).useClass(EvilVerifier),
      },
    );
    const get = (token: string) => app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
    expect(rejection(await get('rejected'))).toEqual(INVALID_TOKEN);
    expect(rejection(await get('null'))).toEqual(INVALID_TOKEN);
    const fault = await get('broken');
    expect(rejection(fault)).toEqual({
      status: 500,
      challenge: undefined,
      json: { error: 'server_error', error_description: 'The request could not be checked' },
    });
    expect(JSON.stringify([fault.headers, fault.text])).not.toContain('Evil');
  });

  it('lets a class extend the guard, with a constructor of its own', async () => {
    @Injectable()
    class Tenants {
      readonly scope = 'tenant:a';
    }

    @Injectable()
    class TenantGuard extends BearerAuthGuard {
      constructor(private readonly tenants: Tenants) {
        super();
      }

      protected override getRequiredScopes(): readonly string[] {
        return [this.tenants.scope];
      }
    }

    @Controller('notes')
    @UseGuards(TenantGuard)
    class Notes {
      @Get()
      get(): string {
        return 'notes';
      }
    }
    const as = await server();
    const app = await start(
      { resources: { resource: NOTES, authorizationServers: [as.issuer] } },
      { controllers: [Notes], providers: [Tenants] },
    );
    const get = async (scope: string) =>
      app.send('/notes', {
        headers: { authorization: `Bearer ${await as.token({ aud: NOTES, scope })}` },
      });
    expect(rejection(await get('tenant:b'))).toEqual(insufficient('tenant:a'));
    expect((await get('tenant:a')).status).toBe(200);
  });

  verifies(['PRM-62', 'AUD-07'], 'tells two resources of one app apart', async () => {
    const { ProtectedResource } = await import('nestjs-mcp-auth');

    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    @ProtectedResource('notes')
    class Notes {
      @Get()
      get(): string {
        return 'notes';
      }
    }

    @Controller('admin')
    @UseGuards(BearerAuthGuard)
    @ProtectedResource(ADMIN)
    class Admin {
      @Get()
      get(): string {
        return 'admin';
      }
    }
    const as = await server();
    const app = await start(
      {
        resources: [
          { name: 'notes', resource: NOTES, authorizationServers: [as.issuer] },
          { resource: ADMIN, authorizationServers: [as.issuer] },
        ],
      },
      { controllers: [Notes, Admin] },
    );
    const withToken = async (path: string, aud: string) =>
      app.send(path, { headers: { authorization: `Bearer ${await as.token({ aud })}` } });
    const adminMetadata = `${ORIGIN}${PRM}/admin`;
    expect((await app.send('/admin')).headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${adminMetadata}"`,
    );
    expect((await app.send('/notes')).headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${NOTES_METADATA}"`,
    );
    expect((await withToken('/notes', NOTES)).status).toBe(200);
    expect((await withToken('/admin', NOTES)).status).toBe(401);
    expect((await withToken('/admin', ADMIN)).status).toBe(200);
    expect((await withToken('/notes', ADMIN)).status).toBe(401);
  });
});
