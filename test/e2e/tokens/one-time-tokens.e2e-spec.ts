import { randomUUID } from 'node:crypto';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AuthContext,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  ProtectedResource,
  type ReplayStore,
  RequireScopes,
  ResourceTokenVerifier,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { type AppParts, RecordingLogger, type RunningApp, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { TestClock } from '../../fixtures/clock.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { FAULT, notesRejections, rejectedAs, UNAVAILABLE } from '../../fixtures/notes-rejections.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { insufficientScope, invalidToken } = notesRejections('notes:read');

/** A second guard on a route, and a route of another resource below the path of the first. */
@Controller('notes')
@ProtectedResource('notes')
@UseGuards(BearerAuthGuard, BearerAuthGuard)
class Layers {
  @Get('twice')
  twice() {
    return { served: true };
  }

  @Get('admin')
  @ProtectedResource('admin')
  admin() {
    return { served: true };
  }
}

@McpController()
class Tools {
  constructor(private readonly context: AuthContext) {}

  @Tool({ name: 'read', description: 'Read', parameters: z.object({}) })
  @RequireScopes('notes:read')
  read() {
    return { content: [{ type: 'text' as const, text: 'read' }] };
  }

  @Tool({ name: 'late', description: 'Late', parameters: z.object({}) })
  late() {
    this.context.requireScopes('notes:late');
    return { content: [{ type: 'text' as const, text: 'late' }] };
  }
}

describe('oneTimeTokens', () => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  type OneTimeTokens = boolean | { replayStore?: ReplayStore };

  function startWith(
    oneTimeTokens: OneTimeTokens = true,
    more: Partial<McpAuthModuleOptions> = {},
    parts: AppParts = { controllers: [NotesController] },
  ): Promise<RunningApp> {
    const authorizationServers = [{ issuer: as.issuer, oneTimeTokens }];
    const resources = [
      { name: 'notes', resource: NOTES, authorizationServers, requiredScopes: ['notes:read'] },
      { name: 'admin', resource: ADMIN, authorizationServers },
    ];
    const [notes] = resources;
    const isAlone = parts.controllers?.[0] === NotesController;
    return start({ resources: isAlone ? notes! : resources, ...more }, parts);
  }

  const token = (claims: Record<string, unknown> = {}): Promise<string> =>
    as.token({ aud: [NOTES, ADMIN], scope: 'notes:read', jti: randomUUID(), ...claims });

  const ask = (app: RunningApp, bearer: string, path = '/notes'): Promise<HttpAnswer> =>
    app.send(path, { headers: { authorization: `Bearer ${bearer}` } });

  const status = async (...asked: Parameters<typeof ask>): Promise<number> => (await ask(...asked)).status;

  verifies('POP-40', 'accepts a token once, and says why it rejects the second request', async () => {
    const reasons: string[] = [];
    const app = await startWith(true, { onUnauthorized: ({ reason }) => reasons.push(reason) });
    const [first, second] = [await token(), await token()];
    expect([await status(app, first), await status(app, second)]).toEqual([200, 200]);
    for (const used of [first, second]) expect(rejectedAs(await ask(app, used))).toEqual(invalidToken);
    expect(await status(app, await token())).toBe(200);
    expect(reasons).toEqual(['replayed', 'replayed']);
  });

  verifies('POP-40', 'accepts one of many requests at the same time', async () => {
    const app = await startWith();
    const bearer = await token();
    const statuses = await Promise.all(Array.from({ length: 20 }, () => status(app, bearer)));
    expect(statuses.filter((each) => each === 200)).toHaveLength(1);
    expect(statuses.filter((each) => each === 401)).toHaveLength(19);
  });

  verifies(
    'POP-40',
    'knows a token by its jti, however often it was signed, and of this issuer only',
    async () => {
      const other = await LoopbackAuthorizationServer.start();
      const servers = [as.issuer, other.issuer].map((issuer) => ({ issuer, oneTimeTokens: true }));
      const resources = { resource: NOTES, authorizationServers: servers, requiredScopes: ['notes:read'] };
      const app = await start({ resources }, { controllers: [NotesController] });
      const jti = randomUUID();
      expect(await status(app, await token({ jti }))).toBe(200);
      expect(await status(app, await token({ jti, sub: 'u2' }))).toBe(401);
      const theirs = { aud: NOTES, scope: 'notes:read', jti };
      expect(await status(app, await other.token(theirs))).toBe(200);
      expect(await status(app, await other.token(theirs))).toBe(401);
      expect(await status(app, await token({ jti: `${jti}x` }))).toBe(200);
      await other.close();
    },
  );

  it('accepts a token again and again without the option', async () => {
    const app = await startWith(false);
    const bearer = await token({ jti: undefined });
    for (let count = 0; count < 3; count++) expect(await status(app, bearer)).toBe(200);
  });

  verifies('POP-46', 'rejects a token without jti, and one that ends too late to be remembered', async () => {
    const app = await startWith();
    for (const jti of [undefined, '', 7])
      expect(rejectedAs(await ask(app, await token({ jti })))).toEqual(invalidToken);
    const inDays = (days: number): number => Math.floor(Date.now() / 1000) + days * 86_400;
    expect(await status(app, await token({ exp: inDays(30) }))).toBe(200);
    expect(rejectedAs(await ask(app, await token({ exp: inDays(31) })))).toEqual(invalidToken);
  });

  verifies('POP-46', 'rejects a token without an expiry, of a verifier that does not need one', async () => {
    const claims = { iss: as.issuer, sub: 'u1', aud: NOTES, scope: 'notes:read', jti: 'j1' };
    const exp = Math.floor(Date.now() / 1000) + 60;
    const app = await startWith(true, {
      verifier: (asked) => (asked === 'ends' ? { ...claims, exp } : claims),
    });
    expect(rejectedAs(await ask(app, 'endless'))).toEqual(invalidToken);
    expect([await status(app, 'ends'), await status(app, 'ends')]).toEqual([200, 401]);
  });

  verifies(
    'POP-40',
    'remembers a token until a minute after its end, by the clock of the options',
    async () => {
      const asked: [string, number][] = [];
      const clock = new TestClock();
      clock.stop();
      const reserve = async (...args: [string, number]): Promise<boolean> => asked.push(args) > 0;
      const app = await startWith({ replayStore: { reserve } }, { now: clock.now });
      const exp = Math.floor(clock.now().getTime() / 1000) + 100;
      expect(await status(app, await token({ exp }))).toBe(200);
      expect(asked[0]?.[1]).toBe((exp + 5 + 60) * 1000 - clock.now().getTime());
    },
  );

  verifies('POP-50', 'gives the store a hash, and nothing of the token', async () => {
    const asked: string[] = [];
    class Store implements ReplayStore {
      private count = 0;
      readonly self: object = this; // as clients of databases refer to themselves

      async reserve(key: string): Promise<boolean> {
        this.count += 1;
        return asked.push(key) === this.count;
      }
    }
    const app = await startWith({ replayStore: new Store() });
    for (const jti of ['secret-1', 'secret-1', 'secret-2']) await ask(app, await token({ jti }));
    expect(asked).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/^jti\.[\w-]{43}$/) as unknown),
    );
    expect(new Set(asked).size).toBe(2);
  });

  verifies('POP-47', 'uses a token once in all layers of a request, also for two resources', async () => {
    for (const earlyAuthentication of [false, true]) {
      const app = await startWith(true, { earlyAuthentication }, { controllers: [Layers] });
      const bearer = await token();
      expect(await status(app, bearer, '/notes/twice')).toBe(200);
      expect(await status(app, bearer, '/notes/twice')).toBe(401);
      const both = await token();
      expect(await status(app, both, '/notes/admin')).toBe(200);
      expect(await status(app, both, '/notes/admin')).toBe(401);
    }
  });

  verifies(
    'POP-47',
    'uses a token once for the endpoint and the tool that a request calls, with its late step-up',
    async () => {
      for (const earlyAuthentication of [false, true]) {
        const { controller, connect } = mcpEndpoint();
        const resources = {
          resource: NOTES,
          authorizationServers: [{ issuer: as.issuer, oneTimeTokens: true }],
          requiredScopes: ['notes:read'],
        };
        const app = await start(
          { resources, earlyAuthentication },
          { controllers: [controller, Tools], prepare: connect },
        );
        const call = async (name: string, bearer: string): Promise<HttpAnswer> =>
          app.send('/notes', {
            method: 'POST',
            headers: { ...MCP_HEADERS, authorization: `Bearer ${bearer}` },
            body: toolCall(name),
          });
        const bearer = await token();
        expect((await call('read', bearer)).text).toContain('"read"');
        expect(rejectedAs(await call('read', bearer))).toEqual(invalidToken);
        const late = await token();
        expect(rejectedAs(await call('late', late))).toEqual(insufficientScope('notes:read notes:late'));
        expect(rejectedAs(await call('late', late))).toEqual(invalidToken);
        const stepped = await token({ scope: 'notes:read notes:late' });
        expect((await call('late', stepped)).text).toContain('"late"');
      }
    },
  );

  verifies('POP-47', 'counts a call of a host that names no request as a use', async () => {
    const app = await startWith();
    const verifier = app.app.get(ResourceTokenVerifier);
    const bearer = await token();
    expect((await verifier.verifyAccessToken(bearer)).subject).toBe('u1');
    await expect(verifier.verifyAccessToken(bearer)).rejects.toMatchObject({ cause: { reason: 'replayed' } });
    expect(await status(app, bearer)).toBe(401);
  });

  verifies('POP-48', 'does not use up a token that fails another check', async () => {
    const clock = new TestClock();
    let isRevoked = true;
    const app = await startWith(true, { now: clock.now, isRevoked: () => isRevoked });
    const bearer = await token();
    expect(rejectedAs(await ask(app, bearer))).toEqual(invalidToken);
    isRevoked = false;
    clock.forward(-3600);
    expect(rejectedAs(await ask(app, bearer))).toEqual(invalidToken);
    clock.forward(3600);
    const elsewhere = await app.send('/notes', {
      headers: { authorization: `Bearer ${bearer}`, origin: 'https://evil.example' },
    });
    expect(elsewhere.status).toBe(403);
    expect(await status(app, bearer)).toBe(200);
    expect(await status(app, bearer)).toBe(401);
  });

  verifies('POP-44', 'answers 500 to every request while the store lies', async () => {
    for (const answer of [1, 'OK', undefined, null, {}]) {
      const app = await startWith({ replayStore: { reserve: async () => answer as boolean } });
      expect(rejectedAs(await ask(app, await token()))).toEqual(FAULT);
    }
  });

  verifies(
    'POP-45',
    'answers 503 if the store throws or does not answer, and says so in the log',
    async () => {
      const fail = async (): Promise<boolean> => {
        throw new Error('no connection');
      };
      const hang = (): Promise<boolean> => new Promise(() => undefined);
      for (const [reserve, reason] of [
        [fail, 'The replay store threw: no connection'],
        [hang, 'The replay store gave no answer within 1000 ms'],
      ] as const) {
        const log = new RecordingLogger();
        const parts = { controllers: [NotesController], log };
        const app = await startWith({ replayStore: { reserve } }, { verifierTimeoutMs: 1000 }, parts);
        const answer = await ask(app, await token());
        expect(rejectedAs(answer)).toEqual(UNAVAILABLE);
        expect(answer.headers['retry-after']).toBe('5');
        expect([...log.errors, ...log.warnings].join('\n')).toContain(reason);
      }
    },
  );

  it('keeps stores of two servers apart', async () => {
    const count = { one: 0, other: 0 };
    const counting = (name: keyof typeof count): ReplayStore => ({
      reserve: async () => (count[name] += 1) > 0,
    });
    const resource = (identifier: string, name: keyof typeof count) => ({
      name,
      resource: identifier,
      authorizationServers: [{ issuer: as.issuer, oneTimeTokens: { replayStore: counting(name) } }],
    });
    const app = await start({ resources: [resource(NOTES, 'one'), resource(ADMIN, 'other')] });
    const verifier = app.app.get(ResourceTokenVerifier);
    await verifier.forResource('one').verifyAccessToken(await token());
    await verifier.forResource('other').verifyAccessToken(await token());
    expect(count).toEqual({ one: 1, other: 1 });
  });
});
