import type { StoredOAuthTokens } from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { AuthInfo, McpAuthModule, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../../sample/authorization-server/src/start.js';
import { DemoProvider } from '../../../sample/demo/src/demo-provider.js';
import { freePort } from '../../../sample/demo/src/free-port.js';
import { Person } from '../../../sample/demo/src/person.js';
import { adapterOf, defaultPlatform } from '../../fixtures/app.js';
import { mcpEndpoint } from '../../fixtures/mcp-endpoint.js';
import { CREDENTIALS } from '../../fixtures/official-clients.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { verifies } from '../../verifies.js';

@McpController()
class Tools {
  @Tool({ name: 'whoami', description: 'Who', parameters: z.object({}) })
  whoami(@AuthInfo() { subject, claims }: AuthInfo) {
    return { content: [{ type: 'text' as const, text: `${String(subject)} ${String(claims['jti'])}` }] };
  }

  @Tool({ name: 'write', description: 'Write', parameters: z.object({}) })
  @RequireScopes('notes:write')
  write() {
    return { content: [{ type: 'text' as const, text: 'written' }] };
  }
}

/** With a refresh token this client refreshes on a 403 and ends with the scopes it had, so it may be given none. */
class Provider extends DemoProvider {
  constructor(private readonly refreshes: boolean) {
    super(new Person(CREDENTIALS));
  }

  override saveTokens(tokens: StoredOAuthTokens): void {
    super.saveTokens(this.refreshes ? tokens : { ...tokens, refresh_token: undefined });
  }
}

describe('a session of the official client v1', () => {
  const revoked = new Set<unknown>();
  let server: RunningAuthorizationServer;
  let resource: string;
  let app: INestApplication;

  beforeAll(async () => {
    // The client asks whether the resource is the one that it talks to, so its port is known beforehand.
    const port = await freePort();
    resource = `http://127.0.0.1:${String(port)}/notes`;
    const resources = { [resource]: ['notes:read', 'notes:write'] };
    server = await startAuthorizationServer({ port: 0, resources, ...CREDENTIALS });
    const endpoint = mcpEndpoint({ statefulMode: true });
    @Module({
      imports: [
        McpAuthModule.forRoot({
          resources: { resource, authorizationServers: [server.issuer], requiredScopes: ['notes:read'] },
          isRevoked: ({ jti }) => revoked.has(jti),
        }),
      ],
      controllers: [endpoint.controller, Tools],
    })
    class AppModule {}
    app = await NestFactory.create(AppModule, adapterOf(defaultPlatform), { logger: false });
    await endpoint.connect(app);
    await app.listen(port, '127.0.0.1');
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  /** Connects, and gives what calls a tool: with a login before it where one is needed. */
  async function connect(provider: Provider) {
    const open = () => new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider });
    const afterLogin = async <T>(action: () => Promise<T>): Promise<T> => {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error;
        await open().finishAuth(provider.takeAnswer().get('code') ?? '');
        return action();
      }
    };
    return afterLogin(async () => {
      const client = closeAfterTest(new Client({ name: 'v1', version: '1.0.0' }));
      const transport = open();
      await client.connect(transport);
      const call = async (name: string): Promise<string> => {
        const { content } = await afterLogin(() => client.callTool({ name }));
        return (content as { text: string }[])[0]?.text ?? '';
      };
      return { transport, call };
    });
  }

  verifies(['SES-02', 'F93'], 'lives on when its token is refreshed', async () => {
    const { transport, call } = await connect(new Provider(true));
    const session = transport.sessionId;
    expect(session).toEqual(expect.any(String));
    const [subject, first] = (await call('whoami')).split(' ');
    revoked.add(first);
    const [again, second] = (await call('whoami')).split(' ');
    expect([again, second === first]).toEqual([subject, false]);
    expect(transport.sessionId).toBe(session);
    await transport.terminateSession();
    await expect(call('whoami')).rejects.toThrow();
  });

  verifies(['SES-02', 'F93'], 'lives on when it gets more scopes', async () => {
    const { transport, call } = await connect(new Provider(false));
    const session = transport.sessionId;
    const [, first] = (await call('whoami')).split(' ');
    expect(await call('write')).toBe('written');
    expect((await call('whoami')).split(' ')[1]).not.toBe(first);
    expect(transport.sessionId).toBe(session);
  });

  verifies(['SES-02', 'F93'], 'is not that of another client of the same person', async () => {
    const providers = [new Provider(true), new Provider(true)] as const;
    const [one, other] = [await connect(providers[0]), await connect(providers[1])];
    expect((await one.call('whoami')).split(' ')[0]).toBe((await other.call('whoami')).split(' ')[0]);
    const stolen = new StreamableHTTPClientTransport(new URL(resource), {
      sessionId: one.transport.sessionId ?? '',
      authProvider: providers[1],
    });
    await expect(stolen.send({ jsonrpc: '2.0', id: 1, method: 'ping' })).rejects.toThrow('Session not found');
    expect(await one.call('whoami')).toContain(' ');
  });
});
