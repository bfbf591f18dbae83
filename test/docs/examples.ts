import { Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import { AuthInfo, BearerAuthGuard, McpAuthModule, ProtectedResource, RequireScopes } from 'nestjs-mcp-auth';

@Injectable()
export class Settings {
  readonly resource = process.env['MCP_RESOURCE'] ?? '';
  readonly issuer = process.env['MCP_ISSUER'] ?? '';
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

//#region async
@Module({
  imports: [
    McpAuthModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: (settings: Settings) => ({
        resources: { resource: settings.resource, authorizationServers: [settings.issuer] },
      }),
    }),
  ],
})
export class AsyncModule {}
//#endregion async

//#region rest
@Controller('reports')
@UseGuards(BearerAuthGuard)
export class ReportsController {
  @Get()
  @RequireScopes('reports:read')
  list(@AuthInfo('subject') subject: string) {
    return { reportsOf: subject };
  }
}
//#endregion rest

const [ISSUER, OTHER_ISSUER] = (process.env['MCP_ISSUERS'] ?? ',').split(',') as [string, string];

//#region several
@Controller('notes')
@UseGuards(BearerAuthGuard)
@ProtectedResource('notes')
export class NotesController {
  @Get()
  list() {
    return 'notes';
  }
}

@Controller('admin')
@UseGuards(BearerAuthGuard)
@ProtectedResource('admin')
export class AdminController {
  @Get()
  list() {
    return 'admin';
  }
}

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: [
        { name: 'notes', resource: 'https://api.example.com/notes', authorizationServers: [ISSUER] },
        { name: 'admin', resource: 'https://api.example.com/admin', authorizationServers: [OTHER_ISSUER] },
      ],
    }),
  ],
  controllers: [NotesController, AdminController],
})
export class SeveralResourcesModule {}
//#endregion several

const METADATA_URL = process.env['MCP_METADATA_URL'] ?? '';
const HAND_ISSUER = 'https://auth.example.com';
const HAND_KEYS = { keys: [] };

//#region servers
export const servers = [
  // by issuer: the three well-known locations of the MCP specification, in its order
  ISSUER,
  // at an address of its own, repaired before it is checked
  {
    metadataUrl: METADATA_URL,
    issuer: OTHER_ISSUER,
    transpileData: (data: object) => ({ ...data, response_types_supported: ['code'] }),
  },
  // by hand: nothing is fetched
  { metadata: { issuer: HAND_ISSUER }, jwks: HAND_KEYS, mcpCompliance: 'off' as const },
];
//#endregion servers
