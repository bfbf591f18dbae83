import { Controller, Get, UseGuards } from '@nestjs/common';
import { McpController, ResourceTemplate, Tool } from '@rekog/mcp-nest';
import { describe, expect } from 'vitest';
import { BearerAuthGuard, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { PLATFORMS, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, noTokenFor, insufficientScope } = notesRejections('notes:read');

let ran = 0;
let asked = 0;

const byFunction = () => {
  asked += 1;
  return ['notes:function'];
};

const parameters = z.object({});

@McpController()
class Tools {
  @Tool({ name: 'two', description: 'Two', parameters })
  @RequireScopes('notes:write', { anyOf: ['notes:a', 'notes:b'] }, byFunction)
  two(): string {
    ran += 1;
    return 'two';
  }

  @Tool({ name: 'function', description: 'Function', parameters })
  @RequireScopes(byFunction)
  ofFunction(): string {
    ran += 1;
    return 'function';
  }

  @ResourceTemplate({ name: 'note', description: 'Note', mimeType: 'text/plain', uriTemplate: 'note://{id}' })
  @RequireScopes('notes:one')
  note(): string {
    ran += 1;
    return 'note';
  }
}

@Controller('notes/route')
@UseGuards(BearerAuthGuard)
class RouteController {
  @Get()
  @RequireScopes('notes:write', { anyOf: ['notes:a', 'notes:b'] }, byFunction)
  get(): string {
    ran += 1;
    return 'route';
  }
}

describe.each(PLATFORMS)('the 401 of an anonymous caller, on %s', (platform) => {
  for (const earlyAuthentication of [false, true]) {
    const when = earlyAuthentication ? 'early' : 'at the route';
    verifies('WAY-23', `names all that the called operation needs, ${when}`, async () => {
      const as = closeAfterTest(await LoopbackAuthorizationServer.start());
      const endpoint = mcpEndpoint();
      const app = closeAfterTest(
        await startApp(
          {
            resources: {
              resource: NOTES,
              authorizationServers: [as.issuer],
              requiredScopes: ['notes:read'],
              allowAnonymous: true,
            },
            earlyAuthentication,
          },
          {
            controllers: [endpoint.controller, Tools, RouteController],
            prepare: endpoint.connect,
            platform,
          },
        ),
      );
      ran = asked = 0;
      const post = (body: unknown, headers = {}) =>
        app.send('/notes', { method: 'POST', headers: { ...MCP_HEADERS, ...headers }, body });
      const read = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'note://1' } };
      const all = noTokenFor('notes:read notes:write notes:a');
      expect(rejectedAs(await post(toolCall('two')))).toEqual(all);
      expect(rejectedAs(await app.send('/notes/route'))).toEqual(all);
      expect(rejectedAs(await post(read))).toEqual(noTokenFor('notes:read notes:one'));
      const batch = [read, toolCall('two', 2)];
      const older = { 'mcp-protocol-version': '2025-03-26' };
      expect(rejectedAs(await post(batch, older))).toEqual(
        noTokenFor('notes:read notes:one notes:write notes:a'),
      );
      // A function is about a caller, and there is none.
      expect(rejectedAs(await post(toolCall('function')))).toEqual(noToken);
      expect([ran, asked]).toEqual([0, 0]);
      // With a token it is the 403 that names what is missing.
      const authorization = `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}`;
      const { challenge, status } = rejectedAs(await post(toolCall('two'), { authorization }));
      expect({ challenge, status }).toMatchObject({
        status: 403,
        challenge: insufficientScope('notes:read notes:write notes:a notes:function').challenge,
      });
      const scope = 'notes:read notes:write notes:a notes:function';
      const stepped = { authorization: `Bearer ${await as.token({ aud: NOTES, scope })}` };
      expect((await post(toolCall('two'), stepped)).status).toBe(200);
      expect(ran).toBe(1);
    });
  }
});
