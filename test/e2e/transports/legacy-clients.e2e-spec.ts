import { All, Body, Controller, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { describe, expect } from 'vitest';
import { BearerAuthGuard, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import type { HttpAnswer } from '../../fixtures/http.js';
import { type RunningApp, start } from '../../fixtures/app.js';
import { NOTES, NOTES_METADATA, offlineResource, PRM } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const parameters = z.object({});
const VERSIONS = [undefined, '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'];
const INVALID_TOKEN =
  `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", ` +
  'error_description="The access token is invalid or expired"';

/** An MCP endpoint that says how many messages came through. */
@Controller('notes')
@UseGuards(BearerAuthGuard)
class Endpoint {
  @All()
  run(@Body() body: unknown): { messages: number } {
    return { messages: [body].flat().length };
  }
}

@McpController()
class Tools {
  @Tool({ name: 'list', description: 'List', parameters })
  @RequireScopes('notes:read')
  list(): void {
    return undefined;
  }

  @Tool({ name: 'write', description: 'Write', parameters })
  @RequireScopes('notes:write')
  write(): void {
    return undefined;
  }
}

const PARTS = { controllers: [Endpoint, Tools] };

function calls(...names: string[]): object[] {
  return names.map((name, id) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name, arguments: {} },
  }));
}

function post(
  app: RunningApp,
  body: unknown,
  { token, version }: { token?: string; version?: string | undefined } = {},
): Promise<HttpAnswer> {
  return app.send('/notes', {
    method: 'POST',
    body,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(version !== undefined && { 'mcp-protocol-version': version }),
    },
  });
}

describe('clients of older protocol versions', () => {
  verifies('LEG-05', 'are served with the audience of their server only if it is configured', async () => {
    const as = await server();
    const resource = { resource: NOTES, authorizationServers: [as.issuer] };
    const token = await as.token({ aud: 'default-api', scope: 'notes:read' });
    const nearby = await as.token({ aud: 'default-ap', scope: 'notes:read' });
    const strict = await start({ resources: resource }, PARTS);
    const configured = await start({ resources: { ...resource, audience: [NOTES, 'default-api'] } }, PARTS);
    for (const [app, sent] of [
      [strict, token],
      [configured, nearby],
    ] as const) {
      const { status, headers, json } = await post(app, calls('list'), { token: sent });
      expect({ status, challenge: headers['www-authenticate'], json }).toEqual({
        status: 401,
        challenge: INVALID_TOKEN,
        json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
      });
    }
    const usual = await as.token({ aud: NOTES, scope: 'notes:read' });
    for (const sent of [token, usual]) {
      expect((await post(configured, calls('list'), { token: sent })).status).toBe(200);
    }
    expect((await post(strict, calls('list'), { token: usual })).status).toBe(200);
  });

  verifies('LEG-06', 'need no version header, and may send several calls at once', async () => {
    const as = await server();
    const app = await start({ resources: { resource: NOTES, authorizationServers: [as.issuer] } }, PARTS);
    const reading = await as.token({ aud: NOTES, scope: 'notes:read' });
    const writing = await as.token({ aud: NOTES, scope: 'notes:read notes:write' });
    const both = calls('list', 'write');
    const admitted = await post(app, both, { token: writing });
    expect([admitted.status, admitted.json]).toEqual([200, { messages: 2 }]);

    // An old client ends with the scopes that it is told, so it is told those that it has as well.
    const challenged = async (version: string | undefined): Promise<unknown> => {
      const { status, headers } = await post(app, both, { token: reading, version });
      return [status, /scope="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1]];
    };
    expect(await challenged(undefined)).toEqual([403, 'notes:read notes:write']);
    expect(await challenged('2025-03-26')).toEqual([403, 'notes:read notes:write']);
    expect((await post(app, calls('list'), { token: reading })).status).toBe(200);
  });

  verifies('LEG-07', 'get the same 401 as all others', async () => {
    const as = await server();
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const app = await start({ resources, legacyAuthorizationServerMetadata: true }, PARTS);
    for (const version of VERSIONS) {
      const { status, headers, text } = await post(app, calls('list'), { version });
      expect([version, status, headers['www-authenticate'], text]).toEqual([
        version,
        401,
        `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`,
        '{"error":"missing_token","error_description":"Send an access token: Authorization: Bearer TOKEN"}',
      ]);
    }
  });

  verifies('LEG-08', 'find the document at the bare well-known path by the root alias', async () => {
    const resources = offlineResource(NOTES);
    const app = await start({ resources, serveRootAlias: true }, PARTS);
    expect((await app.send(PRM)).json).toMatchObject({ resource: NOTES });
    const without = await start({ resources }, PARTS);
    expect((await without.send(PRM)).status).toBe(404);
  });
});
