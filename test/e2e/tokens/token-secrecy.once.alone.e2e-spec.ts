import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { serialize } from 'node:v8';
import {
  type ArgumentsHost,
  Catch,
  ClassSerializerInterceptor,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  Logger,
  Post,
  Req,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { instanceToPlain } from 'class-transformer';
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import {
  AllowAnonymous,
  AuthInfo,
  AuthorizationServerUnavailableError,
  BearerAuthGuard,
  type McpAuthEvent,
  McpAuthEvents,
  type McpAuthModuleOptions,
  RequireScopes,
  ResourceTokenVerifier,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { EveryLine } from '../../fixtures/attacked-app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { makeKey } from '../../fixtures/keys.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { sendRawRequest } from '../../fixtures/raw-request.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

/** Rejections as an application sees them: whole, with their causes. */
const thrown: unknown[] = [];

@Catch(HttpException)
class KeepingFilter implements ExceptionFilter {
  catch(exception: HttpException, host: ArgumentsHost): void {
    thrown.push(exception);
    const http = host.switchToHttp();
    thrown.push({ auth: http.getRequest<{ auth?: AuthInfo }>().auth });
    const response = http.getResponse<{ status(code: number): { send(body: unknown): void } }>();
    response.status(exception.getStatus()).send(exception.getResponse());
  }
}

/** Callers as their handlers got them. */
const callers: AuthInfo[] = [];

@Controller('notes')
@UseGuards(BearerAuthGuard)
@UseFilters(KeepingFilter)
class NotesController {
  private readonly logger = new Logger('Notes');

  @Get()
  log(@AuthInfo() auth: AuthInfo): AuthInfo {
    callers.push(auth);
    this.logger.log(auth);
    this.logger.debug({ auth, list: [auth] });
    this.logger.error(inspect(auth, { depth: null }));
    return auth;
  }

  @Get('serialized')
  @UseInterceptors(ClassSerializerInterceptor)
  serialized(@AuthInfo() auth: AuthInfo): AuthInfo {
    return auth;
  }

  @Get('request')
  request(@Req() { auth }: { auth: AuthInfo }): object {
    return { ...auth, copy: Object.assign({}, auth), entries: Object.entries(auth) };
  }

  @Get('scoped')
  @RequireScopes('notes:write')
  scoped(): string {
    return 'scoped';
  }

  @Get('anyone')
  @AllowAnonymous()
  anyone(): string {
    return 'anyone';
  }

  @Get('open')
  @SkipBearerAuth()
  open(): string {
    return 'open';
  }

  @Get('fail')
  fail(@AuthInfo() auth: AuthInfo): never {
    throw new Error(`failed for ${inspect(auth, { depth: null })}`);
  }

  @Post()
  post(): string {
    return 'posted';
  }
}

describe.each(PLATFORMS)('the token of a caller, on %s', (platform) => {
  let output: string[];
  let log: EveryLine;

  beforeEach(() => {
    thrown.length = 0;
    callers.length = 0;
    output = [];
    log = new EveryLine();
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((chunk) => {
        output.push(String(chunk));
        return true;
      });
    }
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  async function startLogging(
    as: LoopbackAuthorizationServer,
    more: Partial<McpAuthModuleOptions> = {},
  ): Promise<{ app: RunningApp; events: McpAuthEvent[] }> {
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const app = closeAfterTest(
      await startApp({ resources, ...more }, { controllers: [NotesController], log, platform }),
    );
    const events: McpAuthEvent[] = [];
    app.app.get(McpAuthEvents).events$.subscribe((event) => events.push(event));
    return { app, events };
  }

  /** Whatever shows a part of a token that only its holder knows: its signature, in any length that is of use. */
  function expectHidden(tokens: string[], texts: Record<string, string>): void {
    const secrets = tokens.map((token) => token.split('.').at(-1)!.slice(0, 16));
    const shown = Object.entries(texts).filter(([, text]) => secrets.some((secret) => text.includes(secret)));
    expect(shown).toEqual([]);
  }

  verifies('TOK-12', 'is in no line of any log, in no body, header, event or error', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const { app, events } = await startLogging(as);
    const good = { aud: NOTES, scope: 'notes:read' };
    const tokens = {
      good: await as.token({ ...good, jti: 'good' }),
      expired: await as.token({ ...good, exp: 1 }),
      early: await as.token({ ...good, nbf: 9_999_999_999 }),
      other: await as.token({ ...good, aud: `${NOTES}2` }),
      unscoped: await as.token({ ...good, scope: 'x' }),
      bound: await as.token({ ...good, cnf: { jkt: 'x' } }),
      foreign: await as.token({ ...good, iss: 'https://evil.example' }),
      forged: await as.token(good, { key: await makeKey('RS256', as.key.kid) }),
      unknownKey: await as.token(good, { key: await makeKey('RS256', 'unknown') }),
      idToken: await as.token(good, { header: { typ: 'JWT' } }),
    };
    const paths = ['', '/serialized', '/request', '/scoped', '/anyone', '/open', '/fail', '?access_token='];
    const answers: string[] = [];
    for (const token of Object.values(tokens)) {
      for (const path of paths) {
        const target = `/notes${path}${path.endsWith('=') ? token : ''}`;
        for (const lines of [
          [`Authorization: Bearer ${token}`],
          [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
          [`Authorization: Bearer ${token}, Bearer ${token}`],
          [`Authorization: Bearer "${token}"`],
          [`Authorization: Bearer ${token}${'='.repeat(8192)}`],
          [`Authorization: ${token}`],
          [`Authorization: Basic ${token}`],
          [],
        ]) {
          answers.push(inspect(await sendRawRequest(app.origin, { target, lines }), { depth: null }));
        }
      }
      const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
      answers.push(inspect(await app.send('/notes', { ...form, body: `access_token=${token}` })));
    }
    expect(new Set(answers.map((text) => /status: (\d+)/.exec(text)?.[1]))).toEqual(
      new Set(['200', '400', '401', '403', '500']),
    );
    expect(log.lines.length).toBeGreaterThan(20);
    expect(callers.length).toBeGreaterThan(0);
    expect(thrown.length).toBeGreaterThan(100);
    expectHidden(Object.values(tokens), {
      log: log.lines.join('\n'),
      output: output.join('\n'),
      answers: answers.join('\n'),
      events: inspect(events, { depth: null, showHidden: true }) + JSON.stringify(events),
      errors: inspect(thrown, { depth: null, showHidden: true }) + JSON.stringify(thrown),
    });
  });

  verifies('TOK-12', 'is not shown when something fails on the way', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    as.at('/jwks', (_, response) => response.writeHead(500).end());
    const token = await as.token({ aud: NOTES, scope: 'notes:read' });
    const headers = { authorization: `Bearer ${token}` };
    const failing = [
      await startLogging(as),
      await startLogging(as, {
        verifier: (given) => {
          throw new Error(`cannot verify ${given}`, { cause: new TypeError(given) });
        },
      }),
      await startLogging(as, { verifier: (given) => Promise.reject(new Error(given)) }),
      await startLogging(as, { verifier: (given) => given as never }),
    ];
    const statuses: number[] = [];
    const answers: string[] = [];
    for (const { app } of failing) {
      const answer = await app.send('/notes', { headers });
      statuses.push(answer.status);
      answers.push(inspect(answer, { depth: null }));
    }
    expect(statuses).toEqual([503, 500, 500, 500]);
    expectHidden([token], {
      log: log.lines.join('\n'),
      output: output.join('\n'),
      answers: answers.join('\n'),
      events: inspect(
        failing.map(({ events }) => events),
        { depth: null },
      ),
    });
  });

  verifies(
    'TOK-12',
    'is not shown if it does not look like a token, whatever a verifier says of it',
    async () => {
      const as = closeAfterTest(await LoopbackAuthorizationServer.start());
      const token = 'Opaque+secret/0123456789~abcdefghijkl==';
      const message = `no answer to https://as.example/check?t=${encodeURIComponent(token)} or ${token}${token}`;
      const cause = new Error(message);
      const unavailable = new AuthorizationServerUnavailableError(as.issuer, 'verification', { cause });
      const failing = [
        new Error(message),
        Object.assign(new Error('x'), { name: token }),
        unavailable,
        token,
      ];
      for (const thrownByVerifier of failing) {
        const { app, events } = await startLogging(as, {
          // A rejection may be anything, such as a text.
          verifier: async () => {
            await nextTurn();
            throw thrownByVerifier as Error;
          },
        });
        log.lines.length = 0;
        const answer = await app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
        expect(answer.status).toBe(thrownByVerifier === unavailable ? 503 : 500);
        expect(log.lines).not.toEqual([]);
        const verifier = app.app.get(ResourceTokenVerifier);
        await expect(verifier.verifyAccessToken(token)).rejects.toBeDefined();
        for (const part of [token, encodeURIComponent(token), token.slice(0, 12), token.slice(-12)]) {
          expect(
            [log.lines, output, answer, events].map((each) => inspect(each, { depth: null })).join(),
          ).not.toContain(part);
        }
      }
    },
  );

  verifies('F95', 'does not show when the caller is printed, copied or serialised', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const { app } = await startLogging(as);
    const token = await as.token({ aud: NOTES, scope: 'notes:read' });
    const headers = { authorization: `Bearer ${token}` };
    for (const path of ['', '/serialized', '/request']) {
      const { status, json, text } = await app.send(`/notes${path}`, { headers });
      expect([status, (json as AuthInfo).subject]).toEqual([200, 'u1']);
      expectHidden([token], { text });
    }
    const [auth] = callers as [AuthInfo];
    expect(auth.token).toBe(token);
    expect(Object.isFrozen(auth)).toBe(true);
    const keys: string[] = [];
    for (const key in auth) keys.push(key);
    expect(keys).not.toContain('token');
    const error = new Error('failed', { cause: auth });
    expectHidden([token], {
      json: JSON.stringify(auth),
      nested: JSON.stringify({ list: [auth] }),
      inspected: inspect(auth, { depth: null }),
      hidden: inspect(auth, { depth: null, showHidden: true }),
      error: inspect(Object.assign(error, { auth }), { depth: null }),
      spread: inspect({ ...auth }, { showHidden: true }),
      assigned: JSON.stringify(Object.assign({}, auth)),
      entries: JSON.stringify(Object.entries(auth)),
      cloned: inspect(clone(auth), { depth: null, showHidden: true }),
      serialized: serialize(auth).toString('latin1'),
      plain: JSON.stringify(instanceToPlain(auth)),
    });
    expect((clone(auth) as Partial<AuthInfo>).token).toBeUndefined();
    expect(({ ...auth } as Partial<AuthInfo>).token).toBeUndefined();
  });
});

/** A structured clone, or the error of a Node that clones no `URL`. */
function clone(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch (error) {
    return error;
  }
}
