import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Inject, Injectable, Post, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Client } from '@modelcontextprotocol/client';
import { McpController, Tool } from '@rekog/mcp-nest';
import { describe, expect } from 'vitest';
import {
  AuthInfo,
  BearerAuthGuard,
  type McpAuthEvent,
  McpAuthEvents,
  McpAuthModule,
  type McpAuthModuleOptions,
  ProtectedResource,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { defaultPlatform, RecordingLogger, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import {
  alongside,
  type InMemoryServer,
  inMemoryServer,
  startWithoutHttp,
  type TransportKind,
} from '../../fixtures/in-memory.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const BOARD = 'https://api.example.com/board';

/** What has run, in order. */
const ran: string[] = [];

const text = (name: string) => {
  ran.push(name);
  return { content: [{ type: 'text' as const, text: name }] };
};

@McpController()
class Tools {
  @Tool({ name: 'write_note', description: 'Write' })
  @RequireScopes('notes:write')
  write(@AuthInfo('subject') subject: string | undefined) {
    return text(`write_note ${String(subject)}`);
  }

  @Tool({ name: 'whoami', description: 'Who calls' })
  @UseGuards(BearerAuthGuard)
  whoami(@AuthInfo() auth: AuthInfo | undefined) {
    return text(`whoami ${String(auth?.subject)} ${String(auth?.expiresAt)} ${String(auth?.resource.href)}`);
  }

  @Tool({ name: 'open', description: 'Behind no guard' })
  open(@AuthInfo('subject') subject: string | undefined) {
    return text(`open ${String(subject)}`);
  }
}

@McpController()
class BoardTools {
  @Tool({ name: 'pin', description: 'Pin' })
  @ProtectedResource('board')
  @RequireScopes('board:write')
  pin(@AuthInfo() auth: AuthInfo) {
    return text(`pin ${auth.resource.href}`);
  }
}

/** What a call gives, or code and data of the error that it is answered with. */
async function call(client: Client, name: string): Promise<unknown> {
  try {
    const { content } = await client.callTool({ name, arguments: {} });
    return content[0]?.type === 'text' ? content[0].text : content;
  } catch (error) {
    const { code, data } = error as { code: number; data: unknown };
    return { code, data };
  }
}

const CALLER = { token: 't', clientId: 'cli', subject: 'ada', scopes: ['notes:read', 'notes:write'] };
const NO_CALLER = { code: 401, data: { error: 'missing_token' } };
const NOT_ACCEPTED = { code: 401, data: { error: 'invalid_token' } };
const lacking = (scope: string): unknown => ({ code: 403, data: { error: 'insufficient_scope', scope } });

const NOW = new Date('2026-11-21T12:00:00Z');
const SECONDS = NOW.getTime() / 1000;

/** Options with a clock that stands still, and an issuer that nobody is to ask. */
function options(more: Partial<McpAuthModuleOptions> = {}): McpAuthModuleOptions {
  return {
    resources: {
      resource: NOTES,
      authorizationServers: ['https://nowhere.invalid'],
      requiredScopes: ['notes:read'],
    },
    clockToleranceSeconds: 0,
    now: () => NOW,
    fetch: () => {
      throw new Error('Somebody was asked');
    },
    ...more,
  };
}

async function serve(
  kind: TransportKind,
  more: Partial<McpAuthModuleOptions> = {},
  controllers: (typeof Tools | typeof BoardTools)[] = [Tools],
): Promise<InMemoryServer> {
  ran.length = 0;
  const server = inMemoryServer(kind);
  await startWithoutHttp(options(more), { controllers }, server);
  return server;
}

const ALL: McpAuthModuleOptions['stdio'] = { subject: 'eve', scopes: ['notes:read', 'notes:write'] };

describe('a transport of the application', () => {
  verifies('STD-02', 'is not stdio unless it says so, whatever the option stdio is', async () => {
    for (const stdio of [undefined, 'deny', 'allow', ALL] as const) {
      const client = await (await serve('in-memory', { ...(stdio && { stdio }) })).connect();
      expect(await call(client, 'write_note')).toEqual(NO_CALLER);
      expect(await call(client, 'whoami')).toEqual(NO_CALLER);
      expect(await call(client, 'open')).toBe('open undefined');
      expect(ran).toEqual(['open undefined']);
    }
  });

  verifies('STD-02', 'that says so gets the caller of the options', async () => {
    const client = await (await serve('stdio', { stdio: ALL })).connect();
    expect(await call(client, 'write_note')).toBe('write_note eve');
    // No guard has decided on this one.
    expect(await call(client, 'open')).toBe('open undefined');
  });

  verifies('STD-02', 'of HTTP has no local calls, whatever it supplies', async () => {
    for (const stdio of ['allow', ALL] as const) {
      const server = await serve('streamable-http', { stdio });
      for (const authInfo of [undefined, CALLER]) {
        const client = await server.connect(authInfo);
        expect(await call(client, 'write_note')).toEqual(NO_CALLER);
        expect(await call(client, 'whoami')).toEqual(NO_CALLER);
      }
      expect(ran).toEqual([]);
    }
  });

  verifies('STD-03', 'vouches for callers, whose scopes are checked', async () => {
    for (const kind of ['in-memory', 'stdio'] as const) {
      const server = await serve(kind, { stdio: kind === 'stdio' ? 'allow' : 'deny' });
      expect(await call(await server.connect(CALLER), 'write_note')).toBe('write_note ada');
      for (const scope of ['notes:writ', 'notes:writes', 'Notes:write', 'notes:write ', '']) {
        const client = await server.connect({ ...CALLER, scopes: ['notes:read', scope] });
        expect(await call(client, 'write_note')).toEqual(lacking('notes:read notes:write'));
        expect(await call(client, 'whoami')).toBe(`whoami ada undefined ${NOTES}`);
      }
      const withoutBaseline = await server.connect({ ...CALLER, scopes: ['notes:write'] });
      expect(await call(withoutBaseline, 'write_note')).toEqual(lacking('notes:read notes:write'));
      expect(await call(withoutBaseline, 'whoami')).toEqual(lacking('notes:read'));
      expect(ran.filter((name) => name.startsWith('write_note'))).toEqual(['write_note ada']);
    }
  });

  verifies('STD-03', 'vouches for callers until they expire', async () => {
    const server = await serve('in-memory');
    const until = (expiresAt: unknown): Promise<Client> => server.connect({ ...CALLER, expiresAt });
    const client = await until(SECONDS + 1);
    expect(await call(client, 'whoami')).toBe(`whoami ada ${SECONDS + 1} ${NOTES}`);
    for (const expiresAt of [SECONDS, SECONDS - 1, NaN, Infinity, -1, null, `${SECONDS + 60}`]) {
      expect(await call(await until(expiresAt), 'whoami')).toEqual(NOT_ACCEPTED);
    }
    expect(ran).toHaveLength(1);
  });

  verifies('STD-03', 'vouches for callers of one resource', async () => {
    const server = await serve('in-memory');
    for (const resource of [NOTES, new URL(NOTES)]) {
      expect(await call(await server.connect({ ...CALLER, resource }), 'write_note')).toBe('write_note ada');
    }
    for (const resource of [BOARD, new URL(BOARD), `${NOTES}s`, `${NOTES}/x`, null, 1, {}]) {
      expect(await call(await server.connect({ ...CALLER, resource }), 'write_note')).toEqual(NOT_ACCEPTED);
    }
    expect(ran).toHaveLength(2);
  });

  verifies('STD-03', 'vouches for callers of one resource among several', async () => {
    const authorizationServers = ['https://nowhere.invalid'];
    const resources = [
      { resource: NOTES, authorizationServers },
      { resource: BOARD, name: 'board', authorizationServers },
    ];
    const server = await serve('in-memory', { resources }, [BoardTools]);
    const scopes = ['board:write'];
    expect(await call(await server.connect({ ...CALLER, scopes }), 'pin')).toBe(`pin ${BOARD}`);
    expect(await call(await server.connect({ ...CALLER, scopes, resource: BOARD }), 'pin')).toBe(
      `pin ${BOARD}`,
    );
    expect(await call(await server.connect({ ...CALLER, scopes, resource: NOTES }), 'pin')).toEqual(
      NOT_ACCEPTED,
    );
  });

  verifies('STD-03', 'that supplies no caller, but something else, is rejected', async () => {
    const server = await serve('stdio', { stdio: 'allow' });
    for (const supplied of [
      {},
      'ada',
      true,
      [],
      { ...CALLER, scopes: 'notes:read notes:write' },
      { ...CALLER, scopes: ['notes:read', 'notes:write', 1] },
      { ...CALLER, scopes: { includes: true } },
      { ...CALLER, scopes: undefined },
    ]) {
      expect(await call(await server.connect(supplied), 'write_note')).toEqual(NOT_ACCEPTED);
    }
    expect(ran).toEqual([]);
    // Nothing at all is what every stdio transport supplies.
    expect(await call(await server.connect(undefined), 'write_note')).toBe('write_note undefined');
  });

  verifies('STD-03', 'does not lend the caller of one call to another', async () => {
    const server = await serve('in-memory');
    const ada = await server.connect(CALLER);
    const bob = await server.connect({ ...CALLER, subject: 'bob' });
    const nobody = await server.connect();
    const calls = [ada, nobody, bob, ada].map((client) => call(client, 'write_note'));
    expect(await Promise.all(calls)).toEqual([
      'write_note ada',
      NO_CALLER,
      'write_note bob',
      'write_note ada',
    ]);
  });
});

describe('an application without HTTP', () => {
  verifies('STD-04', 'asks no authorization server, and says whose tokens it would reject', async () => {
    const asked: string[] = [];
    const named = 'https://named.invalid';
    const metadataUrl = 'https://nameless.invalid/metadata';
    const resources = {
      resource: NOTES,
      authorizationServers: [named, { metadataUrl, trustDocumentIssuer: true }],
    };
    const settings = options({
      resources,
      fetch: (input) => {
        asked.push(input instanceof Request ? input.url : String(input));
        return Promise.reject(new TypeError('no such host'));
      },
    });
    const logger = new RecordingLogger();
    const module = McpAuthModule.forRoot(settings);
    closeAfterTest(await NestFactory.createApplicationContext(module, { logger, abortOnError: false }));
    expect(asked).toEqual([]);
    expect(logger.warnings).toEqual([
      `${metadataUrl} is not discovered, as the application has no HTTP server; its tokens are rejected until you configure its "issuer"`,
    ]);
    // One with HTTP asks, and does not start.
    await expect(start(settings)).rejects.toThrow('named.invalid');
    expect(asked).toContain(metadataUrl);
  });
});

describe(`such a transport beside HTTP on ${defaultPlatform}`, () => {
  /** An endpoint without a guard, in the course of whose requests a tool is called. */
  @Injectable()
  class Clients {
    client: Client | undefined;
  }

  @Controller('relay')
  class Relay {
    @Inject() private readonly clients!: Clients;

    @Post()
    async relay(): Promise<unknown> {
      return { result: await call(this.clients.client!, 'write_note') };
    }
  }

  verifies(['STD-02', 'STD-03'], 'serves local calls, but none that HTTP requests make', async () => {
    ran.length = 0;
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const server = inMemoryServer('stdio');
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const parts = { controllers: [Tools, Relay], providers: [Clients] };
    const app = await start(
      { resources, stdio: ALL },
      {
        ...parts,
        prepare: async (nest) => {
          await alongside(server)(nest);
          const answer = async (_: IncomingMessage, response: ServerResponse): Promise<void> => {
            response.end(JSON.stringify({ result: await call(nest.get(Clients).client!, 'write_note') }));
          };
          nest.use('/mounted', (request: IncomingMessage, response: ServerResponse) => {
            answer(request, response).catch(() => response.destroy());
          });
        },
      },
    );
    const events: McpAuthEvent[] = [];
    app.app.get(McpAuthEvents).events$.subscribe((event) => events.push(event));
    const clients = app.app.get(Clients);
    for (const authInfo of [undefined, CALLER]) {
      clients.client = await server.connect(authInfo);
      for (const path of ['/relay', '/mounted']) {
        const { json } = await app.send(path, { method: 'POST' });
        expect(json).toEqual({ result: NO_CALLER });
        expect(ran).toEqual([]);
      }
    }
    expect(events.map(({ type }) => type)).toEqual(Array(4).fill('access_denied'));
    expect(await call(await server.connect(), 'write_note')).toBe('write_note eve');
    expect(await call(await server.connect(CALLER), 'write_note')).toBe('write_note ada');
    expect(events.slice(4)).toMatchObject([
      { type: 'access_granted', subject: 'eve', resource: NOTES, credential: 'local' },
      { type: 'access_granted', subject: 'ada', clientId: 'cli', resource: NOTES, credential: 'local' },
    ]);
  });
});
