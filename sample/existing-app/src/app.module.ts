import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { ApiKeyGuard, NoApiKey } from './api-key.guard.js';
import { ISSUER, RESOURCE } from './environment.js';
import { McpEndpoint } from './mcp.endpoint.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';
import { OrdersTools } from './orders.tools.js';

//#region module
@Module({
  imports: [
    // New. The documents that clients read first need no API key either.
    McpAuthModule.forRoot({
      resources: { resource: RESOURCE, authorizationServers: [ISSUER], requiredScopes: ['orders:read'] },
      decorators: [NoApiKey()],
    }),
  ],
  controllers: [OrdersController, McpEndpoint, OrdersTools],
  providers: [OrdersService, { provide: APP_GUARD, useClass: ApiKeyGuard }],
})
export class AppModule {}
//#endregion module
