import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { ISSUER, RESOURCE } from './environment.js';
import { NotesEndpoint } from './notes.endpoint.js';
import { NotesStore } from './notes.store.js';
import { NotesTools } from './notes.tools.js';

//#region module
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { resource: RESOURCE, authorizationServers: [ISSUER], requiredScopes: ['notes:read'] },
    }),
  ],
  controllers: [NotesEndpoint, NotesTools],
  providers: [NotesStore],
})
export class AppModule {}
//#endregion module
