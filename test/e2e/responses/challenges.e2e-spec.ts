import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  ClassSerializerInterceptor,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  Injectable,
  type NestInterceptor,
  Post,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Exclude } from 'class-transformer';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  AuthorizationServerUnavailableError,
  BearerAuthGuard,
  BearerException,
  InsufficientScopeError,
  type McpAuthModuleOptions,
  RequireScopes,
  type TokenClaims,
  TokenRejectedError,
} from 'nestjs-mcp-auth';
import { type RunningApp, start } from '../../fixtures/app.js';
import { type HttpAnswer, type HttpRequestOptions, sendRaw } from '../../fixtures/http.js';
import {
  FAULT,
  notesRejections,
  type Rejected,
  rejectedAs,
  UNAVAILABLE,
} from '../../fixtures/notes-rejections.js';
import { ISSUER, NOTES, NOTES_METADATA, offlineResource, PRM } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const { noToken, invalidToken, severalCredentials, insufficientScope } = notesRejections('notes:read');

const ran = { count: 0 };

class Note {
  readonly text = 'notes';
  @Exclude() readonly secret = 'secret';
}

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): Note {
    ran.count += 1;
    return new Note();
  }

  @Post()
  call(): string {
    ran.count += 1;
    return 'called';
  }

  @Get('export')
  @RequireScopes('notes:export')
  export(): string {
    ran.count += 1;
    return 'exported';
  }
}

/** A verifier that does what the token says: a token for every decision, without any key. */
function obey(token: string): TokenClaims | null {
  if (token === 'good') return { sub: 'u1', aud: NOTES, iss: ISSUER, scope: 'notes:read', exp: 4e9 };
  if (token === 'down') throw new AuthorizationServerUnavailableError(ISSUER);
  if (token === 'bug') throw new Error('bug');
  return null;
}

const OBEYING: McpAuthModuleOptions = {
  resources: offlineResource(NOTES, { requiredScopes: ['notes:read'], verifier: obey }),
};

const bearer = (token: string): HttpRequestOptions => ({ headers: { authorization: `Bearer ${token}` } });

/** A request for each row of the status table, and what it is answered with. */
const TABLE: readonly (readonly [
  name: string,
  path: string,
  request: HttpRequestOptions,
  answer: Rejected,
])[] = [
  ['no token', '/notes', {}, noToken],
  ['another scheme', '/notes', { headers: { authorization: 'Basic YTpi' } }, noToken],
  ['a bad token', '/notes', bearer('bad'), invalidToken],
  ['two credentials', '/notes?access_token=x', bearer('good'), severalCredentials],
  ['too few scopes', '/notes/export', bearer('good'), insufficientScope('notes:read notes:export')],
  ['an outage', '/notes', bearer('down'), UNAVAILABLE],
  ['a bug', '/notes', bearer('bug'), FAULT],
];

describe('the status table over HTTP', () => {
  verifies(
    ['F98', 'F99', 'F100', 'F101', 'F102'],
    'answers each kind of request with its status, challenge and body',
    async () => {
      const app = await start(OBEYING, { controllers: [NotesController] });
      ran.count = 0;
      for (const [name, path, request, expected] of TABLE) {
        const answer = await app.send(path, request);
        expect([name, rejectedAs(answer)]).toEqual([name, expected]);
        expect(answer.headers['cache-control']).toBe('no-store');
        expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
        expect(answer.headers['retry-after']).toBe(expected.status === 503 ? '5' : undefined);
      }
      expect(ran.count).toBe(0);
      expect((await app.send('/notes', bearer('good'))).status).toBe(200);
    },
  );

  verifies('F97', 'holds for one token in one header, with its scheme in any case', async () => {
    const app = await start(OBEYING, { controllers: [NotesController] });
    const rows: [authorization: string, expected: Rejected | 200][] = [
      ...['Bearer good', 'bearer good', 'BEARER good', 'Bearer    good', 'Bearer good  '].map(
        (authorization): [string, 200] => [authorization, 200],
      ),
      ...['', 'Bearer', 'Bearer ', 'Bearergood', 'good', 'Basic good', 'DPoP good', 'Bearer\tgood'].map(
        (authorization): [string, Rejected] => [authorization, noToken],
      ),
      ...[
        'Bearer go od',
        'Bearer "good"',
        'Bearer good,',
        'Bearer gööd',
        'Bearer =good',
        'Bearer good\tx',
      ].map((authorization): [string, Rejected] => [authorization, invalidToken]),
      ...['Bearer good, Bearer good', 'Bearer good,Basic YTpi x'].map((authorization): [string, Rejected] => [
        authorization,
        severalCredentials,
      ]),
    ];
    for (const [authorization, expected] of rows) {
      const head = `GET /notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${authorization}\r\n\r\n`;
      const raw = await sendRaw(app.origin, head);
      const status = Number(raw.split(' ')[1]);
      const challenge = /^www-authenticate: (.*)\r$/im.exec(raw)?.[1];
      const wanted = expected === 200 ? [200, undefined] : [expected.status, expected.challenge];
      expect([authorization, status, challenge]).toEqual([authorization, ...wanted]);
    }
  });

  verifies('CHL-23', 'has error_uri in a challenge with an error, and in its body', async () => {
    const errorUri = 'https://docs.example/e';
    const app = await start({ ...OBEYING, errorUri }, { controllers: [NotesController] });
    for (const [name, path, request, { status, challenge, json }] of TABLE) {
      const documented = challenge?.includes(' error=');
      expect([name, rejectedAs(await app.send(path, request))]).toEqual([
        name,
        {
          status,
          challenge: documented ? `${challenge ?? ''}, error_uri="${errorUri}"` : challenge,
          json: documented ? { ...(json as object), error_uri: errorUri } : json,
        },
      ]);
    }
  });
});

/** What the responses of Express and Fastify have in common. */
interface PlatformReply {
  header(name: string, value: string): this;
  status(code: number): this;
  send(body: object): unknown;
}

describe('a challenge and the rest of the application', () => {
  /** Rewrites every body, and writes what headers it likes, as filters of applications do. */
  @Catch()
  class EnvelopeFilter implements ExceptionFilter {
    static readonly seen: unknown[] = [];

    catch(exception: unknown, host: ArgumentsHost): void {
      EnvelopeFilter.seen.push(exception);
      const status = exception instanceof HttpException ? exception.getStatus() : 500;
      const response = host.switchToHttp().getResponse<PlatformReply>();
      response
        .header('X-Filter', 'on')
        .header('Cache-Control', 'no-cache')
        .status(status)
        .send({ ok: false });
    }
  }

  /** Adds to the very object that the exception holds. */
  @Catch(HttpException)
  class AddingFilter implements ExceptionFilter {
    catch(exception: HttpException, host: ArgumentsHost): void {
      const { url } = host.switchToHttp().getRequest<{ url: string }>();
      const body = Object.assign(exception.getResponse() as object, { path: url });
      host.switchToHttp().getResponse<PlatformReply>().status(exception.getStatus()).send(body);
    }
  }

  @Injectable()
  class WrappingInterceptor implements NestInterceptor {
    intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
      return next.handle().pipe(map((data: unknown) => ({ ok: true, data })));
    }
  }

  const interceptors = [
    { provide: APP_INTERCEPTOR, useClass: WrappingInterceptor },
    { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor },
  ];

  const withoutBody = ({ status, challenge }: Rejected): object => ({ status, challenge });

  async function keepsChallenges(
    app: RunningApp,
    expectBody: (answer: HttpAnswer, rejection: Rejected) => void,
  ) {
    for (const [name, path, request, expected] of TABLE) {
      const answer = await app.send(path, request);
      expect([name, withoutBody(rejectedAs(answer))]).toEqual([name, withoutBody(expected)]);
      expectBody(answer, expected);
    }
  }

  verifies(
    ['CHL-18', 'F106'],
    'keeps status and challenge under a filter that rewrites bodies, and lets it know why',
    async () => {
      for (const form of ['provided', 'global']) {
        EnvelopeFilter.seen.length = 0;
        const app = await start(OBEYING, {
          controllers: [NotesController],
          providers: form === 'provided' ? [{ provide: APP_FILTER, useClass: EnvelopeFilter }] : [],
          prepare: (nest) => {
            if (form === 'global') nest.useGlobalFilters(new EnvelopeFilter());
          },
        });
        await keepsChallenges(app, ({ json, headers }) => {
          expect([json, headers['x-filter']]).toEqual([{ ok: false }, 'on']);
        });
        const seen = EnvelopeFilter.seen as BearerException[];
        expect(seen.every((exception) => exception instanceof BearerException)).toBe(true);
        expect(seen.map(({ error }) => error)).toEqual(
          TABLE.map(([, , , { json }]) => (json as { error: string }).error),
        );
        expect(seen[2]?.cause).toMatchObject({ code: 'ERR_MCP_AUTH_TOKEN_REJECTED', reason: 'inactive' });
        expect(seen[0]?.headers['WWW-Authenticate']).toBe(noToken.challenge);
      }
    },
  );

  verifies('CHL-18', 'gives no request what a filter has added to the body of another', async () => {
    const app = await start(OBEYING, {
      controllers: [NotesController],
      prepare: (nest) => {
        nest.useGlobalFilters(new AddingFilter());
      },
    });
    for (const path of ['/notes', '/notes?b', '/notes']) {
      const { json } = await app.send(path);
      expect(json).toEqual({ ...(noToken.json as object), path });
    }
  });

  verifies('CHL-18', 'keeps rejections whole under interceptors that wrap and serialize', async () => {
    const app = await start(OBEYING, { controllers: [NotesController], providers: interceptors });
    await keepsChallenges(app, ({ json }, expected) => {
      expect(json).toEqual(expected.json);
    });
    const { json } = await app.send('/notes', bearer('good'));
    expect(json).toEqual({ ok: true, data: { text: 'notes' } });
  });

  verifies('CHL-18', 'keeps rejections whole under a global guard with filter and interceptors', async () => {
    const app = await start(OBEYING, {
      controllers: [NotesController],
      providers: [
        ...interceptors,
        { provide: APP_GUARD, useClass: BearerAuthGuard },
        { provide: APP_FILTER, useClass: EnvelopeFilter },
      ],
    });
    await keepsChallenges(app, ({ json }) => {
      expect(json).toEqual({ ok: false });
    });
  });
});

describe('a change of the authorization server', () => {
  verifies('CHL-22', 'sends holders of old tokens to the document that lists the new one', async () => {
    const [before, after] = [await server(), await server('/tenant2')];
    const trusting = (issuer: string): McpAuthModuleOptions => ({
      resources: { resource: NOTES, authorizationServers: [issuer], requiredScopes: ['notes:read'] },
    });
    const claims = { aud: NOTES, scope: 'notes:read' };
    const old = await before.token(claims);

    const first = await start(trusting(before.issuer), { controllers: [NotesController] });
    expect((await first.send('/notes', bearer(old))).status).toBe(200);
    expect((await first.send(`${PRM}/notes`)).json).toMatchObject({ authorization_servers: [before.issuer] });
    await first.close();

    const second = await start(trusting(after.issuer), { controllers: [NotesController] });
    const rejected = await second.send('/notes', bearer(old));
    expect(rejectedAs(rejected)).toEqual(invalidToken);
    const url = /resource_metadata="([^"]+)"/.exec(rejected.headers['www-authenticate'] ?? '')?.[1];
    expect(url).toBe(NOTES_METADATA);
    const document = await second.send(new URL(url ?? '').pathname);
    expect(document.json).toMatchObject({ resource: NOTES, authorization_servers: [after.issuer] });
    expect((await second.send('/notes', bearer(await after.token(claims)))).status).toBe(200);
  });
});

describe('text that imitates a challenge', () => {
  const EVIL = [
    'x", resource_metadata="https://evil.example/',
    'scope=admin',
    'resource_metadata=https://evil.example/',
    'error="none"',
    '\\", scope="admin',
    'x\r\nX-Evil: 1',
    'x\u2028é\u0000',
  ];
  /** What goes through an HTTP header. */
  const forHeader = (text: string): string => text.replace(/[^\x20-\x7e]/g, '');

  verifies(['H11', 'CHL-12'], 'of a request does not get into header or body', async () => {
    const app = await start(OBEYING, { controllers: [NotesController] });
    for (const evil of EVIL) {
      const value = forHeader(evil);
      const headers = {
        ...{ host: value, 'mcp-protocol-version': value, 'mcp-name': value, 'mcp-method': value },
        ...{ 'x-forwarded-host': value, forwarded: `host="${value}"`, 'user-agent': value },
      };
      const body = { jsonrpc: '2.0', id: evil, method: 'tools/call', params: { name: evil } };
      const path = `/notes?${encodeURIComponent(evil)}`;
      const rows: [HttpRequestOptions['headers'], Rejected][] = [
        [headers, noToken],
        [{ ...headers, authorization: value }, noToken],
        [{ ...headers, authorization: `Bearer ${value}` }, invalidToken],
        [{ ...headers, authorization: 'Bearer down' }, UNAVAILABLE],
      ];
      for (const [given, expected] of rows) {
        const answer = await app.send(path, { method: 'POST', headers: { ...given }, body });
        expect(rejectedAs(answer)).toEqual(expected);
        expect(answer.headers).not.toHaveProperty('x-evil');
      }
    }
  });

  verifies(['H11', 'CHL-09'], 'of a verifier does not get into header or body', async () => {
    const thrown: { failure: unknown; claims?: TokenClaims } = { failure: undefined };
    const verify = (): TokenClaims => {
      if (thrown.claims) return thrown.claims;
      throw thrown.failure;
    };
    const app = await start(
      { resources: offlineResource(NOTES, { requiredScopes: ['notes:read'], verifier: verify }) },
      { controllers: [NotesController] },
    );
    for (const evil of EVIL) {
      const claims = { sub: evil, aud: NOTES, iss: ISSUER, scope: evil, client_id: evil, exp: 4e9 };
      const cause = new Error(evil);
      const rows: [typeof thrown, Rejected][] = [
        [{ failure: new Error(evil) }, FAULT],
        [{ failure: new TokenRejectedError(evil as 'type', { cause }) }, invalidToken],
        [{ failure: new AuthorizationServerUnavailableError(evil, 'keys', { cause }) }, UNAVAILABLE],
        [{ failure: undefined, claims }, insufficientScope('notes:read')],
      ];
      for (const [what, expected] of rows) {
        Object.assign(thrown, { claims: undefined }, what);
        expect(rejectedAs(await app.send('/notes', bearer('x')))).toEqual(expected);
      }
      Object.assign(thrown, { claims: undefined, failure: new InsufficientScopeError(['notes:read', evil]) });
      const answer = await app.send('/notes', bearer('x'));
      expect(answer.headers['www-authenticate'] ?? '').not.toMatch(/evil|admin|none/i);
      expect(answer.text).not.toMatch(/evil|admin|none/i);
    }
  });

  it('in a decorator throws', () => {
    for (const evil of EVIL) expect(() => RequireScopes(evil)).toThrow();
    expect(() => RequireScopes('resource-metadata:read')).not.toThrow();
  });
});
