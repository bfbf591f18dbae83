import { Controller, Injectable, Module, UseGuards } from '@nestjs/common';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import {
  AuthInfo,
  BearerAuthGuard,
  McpAuthModule,
  type TenantOptions,
  TenantResolver,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { ACME_ISSUER, BETA_ISSUER, RESOURCE } from './environment.js';

const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'tenants', version: '1.0.0', transports: [transport] });

//#region endpoint
@Controller('t/:tenant/mcp')
@UseGuards(BearerAuthGuard)
class TenantEndpoint extends McpHttpControllerFor(transport) {}

@McpController()
class TenantTools {
  @Tool({ name: 'whoami', description: 'Tell who you are, and of which tenant', parameters: z.object({}) })
  whoami(@AuthInfo() { tenant, issuer, subject }: AuthInfo) {
    return { content: [{ type: 'text' as const, text: JSON.stringify({ tenant, issuer, subject }) }] };
  }
}
//#endregion endpoint

//#region resolver
/** Finds tenants where you keep them, such as in a database. */
@Injectable()
export class Tenants extends TenantResolver {
  private readonly issuers = new Map([
    ['acme', ACME_ISSUER],
    ['beta', BETA_ISSUER],
  ]);

  resolve(tenant: string): TenantOptions | undefined {
    const issuer = this.issuers.get(tenant);
    return issuer === undefined ? undefined : { authorizationServers: [issuer] };
  }
}
//#endregion resolver

//#region module
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { resource: RESOURCE, tenants: Tenants, requiredScopes: ['identity:read'] },
    }),
  ],
  controllers: [TenantEndpoint, TenantTools],
  providers: [Tenants],
})
export class TenantsModule {}
//#endregion module
