import { Controller, Module, UseGuards } from '@nestjs/common';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { AuthInfo, BearerAuthGuard, McpAuthModule, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { ISSUER, RESOURCE } from './environment.js';
import type { Version } from './version.js';

const transport = new StreamableHttpTransport();
const mcp = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [transport] });

//#region wiring
const auth = McpAuthModule.forRoot({
  resources: { resource: RESOURCE, authorizationServers: [ISSUER], requiredScopes: ['notes:read'] },
});

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesEndpoint extends McpHttpControllerFor(transport) {}
//#endregion wiring

//#region tools
@McpController()
class NotesTools {
  @Tool({ name: 'whoami', description: 'Tell who you are', parameters: z.object({}) })
  whoami(@AuthInfo('subject') subject: string | undefined) {
    return text(subject ?? 'nobody');
  }

  @Tool({ name: 'purge_notes', description: 'Delete all your notes', parameters: z.object({}) })
  @RequireScopes('notes:write')
  purge() {
    return text('deleted');
  }
}
//#endregion tools

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}

@Module({ imports: [auth], controllers: [NotesEndpoint, NotesTools] })
class NotesModule {}

export const version: Version = { module: NotesModule, mcp };
