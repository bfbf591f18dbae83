import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { CLIENT, ISSUER, RESOURCE } from './environment.js';
import { NotesEndpoint } from './notes.endpoint.js';
import { NotesTools } from './notes.tools.js';

@Module({
  imports: [
    //#region introspection
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [{ issuer: ISSUER, mode: 'introspection', introspection: CLIENT }],
        requiredScopes: ['notes:read'],
      },
    }),
    //#endregion introspection
  ],
  controllers: [NotesEndpoint, NotesTools],
})
export class AppModule {}
