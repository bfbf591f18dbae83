import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { All, Controller, Injectable, Req, Res, UseGuards } from '@nestjs/common';
import type { Request, Response } from 'express';
import { BearerAuthGuard, type McpDeclaration, McpHandlerSource } from 'nestjs-mcp-auth';

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}

//#region server
function createServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('list_notes', { description: 'List notes' }, () => text('one note'));
  server.registerTool('purge_notes', { description: 'Delete notes' }, () => text('deleted'));
  server.registerPrompt('summarize', { description: 'Summarize my notes' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Summarize my notes' } }],
  }));
  server.registerResource('statistics', 'notes://statistics', {}, ({ href }) => ({
    contents: [{ uri: href, text: '1 note' }],
  }));
  server.registerResource(
    'note',
    new ResourceTemplate('note://{id}/text', { list: undefined }),
    {},
    ({ href }) => ({
      contents: [{ uri: href, text: 'a note' }],
    }),
  );
  return server;
}

@Controller('notes')
@UseGuards(BearerAuthGuard)
export class NotesController {
  private readonly handler = toNodeHandler(createMcpHandler(createServer));

  @All()
  handle(@Req() request: Request, @Res() response: Response): Promise<void> {
    return this.handler(request as NodeIncomingMessageLike, response, request.body);
  }
}
//#endregion server

//#region source
@Injectable()
export class NotesHandlers extends McpHandlerSource {
  declarations(): readonly McpDeclaration[] {
    return [
      { kind: 'tool', name: 'list_notes', requirements: [] }, // a valid token is enough
      { kind: 'tool', name: 'purge_notes', requirements: ['notes:write'] },
      { kind: 'prompt', name: 'summarize', requirements: ['notes:read'] },
      { kind: 'resource', name: 'notes://statistics', requirements: ['notes:statistics'] },
      { kind: 'resource', name: 'note://{id}/text', requirements: ['notes:read'] }, // a template
    ];
  }
}
//#endregion source
