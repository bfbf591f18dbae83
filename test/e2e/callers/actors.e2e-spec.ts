import { Controller, Get, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import {
  AuthInfo,
  BearerAuthGuard,
  McpAuthDiagnostics,
  McpAuthEvents,
  type McpAuthModuleOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { beforeEach, describe, expect } from 'vitest';
import { z } from 'zod';
import { type RunningApp, start } from '../../fixtures/app.js';
import { inMemoryServer, startWithoutHttp } from '../../fixtures/in-memory.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { invalidToken } = notesRejections('');
const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };

@Controller('notes')
@UseGuards(BearerAuthGuard)
class ActorController {
  @Get()
  who(@AuthInfo() { subject, actor }: AuthInfo) {
    return { subject, actor: actor ?? null, isFrozen: [actor, actor?.actor].every(Object.isFrozen) };
  }
}

@McpController()
class ActorTools {
  @Tool({ name: 'who', description: 'Who', parameters: z.object({}) })
  @RequireScopes('notes:read')
  who(@AuthInfo() auth?: AuthInfo): { content: { type: 'text'; text: string }[] } {
    return { content: [{ type: 'text', text: auth?.actor?.subject ?? 'nobody' }] };
  }
}

describe('the actor of a token', () => {
  let as: TestAuthorizationServer;

  beforeEach(async () => {
    as = closeAfterTest(await TestAuthorizationServer.start());
  });

  const startWith = (more: Partial<McpAuthModuleOptions> = {}): Promise<RunningApp> =>
    start(
      {
        resources: {
          resource: NOTES,
          authorizationServers: [{ issuer: as.issuer, introspection: CLIENT }],
        },
        ...more,
      },
      { controllers: [ActorController] },
    );

  const acting = (act: unknown) => ({ audience: NOTES, sub: 'u1', claims: { act } });

  const get = (app: RunningApp, token: string) =>
    app.send('/notes', { headers: { authorization: `Bearer ${token}` } });

  verifies('ACT-04', 'is in AuthInfo, with the actors before it, and frozen', async () => {
    const app = await startWith();
    const act = { sub: 'agent', iss: as.issuer, act: { client_id: 'gateway' } };
    const { status, json } = await get(app, await as.issueToken(acting(act)));
    expect([status, json]).toEqual([
      200,
      {
        subject: 'u1',
        actor: { subject: 'agent', issuer: as.issuer, actor: { clientId: 'gateway' } },
        isFrozen: true,
      },
    ]);
    expect((await get(app, await as.issueToken(acting(undefined)))).json).toMatchObject({ actor: null });
  });

  verifies(['ACT-02', 'ACT-03'], 'is not ignored if it is not understood: 401', async () => {
    const app = await startWith();
    const deep = (count: number): unknown =>
      count === 1 ? { sub: 'a' } : { sub: 'a', act: deep(count - 1) };
    expect((await get(app, await as.issueToken(acting(deep(8))))).status).toBe(200);
    for (const act of [deep(9), deep(300), 'agent', null, [], {}, { sub: ['a'] }, { sub: 'a', act: '' }])
      expect(rejectedAs(await get(app, await as.issueToken(acting(act))))).toEqual(invalidToken);
  });

  verifies('ACT-05', 'is named in events, and changed by the option redact', async () => {
    const app = await startWith({ redact: { subject: (subject) => `#${subject}` } });
    const seen: (string | undefined)[] = [];
    for (const type of ['access_granted', 'access_denied'] as const)
      app.app.get(McpAuthEvents).on(type, ({ actor }) => seen.push(actor));
    for (const act of [
      { sub: 'a', client_id: 'c' },
      { client_id: 'c' },
      undefined,
      'x',
      null,
      { sub: 'a', act: 1 },
    ])
      await get(app, await as.issueToken(acting(act)));
    expect(seen).toEqual(['#a', '#c', undefined, undefined, undefined, '#a']);
  });

  verifies('ACT-06', 'comes from introspection answers too, and explain() checks it', async () => {
    const app = await startWith();
    const good = as.issueOpaqueToken(acting({ sub: 'agent' }));
    expect((await get(app, good)).json).toMatchObject({ actor: { subject: 'agent' } });
    expect(rejectedAs(await get(app, as.issueOpaqueToken(acting({}))))).toEqual(invalidToken);
    const thousand = JSON.parse(`${'{"sub":"a","act":'.repeat(1000)}null${'}'.repeat(1000)}`) as unknown;
    expect(rejectedAs(await get(app, as.issueOpaqueToken(acting(thousand))))).toEqual(invalidToken);
    const explained = await app.app.get(McpAuthDiagnostics).explain(await as.issueToken(acting([])));
    expect(explained).toMatchObject({ reason: 'actor' });
  });

  verifies('ACT-06', 'comes from the claims of a local caller too', async () => {
    const server = inMemoryServer('in-memory');
    const authorizationServers = ['https://nowhere.invalid'];
    await startWithoutHttp(
      { resources: { resource: NOTES, authorizationServers } },
      { controllers: [ActorTools] },
      server,
    );
    const who = async (act: unknown): Promise<unknown> => {
      const client = await server.connect({ clientId: 'c', scopes: ['notes:read'], claims: { act } });
      return client
        .callTool({ name: 'who', arguments: {} })
        .then(({ content }) => (content[0]?.type === 'text' ? content[0].text : content))
        .catch((error: unknown) => (error as { code: unknown }).code);
    };
    expect([await who({ sub: 'agent' }), await who(undefined), await who('agent')]).toEqual([
      ...['agent', 'nobody', 401],
    ]);
  });
});
