import { Controller, Get, Injectable, Post, Req, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AllowAnonymous,
  AuthContext,
  AuthInfo,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  RequireScopes,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, type Rejected, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { sendRawRequest } from '../../fixtures/raw-request.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, noTokenFor, invalidToken, severalCredentials, insufficientScope } =
  notesRejections('notes:read');

let ran = 0;

@Injectable()
class Greeter {
  constructor(private readonly context: AuthContext) {}

  /** Who is calling, by the context, the decorator and the request. */
  greet(auth: AuthInfo | undefined, request: { auth?: AuthInfo }): object {
    ran += 1;
    const callers = [auth, this.context.current(), request.auth];
    return { callers: callers.map((caller) => caller?.subject ?? 'nobody') };
  }
}

const NOBODY = { callers: ['nobody', 'nobody', 'nobody'] };
const SOMEBODY = { callers: ['u1', 'u1', 'u1'] };

/** One route of each kind, at the path of the resource. */
@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  constructor(private readonly greeter: Greeter) {}

  @Get('closed')
  closed(@AuthInfo() auth: AuthInfo | undefined, @Req() request: { auth?: AuthInfo }): object {
    return this.greeter.greet(auth, request);
  }

  @Get('anyone')
  @AllowAnonymous()
  anyone(@AuthInfo() auth: AuthInfo | undefined, @Req() request: { auth?: AuthInfo }): object {
    return this.greeter.greet(auth, request);
  }

  @Post('anyone')
  @AllowAnonymous()
  post(@AuthInfo() auth: AuthInfo | undefined, @Req() request: { auth?: AuthInfo }): object {
    return this.greeter.greet(auth, request);
  }

  @Get('scoped')
  @RequireScopes('notes:write')
  scoped(@AuthInfo() auth: AuthInfo | undefined, @Req() request: { auth?: AuthInfo }): object {
    return this.greeter.greet(auth, request);
  }

  @Get('skipped')
  @SkipBearerAuth()
  skipped(@AuthInfo() auth: AuthInfo | undefined, @Req() request: { auth?: AuthInfo }): object {
    return this.greeter.greet(auth, request);
  }
}

/** All of a class. */
@Controller('notes/class')
@UseGuards(BearerAuthGuard)
@AllowAnonymous()
class AnyoneController {
  constructor(private readonly greeter: Greeter) {}

  @Get()
  anyone(@AuthInfo() auth: AuthInfo | undefined, @Req() request: { auth?: AuthInfo }): object {
    return this.greeter.greet(auth, request);
  }
}

@McpController()
class Tools {
  @Tool({ name: 'whoami', description: 'Who', parameters: z.object({}) })
  whoami(@AuthInfo('subject') subject: string | undefined) {
    ran += 1;
    return { content: [{ type: 'text' as const, text: `I am ${subject ?? 'nobody'}` }] };
  }

  @Tool({ name: 'write', description: 'Write', parameters: z.object({}) })
  @RequireScopes('notes:write')
  write(@AuthInfo('subject') subject: string | undefined) {
    ran += 1;
    return { content: [{ type: 'text' as const, text: `written by ${subject ?? 'nobody'}` }] };
  }
}

describe.each(PLATFORMS)('callers without a token, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let good: string;
  let writer: string;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    good = await as.token({ aud: NOTES, scope: 'notes:read' });
    writer = await as.token({ aud: NOTES, scope: 'notes:read notes:write' });
  });

  afterAll(async () => {
    await as.close();
  });

  beforeEach(() => {
    ran = 0;
  });

  const options = (
    allowAnonymous: boolean,
    more: Partial<McpAuthModuleOptions> = {},
  ): McpAuthModuleOptions => ({
    resources: {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      allowAnonymous,
    },
    ...more,
  });
  const startPlain = async (...given: Parameters<typeof options>): Promise<RunningApp> =>
    closeAfterTest(
      await startApp(options(...given), {
        controllers: [NotesController, AnyoneController],
        providers: [Greeter],
        platform,
      }),
    );
  const get = (app: RunningApp, path: string, authorization?: string): Promise<HttpAnswer> =>
    app.send(path, authorization === undefined ? {} : { headers: { authorization } });

  async function expectRejected(answer: HttpAnswer, rejection: Rejected): Promise<void> {
    expect(rejectedAs(answer)).toEqual(rejection);
    expect(answer.headers['cache-control']).toBe('no-store');
  }

  async function expectGreeting(answer: HttpAnswer, greeting: object): Promise<void> {
    expect(answer).toMatchObject({ status: 200, json: greeting });
    expect(answer.headers['www-authenticate']).toBeUndefined();
  }

  /** What every place that takes anybody does with a request, and what it never does. */
  async function expectTakesAnybody(app: RunningApp, path: string): Promise<void> {
    await expectGreeting(await get(app, path), NOBODY);
    await expectGreeting(await get(app, `${path}?access_token=${good}`), NOBODY);
    await expectGreeting(await get(app, path, `Bearer ${good}`), SOMEBODY);
    expect(ran).toBe(3);
    const bad = [
      `Bearer ${good.slice(0, -10)}AAAAAAAAAA`,
      'Bearer abc',
      'Bearer a b',
      `Bearer ${await as.token({ aud: `${NOTES}2`, scope: 'notes:read' })}`,
      `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read', exp: 1 })}`,
    ];
    for (const authorization of bad) await expectRejected(await get(app, path, authorization), invalidToken);
    // Whoever sends the header wants to be known by it.
    for (const authorization of ['Basic dTpw', 'Bearer', 'Bearer ', '', 'Negotiate', `Bearer${good}`]) {
      await expectRejected(await get(app, path, authorization), noToken);
    }
    await expectRejected(await get(app, `${path}?access_token=x`, `Bearer ${good}`), severalCredentials);
    const lines = [`Authorization: Bearer ${good}`, `Authorization: Bearer ${good}`];
    await expectRejected(await sendRawRequest(app.origin, { target: path, lines }), severalCredentials);
    const unscoped = await as.token({ aud: NOTES, scope: 'other' });
    await expectRejected(await get(app, path, `Bearer ${unscoped}`), insufficientScope('notes:read'));
    expect(ran).toBe(3);
  }

  async function expectNeedsToken(
    app: RunningApp,
    path: string,
    token: string,
    rejection = noTokenFor('notes:read notes:write'),
  ): Promise<void> {
    const before = ran;
    for (const target of [path, `${path}?access_token=${token}`]) {
      await expectRejected(await get(app, target), rejection);
    }
    expect(ran).toBe(before);
    await expectGreeting(await get(app, path, `Bearer ${token}`), SOMEBODY);
  }

  verifies(
    ['F75', 'TOK-11'],
    'are served under @AllowAnonymous() on a method, and nowhere else',
    async () => {
      const app = await startPlain(false);
      await expectTakesAnybody(app, '/notes/anyone');
      await expectNeedsToken(app, '/notes/closed', good, noToken);
      await expectNeedsToken(app, '/notes/scoped', writer);
    },
  );

  verifies('F75', 'are served under @AllowAnonymous() on a class', async () => {
    await expectTakesAnybody(await startPlain(false), '/notes/class');
  });

  verifies('F75', 'are served at an open resource, except by routes with scopes of their own', async () => {
    const app = await startPlain(true);
    await expectTakesAnybody(app, '/notes/closed');
    await expectNeedsToken(app, '/notes/scoped', writer);
    await expectRejected(
      await get(app, '/notes/scoped', `Bearer ${good}`),
      insufficientScope('notes:read notes:write'),
    );
  });

  verifies('F75', 'are served with early authentication too', async () => {
    const app = await startPlain(true, { earlyAuthentication: true });
    await expectTakesAnybody(app, '/notes/closed');
    await expectNeedsToken(app, '/notes/scoped', writer);
  });

  it('get 401 from early authentication at a closed resource, whatever the route says', async () => {
    const app = await startPlain(false, { earlyAuthentication: true });
    for (const path of ['/notes/anyone', '/notes/class', '/notes/skipped']) {
      await expectRejected(await get(app, path), noToken);
    }
    expect(ran).toBe(0);
    await expectGreeting(await get(app, '/notes/anyone', `Bearer ${good}`), SOMEBODY);
  });

  verifies(
    'TOK-11',
    'are served where a bad token gets 401, and a route that skips authentication serves both',
    async () => {
      const app = await startPlain(false);
      for (const authorization of [undefined, `Bearer ${good}`, 'Bearer abc', 'Bearer', 'Basic dTpw', '']) {
        await expectGreeting(await get(app, '/notes/skipped', authorization), NOBODY);
      }
      await expectGreeting(await get(app, `/notes/skipped?access_token=${good}`, `Bearer ${good}`), NOBODY);
      await expectRejected(await get(app, '/notes/anyone', 'Bearer abc'), invalidToken);
    },
  );

  verifies('F75', 'may send a body, which is read whoever they are', async () => {
    const app = await startPlain(false);
    const call = toolCall('unknown');
    expect(await app.send('/notes/anyone', { method: 'POST', body: call })).toMatchObject({
      status: 201,
      json: NOBODY,
    });
    const headers = { authorization: 'Bearer abc' };
    await expectRejected(
      await app.send('/notes/anyone', { method: 'POST', body: call, headers }),
      invalidToken,
    );
  });

  describe('of tools', () => {
    const places: [string, boolean, Partial<McpAuthModuleOptions>, ClassDecorator[]][] = [
      ['the resource', true, {}, []],
      ['the resource, early', true, { earlyAuthentication: true }, []],
      ['the endpoint', false, {}, [AllowAnonymous()]],
    ];

    it.each(places)('are served by %s, except by tools with scopes', async (_, allow, more, decorators) => {
      const endpoint = mcpEndpoint({}, ...decorators);
      const app = closeAfterTest(
        await startApp(options(allow, more), {
          controllers: [endpoint.controller, Tools],
          prepare: endpoint.connect,
          platform,
        }),
      );
      const call = (body: unknown, bearer?: string): Promise<HttpAnswer> =>
        app.send('/notes', {
          method: 'POST',
          headers: { ...MCP_HEADERS, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) },
          body,
        });
      expect((await call(toolCall('whoami'))).text).toContain('I am nobody');
      expect((await call(toolCall('whoami'), good)).text).toContain('I am u1');
      expect(ran).toBe(2);
      await expectRejected(await call(toolCall('write')), noTokenFor('notes:read notes:write'));
      const batch = [toolCall('whoami'), toolCall('write', 2)];
      const headers = { ...MCP_HEADERS, 'mcp-protocol-version': '2025-03-26' };
      await expectRejected(
        await app.send('/notes', { method: 'POST', headers, body: batch }),
        noTokenFor('notes:read notes:write'),
      );
      await expectRejected(await call(toolCall('write'), 'abc'), invalidToken);
      await expectRejected(await call(toolCall('write'), good), insufficientScope('notes:read notes:write'));
      expect(ran).toBe(2);
      expect((await call(toolCall('write'), writer)).text).toContain('written by u1');
    });

    it('are rejected if neither resource nor tool allows them', async () => {
      const endpoint = mcpEndpoint();
      const app = closeAfterTest(
        await startApp(options(false), {
          controllers: [endpoint.controller, Tools],
          prepare: endpoint.connect,
          platform,
        }),
      );
      const body = toolCall('whoami');
      await expectRejected(await app.send('/notes', { method: 'POST', headers: MCP_HEADERS, body }), noToken);
      expect(ran).toBe(0);
    });
  });
});
