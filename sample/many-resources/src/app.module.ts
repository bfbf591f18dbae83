import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { CUSTOMERS, NOTES, REPORTS, STAFF } from './environment.js';
import { NotesEndpoint } from './notes.endpoint.js';
import { NotesStore } from './notes.store.js';
import { NotesTools } from './notes.tools.js';
import { ReportsController } from './reports.controller.js';

@Module({
  imports: [
    //#region resources
    McpAuthModule.forRoot({
      resources: [
        {
          name: 'notes',
          resource: NOTES,
          authorizationServers: [CUSTOMERS, STAFF],
          requiredScopes: ['notes:read'],
          rejectMultipleAudiences: true,
        },
        {
          name: 'reports',
          resource: REPORTS,
          authorizationServers: [STAFF],
          requiredScopes: ['reports:read'],
          rejectMultipleAudiences: true,
        },
      ],
    }),
    //#endregion resources
  ],
  controllers: [NotesEndpoint, NotesTools, ReportsController],
  providers: [NotesStore],
})
export class AppModule {}
