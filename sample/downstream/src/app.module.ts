import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { CLIENT, ISSUER, RESOURCE } from './environment.js';
import { OrdersClient } from './orders.client.js';
import { ShopEndpoint } from './shop.endpoint.js';
import { ShopTools } from './shop.tools.js';

@Module({
  imports: [
    //#region options
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [{ issuer: ISSUER, tokenExchange: CLIENT }],
        requiredScopes: ['shop:use'],
      },
    }),
    //#endregion options
  ],
  controllers: [ShopEndpoint, ShopTools],
  providers: [OrdersClient],
})
export class AppModule {}
