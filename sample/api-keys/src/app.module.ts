import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { ApiKeyVerifier } from './api-key.verifier.js';
import { ApiKeys } from './api-keys.js';
import { KEYS_ISSUER } from './app.constants.js';
import { ISSUER, RESOURCE } from './environment.js';
import { KeysController } from './keys.controller.js';
import { NotesEndpoint } from './notes.endpoint.js';
import { NotesTools } from './notes.tools.js';

//#region module
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [ISSUER],
        requiredScopes: ['notes:read'],
        apiKeys: { header: 'x-api-key', verifier: ApiKeyVerifier, issuer: KEYS_ISSUER },
      },
    }),
  ],
  controllers: [KeysController, NotesEndpoint, NotesTools],
  providers: [ApiKeys, ApiKeyVerifier],
})
export class AppModule {}
//#endregion module
