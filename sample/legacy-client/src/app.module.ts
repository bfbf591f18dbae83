import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { ISSUER, RESOURCE } from '../../quickstart/src/environment.js';
import { NotesEndpoint } from '../../quickstart/src/notes.endpoint.js';
import { NotesStore } from '../../quickstart/src/notes.store.js';
import { NotesTools } from '../../quickstart/src/notes.tools.js';

//#region module
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { resource: RESOURCE, authorizationServers: [ISSUER], requiredScopes: ['notes:read'] },
      legacyAuthorizationServerMetadata: true,
    }),
  ],
  controllers: [NotesEndpoint, NotesTools],
  providers: [NotesStore],
})
export class AppModule {}
//#endregion module
