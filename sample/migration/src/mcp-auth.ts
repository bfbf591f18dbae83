import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { Controller, type INestApplication, Module } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { MCPAuth } from 'mcp-auth';
import { z } from 'zod';
import { ISSUER, RESOURCE } from './environment.js';
import type { RawRequestContext, Version } from './version.js';

const transport = new StreamableHttpTransport();
const mcp = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [transport] });

//#region wiring
const mcpAuth = new MCPAuth({
  protectedResources: {
    metadata: {
      resource: RESOURCE,
      authorizationServers: [{ issuer: ISSUER, type: 'oauth' }],
      scopesSupported: ['notes:read', 'notes:write'],
    },
  },
});
const bearerAuth = mcpAuth.bearerAuth('jwt', {
  resource: RESOURCE,
  audience: RESOURCE,
  requiredScopes: ['notes:read'],
});

@Controller('notes')
class NotesEndpoint extends McpHttpControllerFor(transport) {}
//#endregion wiring

//#region tools
type Context = RawRequestContext<{ auth: AuthInfo }>;

@McpController()
class NotesTools {
  @Tool({ name: 'whoami', description: 'Tell who you are', parameters: z.object({}) })
  whoami(@Ctx() context: Context) {
    return text(context.getRawRequest()?.auth.subject ?? 'nobody');
  }

  @Tool({ name: 'purge_notes', description: 'Delete all your notes', parameters: z.object({}) })
  purge(@Ctx() context: Context) {
    const mayWrite = context.getRawRequest()?.auth.scopes.includes('notes:write');
    return mayWrite ? text('deleted') : { ...text('Missing scope notes:write'), isError: true };
  }
}
//#endregion tools

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}

@Module({ controllers: [NotesEndpoint, NotesTools] })
class NotesModule {}

//#region main
/** What main.ts does before the application listens. */
function prepare(app: INestApplication): void {
  app.use(mcpAuth.protectedResourceMetadataRouter());
  app.use('/notes', bearerAuth);
}
//#endregion main

export const version: Version = { module: NotesModule, mcp, prepare };
