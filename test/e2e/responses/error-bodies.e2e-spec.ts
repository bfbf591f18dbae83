import { inspect } from 'node:util';
import { Controller, type INestApplication, type Type, UseGuards } from '@nestjs/common';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BearerAuthGuard, type McpAuthModuleOptions, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { type HttpAnswer, sendRaw } from '../../fixtures/http.js';
import { failing } from '../../fixtures/living-app.js';
import { notesRejections, type Rejected, rejectedAs, UNAVAILABLE } from '../../fixtures/notes-rejections.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, noTokenFor, invalidToken, severalCredentials, insufficientScope } =
  notesRejections('notes:read');

const parameters = z.object({});

@McpController()
class NotesTools {
  static ran = 0;

  @Tool({ name: 'list_notes', description: 'List', parameters })
  list() {
    NotesTools.ran += 1;
    return { content: [{ type: 'text' as const, text: 'notes' }] };
  }

  @Tool({ name: 'purge', description: 'Purge', parameters })
  @RequireScopes('notes:admin')
  purge() {
    NotesTools.ran += 1;
    return { content: [{ type: 'text' as const, text: 'purged' }] };
  }
}

/** A strategy binds to one app, so each app gets an endpoint of its own. */
function endpoint(): { guarded: Type; connect: (nest: INestApplication) => Promise<void> } {
  const transport = new StreamableHttpTransport({});
  const strategy = new McpStrategy({ name: 'notes', version: '1', transports: [transport], logging: false });

  @Controller('notes')
  @UseGuards(BearerAuthGuard)
  class NotesEndpoint extends McpHttpControllerFor(transport) {}

  const connect = async (nest: INestApplication): Promise<void> => {
    strategy.setHttpAdapter(nest.getHttpAdapter());
    nest.connectMicroservice({ strategy });
    await nest.startAllMicroservices();
  };
  return { guarded: NotesEndpoint, connect };
}

const call = (name: string, id: unknown = 7): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});

/** The 401 names what the called tool needs. */
const noTokenToPurge = noTokenFor('notes:read notes:admin');

describe('the body of a rejection', () => {
  let as: LoopbackAuthorizationServer;
  /** Its keys cannot be had. */
  let down: LoopbackAuthorizationServer;
  const apps: Record<'plain' | 'detailed' | 'rpc' | 'detailedRpc', RunningApp> = {} as never;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    down = await LoopbackAuthorizationServer.start();
    down.at('/jwks', failing);
    const startWith = async (more: Partial<McpAuthModuleOptions>): Promise<RunningApp> => {
      const { guarded, connect } = endpoint();
      const resources = {
        resource: NOTES,
        authorizationServers: [as.issuer, down.issuer],
        requiredScopes: ['notes:read'],
      };
      return startApp({ resources, ...more }, { controllers: [guarded, NotesTools], prepare: connect });
    };
    apps.plain = await startWith({});
    apps.detailed = await startWith({ showErrorDetails: true });
    apps.rpc = await startWith({ errorBody: 'json-rpc' });
    apps.detailedRpc = await startWith({ errorBody: 'json-rpc', showErrorDetails: true });
  });

  afterAll(async () => {
    await Promise.all([...Object.values(apps), as, down].map((each) => each.close()));
  });

  const mint = (claims: Record<string, unknown> = {}): Promise<string> =>
    as.token({ aud: NOTES, scope: 'notes:read', ...claims });

  const post = (
    app: RunningApp,
    token: string | undefined,
    body: unknown = call('purge'),
  ): Promise<HttpAnswer> =>
    app.send('/notes', {
      method: 'POST',
      headers: {
        'mcp-protocol-version': '2025-11-25',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body,
    });

  /** Tokens, what they are rejected with, and what `showErrorDetails` adds. */
  const rows = async (): Promise<[token: string | undefined, answer: Rejected, details: object][]> => [
    [undefined, noTokenToPurge, { reason: 'missing_token' }],
    ['abc', invalidToken, { reason: 'malformed' }],
    [await mint({ aud: `${NOTES}2` }), invalidToken, { reason: 'audience' }],
    [await mint({ exp: 1 }), invalidToken, { reason: 'expired' }],
    [await mint({ iss: 'https://user-7.example' }), invalidToken, { reason: 'issuer' }],
    [await mint({ sub: 7 }), invalidToken, { reason: 'subject' }],
    [`${await mint()}, Bearer x`, severalCredentials, { reason: 'multiple_credentials' }],
    [await mint(), insufficientScope('notes:read notes:admin'), { reason: 'insufficient_scope' }],
    [await mint({ iss: down.issuer }), UNAVAILABLE, { reason: 'unavailable', server: down.issuer }],
  ];

  verifies(['F105', 'CHL-15'], 'has the reason by choice only; the challenge stays as it is', async () => {
    NotesTools.ran = 0;
    for (const [token, { status, challenge, json }, details] of await rows()) {
      const plain = await post(apps.plain, token);
      expect(rejectedAs(plain)).toEqual({ status, challenge, json });
      const detailed = await post(apps.detailed, token);
      expect(rejectedAs(detailed)).toEqual({ status, challenge, json: { ...(json as object), ...details } });
      for (const part of (token ?? '').split('.').filter(({ length }) => length > 9)) {
        expect(detailed.text).not.toContain(part);
      }
      expect(detailed.text).not.toMatch(/user-7|u1|c1|j1|Error/);
    }
    expect(NotesTools.ran).toBe(0);
  });

  verifies(['F107', 'CHL-24'], 'is a JSON-RPC error with the id of the request, by choice', async () => {
    for (const [token, { status, challenge, json }, details] of await rows()) {
      const { error_description: message } = json as { error_description: string };
      const error = { code: status, message, data: json };
      for (const id of [7, 'seven', 0, '']) {
        const answer = await post(apps.rpc, token, call('purge', id));
        expect(rejectedAs(answer)).toEqual({ status, challenge, json: { jsonrpc: '2.0', id, error } });
        expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      }
      const detailed = await post(apps.detailedRpc, token);
      const data = { ...(json as object), ...details };
      expect(detailed.json).toEqual({ jsonrpc: '2.0', id: 7, error: { ...error, data } });
      expect(detailed.headers['www-authenticate']).toBe(challenge);
    }
  });

  it('has no id where there is none to answer to', async () => {
    const bodies = [
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      call('purge', null),
      [call('purge', 7)],
      { jsonrpc: '2.0', id: 7, result: {} },
      { id: 7, method: 'tools/call' },
      { ...call('purge'), id: { a: 1 } },
      {},
    ];
    for (const body of bodies) {
      const { status, json } = await post(apps.rpc, undefined, body);
      expect([inspect(body), status, json]).toMatchObject([inspect(body), 401, { jsonrpc: '2.0', id: null }]);
    }
    const get = await apps.rpc.send('/notes');
    expect(get).toMatchObject({ status: 401, json: { id: null, error: { code: 401 } } });
    const head = await sendRaw(
      apps.rpc.origin,
      'HEAD /notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(head).toMatch(/^HTTP\/1\.1 401 /);
    expect(head.split('\r\n\r\n')[1]).toBe('');
  });

  verifies(
    'H11',
    'repeats an id that imitates a challenge in the id only, and a tool name nowhere',
    async () => {
      const token = await mint();
      for (const evil of [
        'x", resource_metadata="https://evil.example/',
        'x\r\nX-Evil: 1',
        '</script><b>scope=admin',
      ]) {
        const clean = await post(apps.rpc, token, call('purge', 7));
        const answer = await post(apps.rpc, token, call('purge', evil));
        expect(answer.headers['www-authenticate']).toBe(clean.headers['www-authenticate']);
        expect(answer.headers).not.toHaveProperty('x-evil');
        expect(answer.json).toEqual({ ...(clean.json as object), id: evil });
        const named = await post(apps.rpc, undefined, call(evil));
        expect(rejectedAs(named)).toMatchObject({ status: 401, challenge: noToken.challenge });
        expect(named.text).not.toMatch(/evil|admin/i);
        const plain = await post(apps.detailed, token, call('purge', evil));
        expect(plain.text).not.toMatch(/evil|admin"/i);
      }
    },
  );

  it('does not appear if the request is served', async () => {
    for (const app of Object.values(apps)) {
      const admin = await mint({ scope: 'notes:read notes:admin' });
      expect((await post(app, admin)).text).toContain('purged');
      expect((await post(app, await mint(), call('list_notes'))).text).toContain('notes');
    }
  });
});
