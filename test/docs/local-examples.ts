import { type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { McpController, McpStrategy, StdioTransport, Tool } from '@rekog/mcp-nest';
import { AuthInfo, McpAuthModule, RequireScopes } from 'nestjs-mcp-auth';

const RESOURCE = process.env['MCP_RESOURCE'] ?? '';
const ISSUER = process.env['MCP_ISSUER'] ?? '';

@McpController()
class NotesTools {
  @Tool({ name: 'write_note', description: 'Write a note' })
  @RequireScopes('notes:write')
  write(@AuthInfo('subject') subject: string) {
    return { content: [{ type: 'text' as const, text: `written by ${subject}` }] };
  }
}

//#region stdio
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { resource: RESOURCE, authorizationServers: [ISSUER] },
      stdio: {
        subject: process.env['NOTES_USER'] ?? 'local',
        scopes: (process.env['NOTES_SCOPES'] ?? 'notes:read').split(' '),
      },
    }),
  ],
  controllers: [NotesTools],
})
export class StdioModule {}

export function createServer(): Promise<INestMicroservice> {
  const strategy = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [new StdioTransport()] });
  // stdout is for messages only: Nest writes everything else but these to it
  return NestFactory.createMicroservice(StdioModule, { strategy, logger: ['error', 'fatal'] });
}
//#endregion stdio
