import { readFile } from 'node:fs/promises';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterEach, describe, expect, vi } from 'vitest';
import {
  BearerAuthGuard,
  type McpAuthModuleOptions,
  RequireScopes,
  type TokenClaims,
  TokenRejectedError,
} from 'nestjs-mcp-auth';
import { ERROR_PAGE } from '../../../lib/mcp-auth.constants.js';
import { start } from '../../fixtures/app.js';
import { OTHER_ENVIRONMENTS } from '../../fixtures/environments.js';
import type { HttpRequestOptions } from '../../fixtures/http.js';
import { notesRejections, type Rejected, rejectedAs } from '../../fixtures/notes-rejections.js';
import { ISSUER, NOTES, offlineResource } from '../../fixtures/resources.js';
import { REJECTION_REFERENCE } from '../../tools/error-reference.js';
import { verifies } from '../../verifies.js';

const { insufficientScope, invalidToken, noToken, severalCredentials } = notesRejections('notes:read');

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string {
    return 'notes';
  }

  @Get('export')
  @RequireScopes('notes:export')
  export(): string {
    return 'exported';
  }
}

/** A verifier that does what the token says. */
function obey(token: string): TokenClaims | null {
  if (token === 'forged') throw new TokenRejectedError('signature');
  if (token === 'inactive') return null;
  return {
    sub: 'u1',
    aud: token === 'other' ? `${NOTES}/x` : NOTES,
    iss: ISSUER,
    scope: 'notes:read',
    exp: 4e9,
  };
}

const OPTIONS: McpAuthModuleOptions = {
  resources: offlineResource(NOTES, { requiredScopes: ['notes:read'], verifier: obey }),
};

const bearer = (token: string): HttpRequestOptions => ({ headers: { authorization: `Bearer ${token}` } });

/** Requests, their answers in production, and the reason that development links to. */
const TABLE: readonly (readonly [string, HttpRequestOptions, Rejected, string?])[] = [
  ['/notes', {}, noToken],
  ['/notes', bearer('forged'), invalidToken, 'signature'],
  ['/notes', bearer('inactive'), invalidToken, 'inactive'],
  ['/notes', bearer('other'), invalidToken, 'audience'],
  ['/notes?access_token=x', bearer('good'), severalCredentials, 'multiple_credentials'],
  ['/notes/export', bearer('good'), insufficientScope('notes:read notes:export'), 'insufficient_scope'],
];

/** An answer with an address in its challenge and in its body. */
function withPage({ status, challenge, json }: Rejected, page: string): Rejected {
  return {
    status,
    challenge: `${challenge ?? ''}, error_uri="${page}"`,
    json: { ...(json as object), error_uri: page },
  };
}

describe('error_uri without the option errorUri', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  verifies('CHL-25', 'is the section about the reason in development, only beside error', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    const app = await start(OPTIONS, { controllers: [NotesController] });
    for (const [path, request, expected, reason] of TABLE) {
      const wanted = reason === undefined ? expected : withPage(expected, `${ERROR_PAGE}#${reason}`);
      expect([reason, rejectedAs(await app.send(path, request))]).toEqual([reason, wanted]);
    }
    expect((await app.send('/notes', bearer('good'))).status).toBe(200);
  });

  verifies('CHL-25', 'is missing with any other NODE_ENV, and without one', async () => {
    for (const [environment] of [...OTHER_ENVIRONMENTS, ['test']]) {
      vi.stubEnv('NODE_ENV', environment);
      const app = await start(OPTIONS, { controllers: [NotesController] });
      for (const [path, request, expected] of TABLE) {
        expect([environment, rejectedAs(await app.send(path, request))]).toEqual([environment, expected]);
      }
    }
  });

  verifies('CHL-25', 'is the page of the option in development too, if it is set', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    const errorUri = 'https://docs.example/e';
    const app = await start({ ...OPTIONS, errorUri }, { controllers: [NotesController] });
    for (const [path, request, expected, reason] of TABLE) {
      const wanted = reason === undefined ? expected : withPage(expected, errorUri);
      expect([reason, rejectedAs(await app.send(path, request))]).toEqual([reason, wanted]);
    }
  });

  verifies('CHL-25', 'leads to a section for each reason', async () => {
    const file = ERROR_PAGE.slice(ERROR_PAGE.indexOf('docs/'));
    const page = await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8');
    const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(expect.arrayContaining(Object.keys(REJECTION_REFERENCE)));
  });
});
