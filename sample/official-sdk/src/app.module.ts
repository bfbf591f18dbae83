import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { ISSUER, RESOURCE, RESOURCE_V1 } from './environment.js';
import { NotesController } from './notes.controller.js';
import { NotesHandlers } from './notes.handlers.js';
import { NotesStore } from './notes.store.js';
import { NotesV1Controller } from './notes-v1.controller.js';

const common = { authorizationServers: [ISSUER], requiredScopes: ['notes:read'] };

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: [
        { name: 'notes', resource: RESOURCE, ...common },
        { name: 'notes-v1', resource: RESOURCE_V1, ...common },
      ],
    }),
  ],
  controllers: [NotesController, NotesV1Controller],
  providers: [NotesHandlers, NotesStore],
})
export class AppModule {}
