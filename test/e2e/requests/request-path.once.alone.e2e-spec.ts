import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  Headers,
  Injectable,
  Post,
  UseGuards,
} from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, vi } from 'vitest';
import { BearerAuthGuard, McpHandlerSource, RequireScopes, type ScopesOfCall } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { AccessTokenAuthenticator } from '../../../lib/request/access-token.authenticator.js';
import { ScopePolicy } from '../../../lib/policy/scope-policy.js';
import { RequestOriginPolicy } from '../../../lib/policy/request-origin-policy.js';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { sendRaw } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { insufficientScope, noTokenFor } = notesRejections('notes:read');

/** What a function in `@RequireScopes()` was asked. */
const asked = vi.fn<ScopesOfCall>(() => ['notes:write']);

@McpController()
@UseGuards(BearerAuthGuard)
class Tools {
  @Tool({ name: 'write', description: 'Write', parameters: z.object({ text: z.string().default('') }) })
  @RequireScopes('notes:tools', asked)
  write(@Payload() { text }: { text: string }) {
    return { content: [{ type: 'text' as const, text: `wrote ${text}` }] };
  }

  @Tool({ name: 'read', description: 'Read', parameters: z.object({}) })
  read() {
    return { content: [{ type: 'text' as const, text: 'read' }] };
  }
}

/** A tool whose scopes are declared, so that nothing decides on it after the endpoint's guard. */
@McpController()
class DeclaredTools {
  @Tool({ name: 'purge', description: 'Purge', parameters: z.object({}) })
  purge() {
    return { content: [{ type: 'text' as const, text: 'purged' }] };
  }
}

@Injectable()
class Declarations extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'tool', name: 'purge', requirements: ['notes:write'] },
      { kind: 'tool', name: 'alias', requirements: [] },
      { kind: 'tool', name: 'read', requirements: [] },
    ] as const;
  }
}

/** Calls a tool by another name, as middleware of an application may. */
const renaming: CanActivate = {
  canActivate(context: ExecutionContext) {
    const { body } = context.switchToHttp().getRequest<{ body?: { params?: { name?: string } } }>();
    if (body?.params?.name === 'alias') body.params.name = 'purge';
    return true;
  },
};

afterEach(() => {
  vi.restoreAllMocks();
  asked.mockClear();
});

describe.each(PLATFORMS)('the path of a tool call on %s', (platform) => {
  async function start(
    as: LoopbackAuthorizationServer,
    earlyAuthentication: boolean,
    guards: readonly CanActivate[] = [],
    allowAnonymous = false,
  ): Promise<RunningApp> {
    const transport = new StreamableHttpTransport();
    const strategy = new McpStrategy({ name: 'n', version: '1', transports: [transport], logging: false });
    @Controller('notes')
    @UseGuards(...guards, BearerAuthGuard)
    class Endpoint extends McpHttpControllerFor(transport) {}
    const resources = {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      allowAnonymous,
    };
    return closeAfterTest(
      await startApp(
        { resources, earlyAuthentication },
        {
          controllers: [Endpoint, Tools, DeclaredTools],
          providers: [Declarations],
          prepare: async (nest) => {
            nest.connectMicroservice({ strategy });
            await nest.startAllMicroservices();
          },
          platform,
        },
      ),
    );
  }

  describe.each([false, true])('with earlyAuthentication %s', (earlyAuthentication) => {
    verifies('RTR-01', 'authenticates once and authorizes once', async () => {
      const as = await LoopbackAuthorizationServer.start();
      const app = await start(as, earlyAuthentication);
      const token = await as.token({ aud: NOTES, scope: 'notes:read notes:tools notes:write' });
      const call = (bearer: string) =>
        app.send('/notes', {
          method: 'POST',
          headers: { ...MCP_HEADERS, authorization: `Bearer ${bearer}` },
          body: toolCall('write', 1, { text: 'a' }),
        });
      const origin = vi.spyOn(RequestOriginPolicy.prototype, 'check');
      const authentication = vi.spyOn(AccessTokenAuthenticator.prototype, 'authenticate');
      const decision = vi.spyOn(ScopePolicy.prototype, 'isSatisfied');
      const answer = await call(token);
      expect([answer.status, answer.text.includes('wrote a')]).toEqual([200, true]);
      expect(origin).toHaveBeenCalledTimes(1);
      expect(authentication).toHaveBeenCalledTimes(1);
      expect(asked).toHaveBeenCalledTimes(1);
      const decided = decision.mock.calls.map(([, , operation]) => operation);
      expect(decided.filter((operation) => operation.length > 0)).toEqual([['notes:tools', 'notes:write']]);
      // Its neighbour, one scope away, is decided by the same path.
      const lacking = await as.token({ aud: NOTES, scope: 'notes:read notes:tools' });
      expect(rejectedAs(await call(lacking))).toEqual(
        insufficientScope('notes:read notes:tools notes:write'),
      );
      await as.close();
    });

    verifies(
      'F95',
      'lets an anonymous caller into a guarded tool without scopes, and into no other',
      async () => {
        const as = await LoopbackAuthorizationServer.start();
        const app = await start(as, earlyAuthentication, [], true);
        const call = (name: string) =>
          app.send('/notes', { method: 'POST', headers: MCP_HEADERS, body: toolCall(name) });
        expect((await call('read')).text).toContain('"text":"read"');
        expect(rejectedAs(await call('write'))).toEqual(noTokenFor('notes:read notes:tools'));
        await as.close();
      },
    );

    verifies('RTR-02', 'authorizes again if a middleware changes the body in place', async () => {
      const as = await LoopbackAuthorizationServer.start();
      const app = await start(as, earlyAuthentication, [renaming]);
      const call = async (scope: string) =>
        app.send('/notes', {
          method: 'POST',
          headers: { ...MCP_HEADERS, authorization: `Bearer ${await as.token({ aud: NOTES, scope })}` },
          body: toolCall('alias'),
        });
      expect((await call('notes:read notes:write')).text).toContain('purged');
      expect(rejectedAs(await call('notes:read'))).toEqual(insufficientScope('notes:read notes:write'));
      await as.close();
    });
  });

  verifies('RTR-03', 'binds a session id that other code sets after early authentication', async () => {
    const as = await LoopbackAuthorizationServer.start();
    const id = randomUUID();
    const moving: CanActivate = {
      canActivate(context: ExecutionContext) {
        const { query, headers } = context
          .switchToHttp()
          .getRequest<{ query: { session?: string }; headers: Record<string, string> }>();
        if (query.session !== undefined) headers['mcp-session-id'] = query.session;
        return true;
      },
    };
    @Controller('notes')
    @UseGuards(moving, BearerAuthGuard)
    class Sessions {
      @Post()
      @Header('mcp-session-id', id)
      open() {
        return {};
      }

      @Get()
      seen(@Headers('mcp-session-id') seen: string) {
        return { seen };
      }
    }
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const parts = { controllers: [Sessions] };
    const options = { resources, earlyAuthentication: true };
    const app = closeAfterTest(await startApp(options, { ...parts, platform }));
    const bearing = async (sub: string) => ({
      authorization: `Bearer ${await as.token({ aud: NOTES, sub })}`,
    });
    await app.send('/notes', { method: 'POST', headers: await bearing('u1'), body: INITIALIZE });
    const seenBy = async (sub: string) =>
      (await app.send(`/notes?session=${id}`, { headers: await bearing(sub) })).json as { seen: string };
    expect(await seenBy('u1')).toEqual({ seen: id });
    expect(await seenBy('u2')).toEqual({ seen: expect.not.stringContaining(id) as string });
    await as.close();
  });
});

describe('a route among the middleware of Express', () => {
  verifies('RTR-04', 'is not reached by an unreadable body without the scopes of the resource', async () => {
    const as = await LoopbackAuthorizationServer.start();
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const app = closeAfterTest(
      await startApp(
        { resources, earlyAuthentication: true, undeclaredTools: 'deny' },
        {
          prepare: (nest) => {
            // As an application that goes on whatever its parsers say.
            nest.use((_: Error, __: object, ___: object, next: () => void) => {
              next();
            });
            nest.use('/notes/mounted', (_: object, response: ServerResponse) => response.end('reached'));
          },
          platform: 'express',
        },
      ),
    );
    const post = async (scope: string) =>
      sendRaw(
        app.origin,
        `POST /notes/mounted HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4\r\nConnection: close\r\n` +
          `Authorization: Bearer ${await as.token({ aud: NOTES, scope })}\r\n\r\n{bad`,
      );
    expect(JSON.stringify(await post('notes:read'))).toContain('reached');
    const rejected = JSON.stringify(await post('notes:other'));
    expect(rejected).toContain('403');
    expect(rejected).not.toContain('reached');
    await as.close();
  });
});
