import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { ISSUER, RESOURCE, SCOPES } from './environment.js';
import { FoldersEndpoint } from './folders.endpoint.js';
import { FoldersStore } from './folders.store.js';
import { FoldersAdminTools, FoldersTools } from './folders.tools.js';

@Module({
  imports: [
    //#region hierarchy
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [ISSUER],
        requiredScopes: ['notes:read'],
        // All of them: the decorators do not say that a function may ask for "hr:write".
        scopesSupported: SCOPES,
      },
      scopeHierarchy: { 'notes:admin': ['notes:write'], 'notes:write': ['notes:read'] },
    }),
    //#endregion hierarchy
  ],
  controllers: [FoldersEndpoint, FoldersTools, FoldersAdminTools],
  providers: [FoldersStore],
})
export class AppModule {}
