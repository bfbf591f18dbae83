import { Controller, Get, UseGuards } from '@nestjs/common';
import { describe, expect } from 'vitest';
import { BearerAuthGuard, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { type RunningApp, start } from '../../fixtures/app.js';
import { EveryLine } from '../../fixtures/attacked-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list() {
    return 'notes';
  }
}

/** A whole second, at which the clocks of all stand still. */
const TIME = new Date(Math.floor(Date.now() / 1000) * 1000);
const now = (): Date => TIME;

describe('the debug line of a rejected token', () => {
  const started = async (
    resource: object,
    more: Partial<McpAuthModuleOptions> = {},
  ): Promise<{ app: RunningApp; log: EveryLine; as: TestAuthorizationServer }> => {
    const as = closeAfterTest(await TestAuthorizationServer.start({ now }));
    const introspection = {
      clientId: as.introspectionClient.clientId,
      clientSecret: as.introspectionClient.clientSecret,
    };
    const { introspects, ...rest } = resource as { introspects?: boolean };
    const server = { issuer: as.issuer, ...(introspects === true && { introspection }) };
    const log = new EveryLine();
    const app = await start(
      {
        resources: { resource: NOTES, authorizationServers: [server], ...rest },
        now,
        ...more,
      } as McpAuthModuleOptions,
      { controllers: [NotesController], log },
    );
    return { app, log, as };
  };

  const rejected = async (app: RunningApp, log: EveryLine, token: string): Promise<string> => {
    log.lines.length = 0;
    const { status, text } = await app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
    expect([status, text]).toEqual([
      401,
      '{"error":"invalid_token","error_description":"The access token is invalid or expired"}',
    ]);
    expect(log.lines.filter((line) => line.includes(token))).toEqual([]);
    return log.lines.filter((line) => line.includes('Rejected a request')).join('\n');
  };

  const ofAudience = (found: string): string => `: audience; expected "${NOTES}", the token has ${found} (`;

  verifies('WAY-24', 'says which audience was expected and which the token has', async () => {
    for (const introspects of [false, true]) {
      const { app, log, as } = await started({ introspects });
      const one = await as.issueToken({ audience: ADMIN });
      expect(await rejected(app, log, one)).toContain(ofAudience(`"${ADMIN}"`));
      const two = await as.issueToken({ audience: [ADMIN, `${NOTES}/x`] });
      expect(await rejected(app, log, two)).toContain(ofAudience(`"${ADMIN}", "${NOTES}/x"`));
      const none = await as.issueToken({ claims: { aud: undefined } });
      expect(await rejected(app, log, none)).toContain(ofAudience('no "aud"'));
      // Its neighbour has another reason, and no audience in its line.
      const expired = await as.issueToken({ audience: NOTES, expiresInSeconds: -60 });
      expect(await rejected(app, log, expired)).toContain(': expired; it expired 60 s ago, tolerance 5 s (');
    }
  });

  verifies(
    'WAY-24',
    'mentions introspection where an opaque token comes and no server is asked',
    async () => {
      const { app, log, as } = await started({});
      const advice =
        ': malformed; if the token is opaque, configure "introspection" for its authorization server (';
      expect(await rejected(app, log, as.issueOpaqueToken({ audience: NOTES }))).toContain(advice);
      const asked = await started({ introspects: true });
      const opaque = await rejected(asked.app, asked.log, as.issueOpaqueToken({ audience: NOTES }));
      expect(opaque).toMatch(/: inactive \(/);
    },
  );
});
