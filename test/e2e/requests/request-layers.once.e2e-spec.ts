import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Header,
  Headers,
  HttpException,
  type INestApplication,
  Injectable,
  Post,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  AuthContext,
  AuthInfo,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  ProtectedResource,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { INITIALIZE } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { ADMIN, NOTES, ORIGIN, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { insufficientScope } = notesRejections('notes:read');

/** The origin of a page that only the resource NOTES allows. */
const PAGE = 'https://app.example';

/** The session that a transport opens. */
const SESSION = randomUUID();

/** Asks for scopes after the request was rejected, and answers with the message of that. */
@Injectable()
@Catch(HttpException)
class AskingFilter implements ExceptionFilter {
  constructor(private readonly context: AuthContext) {}

  catch(_: HttpException, host: ArgumentsHost): void {
    let message = '';
    try {
      this.context.requireScopes('notes:late');
    } catch (error) {
      message = (error as Error).message;
    }
    const response = host.switchToHttp().getResponse<{
      status(code: number): { json?(body: object): void; send(body: object): void };
    }>();
    response.status(418).send({ message });
  }
}

@Controller('notes')
@ProtectedResource('notes')
@UseGuards(BearerAuthGuard)
class Notes {
  @Get('open')
  open(@AuthInfo() auth: AuthInfo) {
    return { resource: auth.resource.href };
  }

  @Get('closed')
  @RequireScopes('notes:admin')
  closed() {
    return { closed: true };
  }

  @Get('filtered')
  @RequireScopes('notes:admin')
  @UseFilters(AskingFilter)
  filtered() {
    return { closed: true };
  }

  @Get('admin')
  @ProtectedResource('admin')
  admin(@AuthInfo() auth: AuthInfo) {
    return { resource: auth.resource.href };
  }

  @Post('admin/session')
  @ProtectedResource('admin')
  @Header('mcp-session-id', SESSION)
  openSession() {
    return {};
  }

  @Get('admin/session')
  @ProtectedResource('admin')
  session(@Headers('mcp-session-id') seen: string) {
    return { seen };
  }
}

/** A second guard on the same route, which needs more. */
class StricterGuard extends BearerAuthGuard {
  protected override getRequiredScopes() {
    return ['notes:strict'];
  }
}

@Controller('notes/twice')
@ProtectedResource('notes')
@UseGuards(BearerAuthGuard, StricterGuard)
class Twice {
  @Get()
  read() {
    return { read: true };
  }
}

describe.each(PLATFORMS)('several layers on one request, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  /** What stands in `req.auth` of each request once it is answered. */
  const left: unknown[] = [];

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const authorizationServers = [as.issuer];
    const options: McpAuthModuleOptions = {
      resources: [
        {
          name: 'notes',
          resource: NOTES,
          authorizationServers,
          requiredScopes: ['notes:read'],
          allowedOrigins: [PAGE],
        },
        { name: 'admin', resource: ADMIN, authorizationServers },
      ],
      earlyAuthentication: true,
    };
    const observe = (nest: INestApplication): void => {
      const server = nest.getHttpServer() as Server;
      server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
        response.on('finish', () => left.push((request as { auth?: unknown }).auth));
      });
    };
    const parts = { controllers: [Notes, Twice] };
    app = await startApp(options, { ...parts, prepare: observe, platform });
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  const get = async (path: string, scope: string, aud: string | string[] = NOTES, headers = {}) =>
    app.send(`/notes/${path}`, {
      headers: { authorization: `Bearer ${await as.token({ aud, scope })}`, ...headers },
    });

  verifies('RTR-05', 'authorizes for the route what was authorized before the body was read', async () => {
    expect(rejectedAs(await get('closed', 'notes:read'))).toEqual(
      insufficientScope('notes:read notes:admin'),
    );
    expect((await get('closed', 'notes:read notes:admin')).json).toEqual({ closed: true });
    expect(rejectedAs(await get('twice', 'notes:read'))).toEqual(
      insufficientScope('notes:read notes:strict'),
    );
    expect((await get('twice', 'notes:read notes:strict')).json).toEqual({ read: true });
  });

  verifies('RTR-06', 'authenticates again for another resource, and checks its origins', async () => {
    expect(rejectedAs(await get('admin', 'notes:read'))).toEqual({
      status: 401,
      challenge:
        `Bearer error="invalid_token", resource_metadata="${ORIGIN}${PRM}/admin", ` +
        'error_description="The access token is invalid or expired"',
      json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
    });
    const both = [NOTES, ADMIN];
    expect((await get('admin', 'notes:read', both)).json).toEqual({ resource: ADMIN });
    expect((await get('open', 'notes:read', both)).json).toEqual({ resource: NOTES });
    expect((await get('open', 'notes:read', both, { origin: PAGE })).status).toBe(200);
    expect(rejectedAs(await get('admin', 'notes:read', both, { origin: PAGE }))).toEqual({
      status: 403,
      challenge: undefined,
      json: {
        error: 'forbidden_origin',
        error_description: "The request's Origin is not allowed here",
      },
    });
  });

  verifies(['RTR-06', 'SES-02'], 'binds a session for each resource that it was opened for', async () => {
    const bearing = async (sub: string) => ({
      authorization: `Bearer ${await as.token({ aud: [NOTES, ADMIN], scope: 'notes:read', sub })}`,
    });
    const path = '/notes/admin/session';
    await app.send(path, { method: 'POST', headers: await bearing('u1'), body: INITIALIZE });
    const seenBy = async (sub: string) =>
      (await app.send(path, { headers: { ...(await bearing(sub)), 'mcp-session-id': SESSION } })).json;
    expect(await seenBy('u1')).toEqual({ seen: SESSION });
    expect(await seenBy('u2')).toEqual({ seen: expect.not.stringContaining(SESSION) as string });
  });

  verifies('RTR-07', 'leaves no caller on a request that a layer rejects', async () => {
    left.length = 0;
    expect((await get('open', 'notes:read')).status).toBe(200);
    expect((await get('open', 'notes:other')).status).toBe(403);
    expect((await get('closed', 'notes:read')).status).toBe(403);
    expect(left).toEqual([expect.objectContaining({ scopes: ['notes:read'] }), undefined, undefined]);
  });

  verifies('RTR-07', 'lets the layer that rejects a request answer it', async () => {
    const { status, json } = await get('filtered', 'notes:read');
    expect([status, json]).toEqual([418, { message: expect.stringContaining('notes:late') as string }]);
  });
});
