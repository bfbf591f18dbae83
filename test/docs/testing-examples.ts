import { Controller, Delete, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import {
  AuthInfo,
  BearerAuthGuard,
  McpAuthModule,
  type McpAuthModuleOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { StaticTokenVerifier } from 'nestjs-mcp-auth/testing';

@Injectable()
export class Settings {
  readonly resource: string = 'https://api.example.com/notes';
  readonly issuer: string = 'https://auth.example.com';
  readonly discovery: 'bootstrap' | 'lazy' = 'bootstrap';
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Controller('notes')
@UseGuards(BearerAuthGuard)
export class NotesController {
  @Get()
  list(@AuthInfo('subject') subject: string) {
    return `notes of ${subject}`;
  }

  @Delete()
  @RequireScopes('notes:write')
  purge() {
    return 'deleted';
  }
}

//#region app
@Module({
  imports: [
    McpAuthModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: ({ resource, issuer, discovery }: Settings) => ({
        resources: { resource, authorizationServers: [issuer], requiredScopes: ['notes:read'] },
        discovery,
      }),
    }),
  ],
  controllers: [NotesController],
})
export class AppModule {}
//#endregion app

//#region fixed
export const mcpAuth = McpAuthModule.forRoot({
  resources: {
    resource: 'https://api.example.com/notes',
    authorizationServers: ['https://auth.example.com'],
  },
});

@Module({ imports: [mcpAuth], controllers: [NotesController] })
export class FixedModule {}
//#endregion fixed

const RESOURCE = 'http://127.0.0.1:3000/notes';

//#region development
export function developmentOptions(): McpAuthModuleOptions {
  return {
    resources: { resource: RESOURCE, authorizationServers: ['http://127.0.0.1:4000'] },
    discovery: 'lazy', // that server need not run
    verifier: new StaticTokenVerifier({ 'dev-token': { sub: 'me', aud: RESOURCE, scope: 'notes:read' } }),
  };
}
//#endregion development
