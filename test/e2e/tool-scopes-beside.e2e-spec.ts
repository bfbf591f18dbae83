import { type CanActivate, type ExecutionContext, Injectable, UseGuards } from '@nestjs/common';
import { McpController, Tool, ToolScopes } from '@rekog/mcp-nest';
import { describe, expect, it } from 'vitest';
import { RequireScopes } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { z } from 'zod';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../fixtures/mcp-endpoint.js';
import { closeAfterTest, start } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';

/** What sample/migration/README.md tells users of ChatGPT to keep. */
@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ auth?: unknown; user?: unknown; raw?: object }>();
    Object.assign(request.raw ?? request, { user: request.auth });
    return true;
  }
}

@McpController()
class NotesTools {
  @Tool({ name: 'both', description: 'Delete', parameters: z.object({}) })
  @ToolScopes(['notes:write'])
  @RequireScopes('notes:write')
  both() {
    return { content: [] };
  }

  @Tool({ name: 'alone', description: 'Delete', parameters: z.object({}) })
  @RequireScopes('notes:write')
  alone() {
    return { content: [] };
  }
}

describe('@ToolScopes() of @rekog/mcp-nest beside @RequireScopes()', () => {
  it('makes the list say oauth2, for callers with the scope, and calls are decided on as without it', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const { controller, connect } = mcpEndpoint({ enableJsonResponse: true }, UseGuards(UserGuard));
    const app = await start(
      { resources: { resource: NOTES, authorizationServers: [as.issuer] } },
      { controllers: [controller, NotesTools] },
      connect,
    );
    const ask = async (scope: string, body: object) => {
      const token = await as.issueToken({ audience: NOTES, scopes: [scope] });
      const headers = { ...MCP_HEADERS, authorization: `Bearer ${token}` };
      return app.send('/notes', { method: 'POST', headers, body });
    };
    const schemes = async (scope: string) => {
      const { json } = await ask(scope, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
      const { tools } = (json as { result: { tools: { name: string; _meta: object }[] } }).result;
      return Object.fromEntries(tools.map(({ name, _meta }) => [name, _meta]));
    };
    const status = async (scope: string) => (await ask(scope, toolCall('both'))).status;
    const alone = { securitySchemes: [{ type: 'noauth' }] };
    const both = { securitySchemes: [{ type: 'oauth2', scopes: ['notes:write'] }] };
    expect(await schemes('notes:write')).toEqual({ both, alone });
    expect(await schemes('notes:read')).toEqual({ alone });
    expect(await status('notes:write')).toBe(200);
    expect(await status('notes:read')).toBe(403);
  });
});
