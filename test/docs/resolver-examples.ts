import { Injectable, Module } from '@nestjs/common';
import { AuthorizationServerResolver, McpAuthModule, type ResolvedIssuer } from 'nestjs-mcp-auth';

export const ISSUER = process.env['MCP_ISSUER'] ?? '';
export const RESOURCE = process.env['MCP_RESOURCE'] ?? '';

/** The customers of an application, as its database has them. */
@Injectable()
export class CustomerStore {
  private readonly issuers = new Set<string>();

  add(issuer: string): void {
    this.issuers.add(issuer);
  }

  has(issuer: string): Promise<boolean> {
    return Promise.resolve(this.issuers.has(issuer));
  }
}

//#region resolver
@Injectable()
export class CustomerIssuers extends AuthorizationServerResolver {
  constructor(private readonly customers: CustomerStore) {
    super();
  }

  async resolve(issuer: string): Promise<ResolvedIssuer> {
    const isKnown = await this.customers.has(issuer); // compares exactly
    return isKnown ? { issuer, requiredClaims: ['sub'] } : undefined;
  }
}

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [ISSUER], // listed in the metadata
        authorizationServerResolver: CustomerIssuers, // further issuers, never listed
      },
    }),
  ],
  providers: [CustomerStore, CustomerIssuers],
})
export class CustomersModule {}
//#endregion resolver
