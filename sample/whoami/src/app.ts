import { Controller, Injectable, Module, UseGuards } from '@nestjs/common';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { AuthContext, BearerAuthGuard, McpAuthModule } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { ISSUER, RESOURCE } from './environment.js';

//#region app
const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'whoami', version: '1.0.0', transports: [transport] });

@Controller('whoami')
@UseGuards(BearerAuthGuard)
class WhoamiEndpoint extends McpHttpControllerFor(transport) {}

/** Any service may ask who calls; no code has to pass the caller on. */
@Injectable()
class Identity {
  constructor(private readonly context: AuthContext) {}

  describe(): Record<string, unknown> {
    const { issuer, subject, clientId, scopes, expiresAt, claims } = this.context.current() ?? {};
    return { issuer, subject, clientId, scopes, expiresAt, name: claims?.['name'] };
  }
}

@McpController()
class WhoamiTools {
  constructor(private readonly identity: Identity) {}

  @Tool({ name: 'whoami', description: 'Tell who you are', parameters: z.object({}) })
  whoami() {
    return { content: [{ type: 'text' as const, text: JSON.stringify(this.identity.describe()) }] };
  }
}

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { resource: RESOURCE, authorizationServers: [ISSUER], requiredScopes: ['identity:read'] },
    }),
  ],
  controllers: [WhoamiEndpoint, WhoamiTools],
  providers: [Identity],
})
export class WhoamiModule {}
//#endregion app
