import { Controller, Get, UseGuards } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect } from 'vitest';
import {
  BearerAuthGuard,
  LIFECYCLE_METHODS,
  type McpAuthModuleOptions,
  type ProtectedResourceOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { anchors } from '../../docs/links.js';
import { RecordingLogger, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const OAUTH = '/.well-known/oauth-authorization-server';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string {
    return 'notes';
  }

  @Get('write')
  @RequireScopes('notes:write', 'notes:admin')
  write(): string {
    return 'written';
  }
}

describe('an authorization server with dynamic client registration', () => {
  let as: LoopbackAuthorizationServer;

  beforeEach(async () => {
    as = closeAfterTest(await LoopbackAuthorizationServer.start('', { serve: false }));
  });

  /** The warnings and the advice of a start, with a document that differs from a perfect one by these members. */
  async function warned(
    document: Record<string, unknown>,
    resource: Partial<ProtectedResourceOptions> = { requiredScopes: ['notes:read'] },
    more: Partial<McpAuthModuleOptions> = {},
    mcpCompliance: 'warn' | 'off' = 'warn',
  ): Promise<readonly string[]> {
    as.at(OAUTH, as.metadata(document));
    const log = new RecordingLogger();
    const authorizationServers = [{ issuer: as.issuer, mcpCompliance }];
    await start(
      { resources: { resource: NOTES, authorizationServers, ...resource }, ...more },
      { controllers: [NotesController], log },
    );
    return [...log.warnings, ...log.notes.filter((note) => !note.startsWith('Protecting '))];
  }

  const DCR_ONLY = { client_id_metadata_document_supported: undefined };
  const told = (scopes: string): string =>
    `${as.issuer}: has a "registration_endpoint" and no "client_id_metadata_document_supported"; if it limits clients to the ` +
    `scopes that they register with, no later step-up gets ${scopes}; see docs/guides/scopes.md#step-up-and-dynamic-client-registration`;

  verifies(
    'CLI-37',
    'causes a warning if later calls need more scopes than the first challenge names',
    async () => {
      expect(await warned(DCR_ONLY)).toEqual([told('notes:write notes:admin')]);
      const none = { requiredScopes: ['notes:read', 'notes:write'] };
      expect(await warned({ client_id_metadata_document_supported: false }, none)).toEqual([
        told('notes:admin'),
      ]);
      const opened = { requiredScopes: [], anonymousMethods: LIFECYCLE_METHODS };
      expect(await warned(DCR_ONLY, opened)).toEqual([told('notes:write notes:admin')]);
      const asked = { requiredScopes: ['notes:read'], challengeScopes: ['notes:read', 'notes:admin'] };
      expect(await warned(DCR_ONLY, asked)).toEqual([told('notes:write')]);
      const all = { requiredScopes: ['notes:read'], challengeScopes: 'all' as const };
      expect(await warned(DCR_ONLY, all)).toEqual([]);
    },
  );

  verifies(
    'CLI-37',
    'causes no warning if the first challenge is enough, or if the warning is off',
    async () => {
      expect(await warned({})).toEqual([]);
      const all = { requiredScopes: ['notes:read', 'notes:write', 'notes:admin'] };
      expect(await warned(DCR_ONLY, all)).toEqual([]);
      // Clients then ask for all scopes of the metadata at once.
      expect(await warned(DCR_ONLY, { requiredScopes: [] })).toEqual([]);
      expect(await warned(DCR_ONLY, undefined, { discovery: 'lazy' })).toEqual([]);
      expect(await warned(DCR_ONLY, undefined, {}, 'off')).toEqual([]);
      const byHand = { ...DCR_ONLY, registration_endpoint: undefined };
      expect(await warned(byHand)).toEqual([expect.stringContaining('[registration_missing]')]);
    },
  );

  verifies(
    'CLI-38',
    'causes a warning that names an existing section, as does a server that lacks something',
    async () => {
      const nothing = {
        authorization_endpoint: undefined,
        token_endpoint: undefined,
        grant_types_supported: ['client_credentials'],
        response_types_supported: ['token'],
        registration_endpoint: undefined,
        client_id_metadata_document_supported: undefined,
      };
      const lines = [
        ...(await warned({ ...nothing, code_challenge_methods_supported: undefined })),
        ...(await warned({ code_challenge_methods_supported: ['plain'] })),
        ...(await warned(DCR_ONLY)),
      ];
      const pages = lines.map((line) => /see (docs\/[\w/-]+\.md)#([\w-]+)$/.exec(line)?.slice(1));
      expect(pages.map((page) => page?.[1])).toEqual([
        'authorization_endpoint_missing',
        'token_endpoint_missing',
        'code_response_type_missing',
        'authorization_code_grant_missing',
        'pkce_missing',
        'registration_missing',
        'pkce_s256_missing',
        'step-up-and-dynamic-client-registration',
      ]);
      const all: readonly (readonly (string | undefined)[] | undefined)[] = [
        ...pages,
        ['docs/guides/existing-application.md', 'code-for-passport'],
      ];
      for (const [page = '', anchor = ''] of all.map((each) => each ?? []))
        expect([...anchors(readFileSync(page, 'utf8'))]).toContain(anchor);
    },
  );
});
