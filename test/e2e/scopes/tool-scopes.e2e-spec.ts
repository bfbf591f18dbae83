import { Controller, type INestApplication, Module, type Type, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AuthInfo,
  BearerAuthGuard,
  McpAuthModule,
  type McpAuthModuleOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { type HttpAnswer, send } from '../../fixtures/http.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const parameters = z.object({});

/** How often each tool has run. */
const ran = { list_notes: 0, write_note: 0, purge: 0, whoami: 0 };

function done(tool: keyof typeof ran, text: string = tool) {
  ran[tool]++;
  return { content: [{ type: 'text' as const, text }] };
}

@McpController()
class NotesTools {
  @Tool({ name: 'list_notes', description: 'List', parameters })
  @RequireScopes('notes:read')
  list() {
    return done('list_notes');
  }

  @Tool({ name: 'write_note', description: 'Write', parameters })
  @RequireScopes('notes:write')
  write() {
    return done('write_note');
  }

  @Tool({ name: 'whoami', description: 'Who', parameters })
  whoami(@AuthInfo() auth: AuthInfo, @AuthInfo('subject') subject: string) {
    return done('whoami', `${subject} ${auth.clientId} ${auth.issuer}`);
  }
}

@McpController()
@RequireScopes('notes:write')
class AdminTools {
  @Tool({ name: 'purge', description: 'Purge', parameters })
  @RequireScopes('notes:admin', 'notes:erase')
  purge() {
    return done('purge');
  }
}

/** A strategy binds to one app, so each app gets an endpoint of its own; the tools are shared. */
function endpoint() {
  const transport = new StreamableHttpTransport();
  const strategy = new McpStrategy({
    name: 'notes',
    version: '1.0.0',
    transports: [transport],
    logging: false,
  });
  const guarded = (): Type => {
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class NotesEndpoint extends McpHttpControllerFor(transport) {}
    return NotesEndpoint;
  };
  return { strategy, guarded };
}

async function connect(nest: INestApplication, strategy: McpStrategy): Promise<void> {
  strategy.setHttpAdapter(nest.getHttpAdapter());
  nest.connectMicroservice({ strategy });
  await nest.startAllMicroservices();
}

describe('a server of tools with scopes on @rekog/mcp-nest', () => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  const options = (): McpAuthModuleOptions => ({
    resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
  });
  const token = (scope: string, claims: Record<string, unknown> = {}) =>
    as.token({ aud: NOTES, scope, ...claims });

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const { strategy, guarded } = endpoint();
    app = await startApp(options(), {
      controllers: [guarded(), NotesTools, AdminTools],
      prepare: (nest) => connect(nest, strategy),
    });
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  beforeEach(() => {
    Object.assign(ran, { list_notes: 0, write_note: 0, purge: 0, whoami: 0 });
  });

  /** A request of the 2025-11-25 era. */
  const legacy = (bearer: string, body: unknown, headers: Record<string, string> = {}) =>
    app.send('/notes', {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'mcp-protocol-version': '2025-11-25', ...headers },
      body,
    });

  /** A request of the 2026-07-28 era: the name is in a header too. */
  const modern = (bearer: string, name: string, headerName = name) =>
    app.send('/notes', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${bearer}`,
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': headerName,
      },
      body: call(name, {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      }),
    });

  function call(name: string, meta?: object, id: number | undefined = 7): object {
    const params = { name, arguments: {}, ...(meta && { _meta: meta }) };
    return { jsonrpc: '2.0', ...(id !== 0 && { id }), method: 'tools/call', params };
  }

  function expectForbidden(answer: HttpAnswer, scope: string): void {
    const description = 'The access token does not grant what this operation needs';
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer error="insufficient_scope", scope="${scope}", resource_metadata="${NOTES_METADATA}", error_description="${description}"`,
    );
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.json).toEqual({ error: 'insufficient_scope', error_description: description });
  }

  verifies(
    ['SCP-01', 'SCP-02', 'SCP-09'],
    'answers a call without its scope with 403 before the tool runs',
    async () => {
      const reader = await token('notes:read');
      expectForbidden(await modern(reader, 'write_note'), 'notes:write');
      expectForbidden(await legacy(reader, call('write_note')), 'notes:read notes:write');
      expect(ran.write_note).toBe(0);
      const writer = await token('notes:read notes:write');
      expect(await modern(writer, 'write_note')).toMatchObject({ status: 200 });
      expect(await legacy(writer, call('write_note'))).toMatchObject({ status: 200 });
      expect(ran.write_note).toBe(2);
    },
  );

  it('repeats the known scopes of an old client in the challenge', async () => {
    const granted = await token('openid notes:erase notes:read offline_access');
    expectForbidden(await legacy(granted, call('write_note')), 'notes:erase notes:read notes:write');
    expectForbidden(await modern(granted, 'write_note'), 'notes:write');
  });

  verifies('SCP-03', 'rejects a bad token with 401 whatever the scopes', async () => {
    for (const claims of [{ exp: 1 }, { aud: 'https://api.example.com/other' }]) {
      expect((await modern(await token('', claims), 'purge')).status).toBe(401);
      expect(
        (await modern(await token('notes:read notes:write notes:admin notes:erase', claims), 'purge')).status,
      ).toBe(401);
    }
    expect(ran.purge).toBe(0);
  });

  verifies(
    ['SCP-04', 'SCP-05'],
    'needs all scopes of class and method, and asks for all at once',
    async () => {
      const all = 'notes:write notes:admin notes:erase';
      for (const granted of ['notes:read', 'notes:read notes:write', 'notes:read notes:admin notes:erase']) {
        expectForbidden(await modern(await token(granted), 'purge'), all);
      }
      expect(ran.purge).toBe(0);
      expect((await modern(await token(`notes:read ${all}`), 'purge')).status).toBe(200);
      expect(ran.purge).toBe(1);
    },
  );

  it('asks for the scopes of the resource too where they are missing', async () => {
    expectForbidden(await modern(await token('notes:write'), 'write_note'), 'notes:read notes:write');
  });

  verifies('SCP-20', 'needs a token and the scopes of the resource for a tool without scopes', async () => {
    expect((await app.send('/notes', { method: 'POST', body: call('whoami') })).status).toBe(401);
    expectForbidden(await modern(await token('other'), 'whoami'), 'notes:read');
    expect(ran.whoami).toBe(0);
    const answer = await modern(await token('notes:read'), 'whoami');
    expect(answer.text).toContain(`u1 c1 ${as.issuer}`);
    const old = await legacy(await token('notes:read'), call('whoami'));
    expect(old.text).toContain(`u1 c1 ${as.issuer}`);
  });

  verifies('SCP-24', 'gives no hint about unknown names', async () => {
    const reader = await token('notes:read');
    for (const name of ['__proto__', 'constructor', 'toString', 'Purge', 'purge ', 'nothing']) {
      const answer = await modern(reader, name);
      expect(answer.headers['www-authenticate']).toBeUndefined();
      expect(answer.status).toBeLessThan(500);
    }
    expect(ran.purge).toBe(0);
  });

  it('authorizes by the body, not by a header', async () => {
    const reader = await token('notes:read');
    const spoofed = await legacy(reader, call('write_note'), { 'mcp-name': 'list_notes' });
    expectForbidden(spoofed, 'notes:read notes:write');
    expect(ran.write_note).toBe(0);
  });

  verifies(
    ['SCP-13', 'SCP-14', 'H01'],
    'authorizes every call of a batch, and a call without an id',
    async () => {
      const reader = await token('notes:read');
      for (const version of ['2025-03-26', undefined]) {
        const oldest = (body: unknown) =>
          app.send('/notes', {
            method: 'POST',
            headers: {
              authorization: `Bearer ${reader}`,
              ...(version && { 'mcp-protocol-version': version }),
            },
            body,
          });
        expectForbidden(await oldest([call('list_notes'), call('write_note')]), 'notes:read notes:write');
        expectForbidden(await oldest([call('write_note')]), 'notes:read notes:write');
        expect(await oldest([call('list_notes'), call('whoami')])).toMatchObject({ status: 200 });
      }
      expectForbidden(await legacy(reader, call('write_note', undefined, 0)), 'notes:read notes:write');
      expect(ran).toMatchObject({ list_notes: 2, write_note: 0 });
    },
  );

  verifies(
    ['SCP-13', 'H01'],
    'rejects a batch where the protocol version has none, with good scopes too',
    async () => {
      const all = await token('notes:read notes:write');
      for (const body of [[call('list_notes')], [call('list_notes'), call('write_note')], []]) {
        const { status, headers, json } = await legacy(all, body);
        expect({ status, challenge: headers['www-authenticate'], json }).toMatchObject({
          status: 400,
          challenge: undefined,
          json: { jsonrpc: '2.0', id: null, error: { code: -32600 } },
        });
      }
      expect(ran).toMatchObject({ list_notes: 0, write_note: 0 });
    },
  );

  it('authorizes by the last of two members of the same name, as the JSON parser does', async () => {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const body =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_notes","name":"wr\\u0069te_note"}}';
    expectForbidden(await legacy(await token('notes:read'), body, headers), 'notes:read notes:write');
    expect(ran.write_note).toBe(0);
  });

  it('does not run a tool whose call the guard could not read', async () => {
    const { strategy, guarded } = endpoint();
    @Module({
      imports: [McpAuthModule.forRoot(options())],
      controllers: [guarded(), NotesTools, AdminTools],
    })
    class Unparsed {}
    const unparsed = await NestFactory.create(Unparsed, { bodyParser: false, logger: false });
    closeAfterTest(unparsed);
    await connect(unparsed, strategy);
    await unparsed.listen(0, '127.0.0.1');
    const origin = await unparsed.getUrl();
    const headers = {
      authorization: `Bearer ${await token('notes:read')}`,
      'mcp-protocol-version': '2025-11-25',
    };
    const post = (name: string) => send(origin, '/notes', { method: 'POST', headers, body: call(name) });
    expect((await post('whoami')).text).toContain('u1');
    expect((await post('write_note')).text).not.toContain('write_note');
    expect(ran).toMatchObject({ whoami: 1, write_note: 0 });
  });
});
