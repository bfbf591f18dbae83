import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { ISSUER, RESOURCE, SCOPES } from './environment.js';
import { TodosEndpoint } from './todos.endpoint.js';
import { TodosStore } from './todos.store.js';
import { TodosTools } from './todos.tools.js';

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [ISSUER],
        requiredScopes: ['create:todos'],
        // All of them: two are not named by decorators, but by a function and in a handler.
        scopesSupported: SCOPES,
      },
    }),
  ],
  controllers: [TodosEndpoint, TodosTools],
  providers: [TodosStore],
})
export class AppModule {}
