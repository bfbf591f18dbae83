import 'reflect-metadata';
import { Controller, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { McpController, Tool } from '@rekog/mcp-nest';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { AuthInfo, BearerAuthGuard, McpAuthModule, RequireScopes } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { z } from 'zod';

const resource = 'http://127.0.0.1:3000/notes'; // the URL that people type into their MCP client
const transport = new StreamableHttpTransport();
const mcp = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [transport] });
export const as = TestAuthorizationServer.start(); // for the first run; then the issuer of your own server

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesEndpoint extends McpHttpControllerFor(transport) {}

@McpController()
class NotesTools {
  @Tool({ name: 'purge', description: 'Delete all your notes', parameters: z.object({}) })
  @RequireScopes('notes:write')
  purge(@AuthInfo('subject') subject: string) {
    return { content: [{ type: 'text', text: `deleted the notes of ${subject}` }] };
  }
}

const auth = McpAuthModule.forRootAsync({
  useFactory: async () => ({
    resources: { resource, authorizationServers: [(await as).issuer], requiredScopes: ['notes:read'] },
  }),
});

@Module({ imports: [auth], controllers: [NotesEndpoint, NotesTools] })
class AppModule {}

async function main() {
  const app = await NestFactory.create(AppModule);
  app.connectMicroservice({ strategy: mcp });
  await app.startAllMicroservices();
  await app.listen(process.env.PORT ?? 3000, '127.0.0.1');
  const token = async (...scopes: string[]) => (await as).issueToken({ audience: resource, scopes });
  console.log(`READ=${await token('notes:read')}\nWRITE=${await token('notes:read', 'notes:write')}`);
  return app;
}

export const app = main();
