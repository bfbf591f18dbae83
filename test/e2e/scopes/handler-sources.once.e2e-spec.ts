import { Injectable } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpAuthConfigError, McpHandlerSource } from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing } from '../../fixtures/config-problems.js';
import { MCP_HEADERS } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { message } from '../../fixtures/operations-app.js';
import { NOTES, offlineResource, PRM } from '../../fixtures/resources.js';
import { ran, SDKS } from '../../fixtures/sdk-endpoints.js';
import { verifies } from '../../verifies.js';

@Injectable()
class NotesHandlers extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'tool', name: 'write', requirements: ['notes:write'] },
      { kind: 'prompt', name: 'greet', requirements: [{ anyOf: ['notes:greet', 'notes:all'] }] },
      { kind: 'resource', name: 'note://{id}', requirements: ['note:read'] },
    ] as const;
  }
}

const KINDS: readonly [string, object, string, string][] = [
  ['tools/call', { name: 'write', arguments: {} }, 'notes:write', 'write'],
  ['prompts/get', { name: 'greet', arguments: { who: 'you' } }, 'notes:greet', 'greet'],
  ['resources/read', { uri: 'note://1' }, 'note:read', 'note'],
  ['resources/read', { uri: 'note://%E0%A4' }, 'note:read', 'note'],
  [
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'who', value: 'a' } },
    'notes:greet',
    'complete',
  ],
  [
    'completion/complete',
    { ref: { type: 'ref/resource', uri: 'note://{id}' }, argument: { name: 'id', value: 'a' } },
    'note:read',
    'complete',
  ],
];

const CASES = PLATFORMS.flatMap((platform) =>
  SDKS.map(([sdk, controller]) => ({ platform, sdk, controller })),
);

describe.each(CASES)(
  'handlers of $sdk that a source declares, on $platform',
  ({ platform, sdk, controller }) => {
    const { insufficientScope } = notesRejections('notes:read');
    let as: LoopbackAuthorizationServer;
    let app: RunningApp;

    beforeAll(async () => {
      as = await LoopbackAuthorizationServer.start();
      const resources = {
        resource: NOTES,
        authorizationServers: [as.issuer],
        requiredScopes: ['notes:read'],
      };
      const parts = { controllers: [controller], providers: [NotesHandlers] };
      app = await startApp({ resources }, { ...parts, platform });
    });

    afterAll(async () => {
      await app.close();
      await as.close();
    });

    beforeEach(() => {
      ran.length = 0;
    });

    const token = (scope: string) => as.token({ aud: NOTES, scope });

    const post = (bearer: string, body: unknown, headers: Record<string, string> = {}) =>
      app.send('/notes', {
        method: 'POST',
        headers: { ...MCP_HEADERS, authorization: `Bearer ${bearer}`, ...headers },
        body,
      });

    verifies(['SCP-01', 'SCP-21', 'F70'], 'are authorized before the server sees the request', async () => {
      const reader = await token('notes:read');
      for (const [method, params, needed, handler] of KINDS) {
        ran.length = 0;
        const body = message(method, params);
        const rejected = insufficientScope(`notes:read ${needed}`);
        expect([method, rejectedAs(await post(reader, body))]).toEqual([method, rejected]);
        expect([method, ran]).toEqual([method, []]);
        const answer = await post(await token(`notes:read ${needed}`), body);
        expect([method, answer.status, ran]).toEqual([method, 200, [handler]]);
        expect(answer.text).toContain('"result"');
      }
    });

    verifies('SCP-24', 'are not revealed under other names', async () => {
      const reader = await token('notes:read');
      for (const name of ['Write', 'write ', 'constructor', '__proto__']) {
        const { headers, text } = await post(reader, message('tools/call', { name, arguments: {} }));
        expect([name, headers['www-authenticate']]).toEqual([name, undefined]);
        expect(text).not.toContain('notes:write');
      }
      expect(ran).toEqual([]);
    });

    verifies('SCP-09', 'are asked for alone where the client keeps those it has', async () => {
      const version = '2026-07-28';
      const params = {
        name: 'write',
        arguments: {},
        _meta: {
          'io.modelcontextprotocol/protocolVersion': version,
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      };
      const headers = { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'write' };
      const body = message('tools/call', params);
      const answer = await post(await token('notes:read'), body, headers);
      expect(rejectedAs(answer)).toEqual(insufficientScope('notes:write'));
      const listening = { notifications: { resourceSubscriptions: ['note://1'] }, _meta: params._meta };
      const listen = message('subscriptions/listen', listening);
      const more = { ...headers, 'mcp-method': 'subscriptions/listen', 'mcp-name': 'note://1' };
      expect(rejectedAs(await post(await token('notes:read'), listen, more))).toEqual(
        insufficientScope('note:read'),
      );
      expect(ran).toEqual([]);
      // The server of v1 does not know this version.
      const status = sdk === 'SDK v2' ? 200 : 400;
      expect((await post(await token('notes:read notes:write'), body, headers)).status).toBe(status);
    });

    verifies('SCP-09', 'leave other messages to the rule of their protocol version', async () => {
      const writer = await token('notes:write openid');
      const held = insufficientScope('notes:write notes:read');
      const messages = ['ping', 'tools/list', 'tasks/list', 'tools/call'].map((method) =>
        message(method, {}),
      );
      const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
      for (const body of [...messages, notification, { jsonrpc: '2.0', id: 1, result: {} }]) {
        expect([body, rejectedAs(await post(writer, body))]).toEqual([body, held]);
        const method = 'method' in body ? body.method : '';
        const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': String(method) };
        expect([body, rejectedAs(await post(writer, body, modern))]).toEqual([
          body,
          insufficientScope('notes:read'),
        ]);
      }
      const oldest = { 'mcp-protocol-version': '2025-03-26' };
      expect(rejectedAs(await post(writer, [messages[0]], oldest))).toEqual(held);
      // No message: what the request needs, and nothing else.
      expect(rejectedAs(await post(writer, { title: 'ping' }))).toEqual(insufficientScope('notes:read'));
    });

    it('add their scopes to the metadata', async () => {
      const { json } = await app.send(`${PRM}/notes`);
      const scopes = ['notes:read', 'notes:write', 'notes:greet', 'notes:all', 'note:read'];
      expect(json).toMatchObject({ scopes_supported: scopes });
    });

    verifies(
      'SCP-01',
      'do not run for a body of another type, which a parser leaves to the server',
      async () => {
        const reader = await token('notes:read');
        const body = JSON.stringify(message('tools/call', { name: 'write', arguments: {} }));
        const types = [
          'text/plain',
          'text/plain; x=application/json',
          'application/json;',
          'application/json; charset=',
        ];
        for (const type of [
          ...types,
          'application/json5',
          'APPLICATION/JSON',
          'application/json; charset=utf-16',
        ]) {
          const { status } = await post(reader, body, { 'content-type': type });
          expect([type, status >= 400]).toEqual([type, true]);
        }
        expect(ran).toEqual([]);
        const writer = await token('notes:read notes:write');
        expect((await post(writer, body, { 'content-type': 'APPLICATION/JSON' })).status).toBe(200);
        expect(ran).toEqual(['write']);
      },
    );
  },
);

describe('a source with an invalid declaration', () => {
  class Wrong extends McpHandlerSource {
    declarations() {
      return [
        { kind: 'tool', name: 'write', requirements: ['notes write'] },
        { kind: 'prompt', name: 'greet', requirements: [], resource: 'admin' },
      ] as const;
    }
  }

  it('fails startup with the source, the mistake and the fix', async () => {
    const error = await startFailure({ resources: offlineResource(NOTES) }, { providers: [Wrong] });
    expect(error).toBeInstanceOf(McpAuthConfigError);
    expect(error.message).toBe(
      listing(
        'Wrong.declarations()[0].requirements[0]: must be one scope: printable ASCII without space, quote and backslash',
        `Wrong.declarations()[1].resource: names no configured resource; write one of "${NOTES}"`,
      ),
    );
  });
});
