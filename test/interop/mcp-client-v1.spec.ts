import { type StoredOAuthTokens } from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { DemoProvider } from '../../sample/demo/src/demo-provider.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { startNotesServer } from '../../sample/quickstart/src/start.js';
import { verifies } from '../verifies.js';

/** With a refresh token this client refreshes on a 403 and ends with the scopes it had, so it is not given one. */
class ProviderWithoutRefresh extends DemoProvider {
  override saveTokens(tokens: StoredOAuthTokens): void {
    super.saveTokens({ ...tokens, refresh_token: undefined });
  }
}

/**
 * The official client of the older generation speaks MCP 2025-11-25: on a 403 it asks for exactly the scopes that
 * the challenge names, so these must be all that it needs afterwards.
 */
describe('the official client v1', () => {
  const person = new Person({ username: 'demo', password: 'demo' });
  const provider = new ProviderWithoutRefresh(person);
  let resource: string;
  let server: RunningAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    const port = await freePort();
    resource = `http://127.0.0.1:${String(port)}/notes`;
    const resources = { [resource]: ['notes:read', 'notes:write', 'notes:admin'] };
    server = await startAuthorizationServer({ port: 0, resources, username: 'demo', password: 'demo' });
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: server.issuer });
    app = await startNotesServer(port, ['error']);
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  function transport(): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider });
  }

  async function afterLogin<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await transport().finishAuth(provider.takeAnswer().get('code') ?? '');
      return action();
    }
  }

  verifies('SCP-09', 'logs in, calls, steps up, and keeps what it had', async () => {
    const client = await afterLogin(async () => {
      const connecting = new Client({ name: 'v1', version: '1.0.0' });
      await connecting.connect(transport());
      return connecting;
    });
    expect(provider.tokens()?.scope).toBe('notes:read');
    const call = (name: string, args: Record<string, unknown> = {}) =>
      afterLogin(() => client.callTool({ name, arguments: args }));
    expect(await call('list_notes')).toMatchObject({ content: [{ text: 'no notes' }] });
    expect(await call('add_note', { text: 'milk' })).toMatchObject({ content: [{ text: '1 notes' }] });
    expect(provider.tokens()?.scope).toBe('notes:read notes:write');
    expect(await call('purge_notes')).toMatchObject({ content: [{ text: '1 notes deleted' }] });
    expect(provider.tokens()?.scope?.split(' ').sort()).toEqual(['notes:admin', 'notes:read', 'notes:write']);
    await client.close();
  });
});
