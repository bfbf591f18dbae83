import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { AccessKeyVerifier } from './access-key.verifier.js';
import { AccessKeys } from './access-keys.js';
import { EXPORT, ISSUER, NOTES } from './environment.js';
import { ExportController } from './export.controller.js';
import { NotesEndpoint } from './notes.endpoint.js';
import { NotesTools } from './notes.tools.js';
import { PARTNER_VERIFIER, PartnerModule, type PartnerVerifier } from './partner.module.js';

//#region module
@Module({
  imports: [
    McpAuthModule.forRootAsync({
      imports: [PartnerModule],
      inject: [PARTNER_VERIFIER],
      useFactory: (partner: PartnerVerifier) => ({
        resources: [
          { name: 'notes', resource: NOTES, authorizationServers: [ISSUER], requiredScopes: ['notes:read'] },
          // An object, from a factory: for this resource alone.
          {
            name: 'export',
            resource: EXPORT,
            authorizationServers: [ISSUER],
            requiredScopes: ['export:read'],
            verifier: partner,
          },
        ],
        // A class among the providers: for all resources that do not say otherwise.
        verifier: AccessKeyVerifier,
      }),
    }),
  ],
  controllers: [NotesEndpoint, NotesTools, ExportController],
  providers: [AccessKeys, AccessKeyVerifier],
})
export class AppModule {}
//#endregion module
