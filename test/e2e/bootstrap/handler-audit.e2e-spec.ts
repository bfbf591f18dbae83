import { Controller, Injectable, Module, type Type, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  McpHttpControllerFor,
  MCP_HTTP_HANDLER,
  StreamableHttpController,
  StreamableHttpTransport,
} from '@rekog/mcp-nest';
import { describe, expect } from 'vitest';
import {
  AllowAnonymous,
  BearerAuthGuard,
  McpAuthConfigError,
  type McpAuthModuleOptions,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { start, startFailure } from '../../fixtures/app.js';
import { listing } from '../../fixtures/config-problems.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';
import { PlainTools, ScopedTools } from '../../fixtures/self-mounted.js';
import { verifies } from '../../verifies.js';

const options: McpAuthModuleOptions = { resources: offlineResource(NOTES) };

const UNGUARDED =
  'serves MCP without a guard; add @UseGuards(BearerAuthGuard), or @SkipBearerAuth() where it is for everybody or ' +
  'something else covers it, such as BearerAuthMiddleware';

/** A controller that owns the route of a transport. */
function endpoint(...decorators: ClassDecorator[]): Type {
  @Controller('notes')
  class NotesEndpoint extends McpHttpControllerFor(new StreamableHttpTransport()) {}
  for (const decorate of decorators) decorate(NotesEndpoint);
  return NotesEndpoint;
}

/** Guards of the application's own do not verify tokens. */
@Injectable()
class OtherGuard {
  canActivate(): boolean {
    return true;
  }
}

describe('an MCP endpoint of @rekog/mcp-nest that no guard covers', () => {
  verifies('SCP-20', 'fails startup, whatever scopes its handlers name', async () => {
    for (const tools of [ScopedTools, PlainTools]) {
      for (const decorators of [[], [UseGuards(OtherGuard)], [AllowAnonymous()]]) {
        const error = await startFailure(options, { controllers: [endpoint(...decorators), tools] });
        expect(error).toBeInstanceOf(McpAuthConfigError);
        expect(error.message).toBe(listing(`NotesEndpoint: ${UNGUARDED}`));
      }
    }
    const early = { ...options, earlyAuthentication: true };
    const error = await startFailure(early, { controllers: [endpoint(), PlainTools] });
    expect(error.message).toBe(listing(`NotesEndpoint: ${UNGUARDED}`));
  });

  verifies('SCP-20', 'fails startup, however the controller gets its transport', async () => {
    const transport = new StreamableHttpTransport();
    @Controller('notes')
    class Injected extends StreamableHttpController {}
    class Between extends McpHttpControllerFor(transport) {}
    @Controller('more')
    class Further extends Between {}
    const providers = [{ provide: MCP_HTTP_HANDLER, useValue: transport.httpHandlers }];
    const error = await startFailure(options, { controllers: [Injected, Further], providers });
    expect(error.message).toBe(listing(`Injected: ${UNGUARDED}`, `Further: ${UNGUARDED}`));
  });

  verifies(
    'SCP-20',
    'passes startup if a guard covers it, or if a decorator opens it to everybody',
    async () => {
      class OwnGuard extends BearerAuthGuard {}
      for (const decorator of [UseGuards(BearerAuthGuard), UseGuards(OwnGuard), SkipBearerAuth()]) {
        await start(options, { controllers: [endpoint(decorator), PlainTools], providers: [OwnGuard] });
      }
      const providers = [{ provide: APP_GUARD, useClass: BearerAuthGuard }];
      await start(options, { controllers: [endpoint(), PlainTools], providers });
      await start(options, {
        controllers: [endpoint(), PlainTools],
        prepare: (app) => {
          app.useGlobalGuards(app.get(BearerAuthGuard));
        },
      });
    },
  );

  verifies('SCP-20', 'is not found among routes that serve no MCP', async () => {
    @Controller('notes')
    class Plain {}
    @Module({ controllers: [Plain] })
    class Elsewhere {}
    await start(options, { imports: [Elsewhere] });
  });
});
