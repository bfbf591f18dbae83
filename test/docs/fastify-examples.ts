import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import {
  All,
  Controller,
  type INestApplication,
  Injectable,
  Module,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  type AuthInfo,
  BearerAuthGuard,
  McpAuthModule,
  type McpDeclaration,
  McpHandlerSource,
} from 'nestjs-mcp-auth';
import type { IncomingMessage, ServerResponse } from 'node:http';

const RESOURCE = process.env['MCP_RESOURCE'] ?? '';
const ISSUER = process.env['MCP_ISSUER'] ?? '';

//#region controller
/** What is used here of the requests and replies of Fastify. */
interface Requested {
  raw: IncomingMessage;
  body: unknown;
}
interface Reply {
  raw: ServerResponse;
  hijack(): void;
}

function createServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Who am I' }, ({ http }) => {
    const caller = http?.authInfo as AuthInfo | undefined;
    return { content: [{ type: 'text', text: caller?.subject ?? caller?.clientId ?? '' }] };
  });
  return server;
}

@Controller('notes')
@UseGuards(BearerAuthGuard)
export class NotesController {
  private readonly handler = toNodeHandler(createMcpHandler(createServer));

  @All()
  async handle(@Req() request: Requested, @Res() reply: Reply): Promise<void> {
    reply.hijack(); // Fastify leaves the response to the SDK
    await this.handler(request.raw as NodeIncomingMessageLike, reply.raw, request.body);
  }
}
//#endregion controller

@Injectable()
export class NotesHandlers extends McpHandlerSource {
  declarations(): readonly McpDeclaration[] {
    return [{ kind: 'tool', name: 'whoami', requirements: ['notes:read'] }];
  }
}

@Module({
  imports: [McpAuthModule.forRoot({ resources: { resource: RESOURCE, authorizationServers: [ISSUER] } })],
  controllers: [NotesController],
  providers: [NotesHandlers],
})
export class AppModule {}

//#region main
export function createApp(): Promise<INestApplication> {
  return NestFactory.create(AppModule, new FastifyAdapter());
}
//#endregion main
