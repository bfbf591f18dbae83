import {
  Controller,
  Get,
  Injectable,
  Module,
  type OnModuleInit,
  ServiceUnavailableException,
} from '@nestjs/common';
import {
  AuthorizationServerUnavailableError,
  McpAuthDiagnostics,
  McpAuthEvents,
  McpAuthModule,
  type TokenClaims,
  TokenVerifier,
  type VerificationContext,
  VerifiedToken,
} from 'nestjs-mcp-auth';

const RESOURCE = process.env['MCP_RESOURCE'] ?? '';
const ISSUER = process.env['MCP_ISSUER'] ?? '';
const CLIENT_SECRET = process.env['MCP_CLIENT_SECRET'] ?? '';

//#region introspection
export const opaque = {
  issuer: ISSUER,
  introspection: { clientId: 'notes-server', clientSecret: () => CLIENT_SECRET },
};
//#endregion introspection

@Injectable()
export class Directory {
  find(token: string): { name: string } | undefined {
    return token === 'known-token' ? { name: 'somebody' } : undefined;
  }
}

//#region verifier
@Injectable()
export class DirectoryVerifier extends TokenVerifier {
  constructor(private readonly directory: Directory) {
    super();
  }

  verify(token: string): TokenClaims | null {
    const person = this.directory.find(token);
    return person ? { sub: person.name, aud: RESOURCE, scope: 'notes:read' } : null;
  }
}

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { resource: RESOURCE, authorizationServers: [ISSUER] },
      verifier: DirectoryVerifier,
    }),
  ],
  providers: [Directory, DirectoryVerifier],
})
export class OwnVerifierModule {}
//#endregion verifier

const USERINFO = process.env['MCP_USERINFO'] ?? '';

//#region userinfo
export async function askUserinfo(token: string, { signal }: VerificationContext) {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(USERINFO, { headers, redirect: 'error', signal }).catch(() => undefined);
  if (answer?.status === 401) return null;
  if (answer?.status !== 200) throw new AuthorizationServerUnavailableError(ISSUER, 'verification');
  const { sub } = (await answer.json()) as TokenClaims;
  return new VerifiedToken({ iss: ISSUER, sub }, { audienceVerified: true });
}
//#endregion userinfo

/** Stands for wherever an application keeps its audit. */
export const audit: string[] = [];

//#region operations
@Controller('health')
export class Operations implements OnModuleInit {
  constructor(
    private readonly events: McpAuthEvents,
    private readonly diagnostics: McpAuthDiagnostics,
  ) {}

  onModuleInit(): void {
    this.events.on('access_denied', ({ reason, resource }) => audit.push(`${reason} at ${resource}`));
  }

  @Get()
  health() {
    return this.diagnostics.report();
  }

  @Get('ready')
  async ready() {
    const report = await this.diagnostics.check();
    if (!report.isHealthy) throw new ServiceUnavailableException(report);
    return report;
  }
}
//#endregion operations
