import 'reflect-metadata';
import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthInfo, BearerAuthGuard, McpAuthModule } from 'nestjs-mcp-auth';
import { CLIENT, ISSUER, ORDERS } from './environment.js';

//#region back-end
/** Says for whom it lists orders, and who asks in that person's name. Only the MCP server may ask. */
@Controller('orders')
@UseGuards(BearerAuthGuard)
class OrdersController {
  @Get()
  list(@AuthInfo() { audience, subject, actor, scopes }: AuthInfo) {
    return { audience, subject, actor: actor?.subject, scopes, orders: ['3 lemons'] };
  }
}

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: {
        resource: ORDERS,
        authorizationServers: [ISSUER],
        requiredScopes: ['orders:read'],
        allowedClients: { clientIds: [CLIENT.clientId] },
      },
    }),
  ],
  controllers: [OrdersController],
})
class OrdersModule {}
//#endregion back-end

const app = await NestFactory.create(OrdersModule, { logger: ['warn', 'error'] });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
await app.listen(Number(new URL(ORDERS).port), '127.0.0.1');
console.log(`Orders back end        ${ORDERS}`);
