import { Controller, Get, type LoggerService, UseGuards } from '@nestjs/common';
import { randomBytes, randomUUID } from 'node:crypto';
import { CompactEncrypt, SignJWT } from 'jose';
import { describe, expect } from 'vitest';
import {
  type AuthorizationServerOptions,
  BearerAuthGuard,
  type McpAuthEvent,
  McpAuthEvents,
} from 'nestjs-mcp-auth';
import { makeTestKey, TestAuthorizationServer, type TestFault } from 'nestjs-mcp-auth/testing';
import { startAuthorizationServer } from '../../../sample/authorization-server/src/start.js';
import { type RunningApp, start } from '../../fixtures/app.js';
import { CREDENTIALS } from '../../fixtures/official-clients.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};
const UNAVAILABLE = {
  status: 503,
  challenge: undefined,
  json: {
    error: 'temporarily_unavailable',
    error_description: 'The access token cannot be checked at the moment; try again later',
  },
};

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string[] {
    return [];
  }
}

/** Keeps warnings and errors. */
class WarningLog implements LoggerService {
  readonly lines: string[] = [];
  readonly log = (): void => undefined;
  readonly warn = (line: unknown): void => void this.lines.push(String(line));
  readonly error = this.warn;
}

async function startWith(issuer: string, mode: 'introspection' | 'auto') {
  const log = new WarningLog();
  const server: AuthorizationServerOptions = { issuer, mode, introspection: CLIENT };
  const app = await start(
    { resources: { resource: NOTES, authorizationServers: [server], requiredScopes: ['notes:read'] } },
    { controllers: [NotesController], log },
  );
  const events: McpAuthEvent[] = [];
  app.app.get(McpAuthEvents).events$.subscribe((event) => events.push(event));
  log.lines.length = 0;
  return { app, log, events };
}

async function answerTo(app: RunningApp, token: string): Promise<object> {
  const { status, headers, json } = await app.send('/notes', {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status, challenge: headers['www-authenticate'], json };
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');

/** Tokens that look structured to an authorization server, and that it did not issue. */
async function structuredTokens(issuer: string): Promise<Record<string, string>> {
  const { privateKey } = await makeTestKey('ES256');
  const jwt = await new SignJWT({ iss: issuer, aud: NOTES, scope: 'notes:read', sub: 'u', exp: 4e9 })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .sign(privateKey);
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const jwe = await new CompactEncrypt(Buffer.from(jwt))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(randomBytes(32));
  return {
    jwt,
    jwe,
    'five parts of a JWT': `${header}.${payload}.${signature}.${payload}.${signature}`,
    'a header behind a byte order mark': `${encode(`\uFEFF{"alg":"ES256"}`)}.${payload}.${signature}`,
  };
}

describe('an authorization server that introspects no token of this type', () => {
  verifies('WAY-27', 'causes 401 for structured tokens at oidc-provider', async () => {
    const as = closeAfterTest(
      await startAuthorizationServer({
        port: 0,
        resources: { [NOTES]: ['notes:read'] },
        ...CREDENTIALS,
        accessTokenFormat: 'opaque',
        introspectionClient: CLIENT,
      }),
    );
    const tokens = await structuredTokens(as.issuer);
    for (const mode of ['introspection', 'auto'] as const) {
      const { app, log, events } = await startWith(as.issuer, mode);
      for (const [what, token] of Object.entries(tokens)) {
        // In mode "auto" the keys decide on a JWT.
        expect([mode, what, await answerTo(app, token)]).toEqual([mode, what, INVALID_TOKEN]);
      }
      expect(await answerTo(app, randomUUID())).toEqual(INVALID_TOKEN);
      expect(
        events.filter((event) => event.type === 'access_denied').map(({ reason }) => reason),
      ).not.toContain('unavailable');
      expect(log.lines).toEqual([]);
    }
  });

  verifies('WAY-27', 'causes 401 by this error code of a 400 alone, and 503 by every other', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const { app, log } = await startWith(as.issuer, 'introspection');
    const token = as.issueOpaqueToken({ audience: NOTES, scopes: ['notes:read'] });
    const error = 'unsupported_token_type';
    const inactive: TestFault[] = [
      { status: 400, json: { error } },
      { status: 400, json: { error, error_description: 'The token is structured' } },
      { status: 400, json: { error }, contentType: 'application/json; charset=utf-8' },
    ];
    for (const fault of inactive) {
      as.fail('introspection', fault);
      expect([fault, await answerTo(app, token)]).toEqual([fault, INVALID_TOKEN]);
    }
    expect(log.lines).toEqual([]);
    const outages: TestFault[] = [
      { status: 400 },
      { status: 400, json: { error: 'invalid_request' } },
      { status: 400, json: { error: 'invalid_client' } },
      { status: 400, json: { error: 'Unsupported_token_type' } },
      { status: 400, json: { error: [error] } },
      { status: 400, json: { error_description: error } },
      { status: 400, json: error },
      { status: 400, json: null },
      { status: 400, body: `error=${error}` },
      { status: 400, body: '' },
      { status: 400, json: { error }, hugeBytes: 65_537 },
      { status: 401, json: { error } },
      { status: 403, json: { error } },
      { status: 404, json: { error } },
      { status: 500, json: { error } },
      { status: 503, json: { error } },
    ];
    for (const fault of outages) {
      as.fail('introspection', fault);
      expect([fault, await answerTo(app, token)]).toEqual([fault, UNAVAILABLE]);
    }
    // With status 200 it is an answer without "active".
    as.fail('introspection', { json: { error } });
    expect(await answerTo(app, token)).toEqual(INVALID_TOKEN);
    as.recover();
    expect(await answerTo(app, token)).toMatchObject({ status: 200 });
  });
});
