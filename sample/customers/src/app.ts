import { readFile } from 'node:fs/promises';
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
  AuthorizationServerResolver,
  BearerAuthGuard,
  McpAuthModule,
  type ResolvedIssuer,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { CUSTOMERS_FILE, ISSUER, RESOURCE } from './environment.js';

const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'customers', version: '1.0.0', transports: [transport] });

@Controller('whoami')
@UseGuards(BearerAuthGuard)
class WhoamiEndpoint extends McpHttpControllerFor(transport) {}

@McpController()
class WhoamiTools {
  @Tool({ name: 'whoami', description: 'Tell who you are, and where from', parameters: z.object({}) })
  whoami(@AuthInfo() { issuer, subject }: AuthInfo) {
    return { content: [{ type: 'text' as const, text: JSON.stringify({ issuer, subject }) }] };
  }
}

//#region resolver
/** Trusts the issuers of customers, who may be added while the application runs. */
@Injectable()
export class Customers extends AuthorizationServerResolver {
  /** The issuer comes from a token that is not verified: it is only compared. */
  async resolve(issuer: string): Promise<ResolvedIssuer> {
    const issuers = (await readFile(CUSTOMERS_FILE, 'utf8')).split('\n');
    return issuers.includes(issuer) ? { issuer } : undefined;
  }
}

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [ISSUER],
        authorizationServerResolver: Customers,
        requiredScopes: ['identity:read'],
      },
    }),
  ],
  controllers: [WhoamiEndpoint, WhoamiTools],
  providers: [Customers],
})
export class CustomersModule {}
//#endregion resolver
