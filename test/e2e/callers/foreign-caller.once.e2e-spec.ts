import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  Req,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { beforeEach, describe, expect } from 'vitest';
import { AllowAnonymous, AuthContext, AuthInfo, BearerAuthGuard, RequireScopes } from 'nestjs-mcp-auth';
import { PLATFORMS, RecordingLogger, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, invalidToken, insufficientScope } = notesRejections('notes:read');

const FORGED = { subject: 'forged', scopes: ['notes:read', 'notes:write'] };

/** What requests hold when they are rejected, on the platform's request and on Node's. */
const left: unknown[] = [];

interface Requested {
  auth?: unknown;
  readonly raw?: { auth?: unknown };
}

@Catch(HttpException)
class LeftoverFilter implements ExceptionFilter {
  catch(exception: HttpException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Requested>();
    left.push(request.auth, (request.raw ?? request).auth);
    const response = http.getResponse<{ status(code: number): { send(body: unknown): void } }>();
    response.status(exception.getStatus()).send(exception.getResponse());
  }
}

/** Sets `req.auth` between two of our guards, as a login of another kind might. */
class ForgingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    context.switchToHttp().getRequest<Requested>().auth = FORGED;
    return true;
  }
}

@Controller('notes')
@UseFilters(LeftoverFilter)
class NotesController {
  constructor(private readonly context: AuthContext) {}

  private callers(auth: AuthInfo | undefined, request: Requested): object {
    const { auth: ofNode } = request.raw ?? request;
    const all = [auth, request.auth, ofNode, this.context.current()] as (AuthInfo | undefined)[];
    return all.map((caller) => caller?.subject ?? 'nobody');
  }

  @Get()
  @UseGuards(BearerAuthGuard)
  get(@AuthInfo() auth: AuthInfo, @Req() request: Requested): object {
    return this.callers(auth, request);
  }

  @Get('anyone')
  @AllowAnonymous()
  @UseGuards(BearerAuthGuard)
  anyone(@AuthInfo() auth: AuthInfo | undefined, @Req() request: Requested): object {
    return this.callers(auth, request);
  }

  @Get('between')
  @UseGuards(BearerAuthGuard, ForgingGuard, BearerAuthGuard)
  between(@AuthInfo() auth: AuthInfo, @Req() request: Requested): object {
    return this.callers(auth, request);
  }

  @Get('write')
  @RequireScopes('notes:write')
  write(): string {
    return 'written';
  }
}

/** What is used of Fastify. */
interface FastifyLike {
  addHook(name: 'onRequest', hook: (request: { raw: object }, reply: object, done: () => void) => void): void;
}

describe.each(PLATFORMS)('a req.auth that something else sets, on %s', (platform) => {
  beforeEach(() => {
    left.length = 0;
  });

  async function startForged(
    forges: boolean,
  ): Promise<{ app: RunningApp; log: RecordingLogger; as: LoopbackAuthorizationServer }> {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const log = new RecordingLogger();
    const app = await startApp(
      { resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] } },
      {
        controllers: [NotesController],
        log,
        prepare: (nest) => {
          if (!forges) return;
          if (platform === 'express') {
            nest.use((request: Requested, _: unknown, next: () => void) => {
              request.auth = FORGED;
              next();
            });
            return;
          }
          const fastify = nest.getHttpAdapter().getInstance() as FastifyLike;
          fastify.addHook('onRequest', (request, _, done) => {
            Object.assign(request, { auth: FORGED });
            Object.assign(request.raw, { auth: FORGED });
            done();
          });
        },
        platform,
      },
    );
    return { app: closeAfterTest(app), log, as };
  }

  const told = (log: RecordingLogger): string[] => log.warnings.filter((line) => line.includes('req.auth'));
  const WARNING = 'Another middleware also sets "req.auth" and is overwritten. Remove one of the two.';

  verifies('F90', 'is overwritten, and named in one warning', async () => {
    const { app, log, as } = await startForged(true);
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}` };
    for (let i = 0; i < 30; i++) {
      expect((await app.send('/notes', { headers })).json).toEqual(['u1', 'u1', 'u1', 'u1']);
    }
    expect((await app.send('/notes/anyone')).json).toEqual(Array(4).fill('nobody'));
    expect(told(log)).toEqual([WARNING]);
  });

  verifies('F90', 'authenticates nobody, and is removed from a rejected request', async () => {
    const { app, as } = await startForged(true);
    const good = await as.token({ aud: NOTES, scope: 'notes:read' });
    for (const [path, token, rejection] of [
      ['/notes', undefined, noToken],
      ['/notes', 'abc', invalidToken],
      ['/notes', await as.token({ aud: NOTES, scope: 'x' }), insufficientScope('notes:read')],
      ['/notes/write', good, insufficientScope('notes:read notes:write')],
      ['/notes/anyone', 'abc', invalidToken],
    ] as const) {
      left.length = 0;
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      expect(rejectedAs(await app.send(path, { headers }))).toEqual(rejection);
      expect(left).toEqual([undefined, undefined]);
    }
  });

  verifies('F90', 'is overwritten by the next guard, if it is set later', async () => {
    const { app, log, as } = await startForged(false);
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}` };
    expect((await app.send('/notes', { headers })).json).toEqual(['u1', 'u1', 'u1', 'u1']);
    expect(told(log)).toEqual([]);
    expect((await app.send('/notes/between', { headers })).json).toEqual(['u1', 'u1', 'u1', 'u1']);
    expect(told(log)).toEqual([WARNING]);
  });
});
