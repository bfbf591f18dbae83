import { setTimeout as delay } from 'node:timers/promises';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Inject,
  Injectable,
  Post,
  Req,
  UseGuards,
} from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { describe, expect } from 'vitest';
import { AuthContext, AuthInfo, BearerAuthGuard, RequireScopes } from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

/** Where Nest keeps the parameters of a handler, for those who call it in a context of their own. */
const ROUTE_ARGUMENTS = '__routeArguments__';

/** Whom a guard behind ours has seen. */
const seen: { caller?: AuthInfo | undefined } = {};

const kept: { request?: object } = {};

@Injectable()
class LaterGuard implements CanActivate {
  constructor(private readonly context: AuthContext) {}

  canActivate(execution: ExecutionContext): boolean {
    seen.caller = this.context.current();
    return execution.getType<string>() !== 'http';
  }
}

@Injectable()
class Tools {
  constructor(private readonly context: AuthContext) {}

  @UseGuards(BearerAuthGuard, LaterGuard)
  async whoami(@AuthInfo() auth: AuthInfo | undefined): Promise<string> {
    await delay(1);
    const same = auth === this.context.current() && auth === seen.caller;
    return `${auth?.subject ?? 'nobody'} ${String(same)}`;
  }

  @RequireScopes('notes:write')
  write(@AuthInfo('subject') subject: string): string {
    return subject;
  }
}

type Handler = (...args: unknown[]) => unknown;

function handlerOf(name: 'whoami' | 'write'): Handler {
  return Reflect.get(Tools.prototype, name) as Handler;
}

/** Calls tools as a library of Nest does that has an execution context of its own. */
@Injectable()
class ToolCaller {
  @Inject() private readonly creator!: ExternalContextCreator;
  @Inject() private readonly tools!: Tools;

  call(name: 'whoami' | 'write', type: string, context?: object): Promise<unknown> {
    const paramsFactory = { exchangeKeyForValue: () => undefined };
    const handler = this.creator.create(
      this.tools,
      handlerOf(name),
      name,
      ROUTE_ARGUMENTS,
      paramsFactory,
      undefined,
      undefined,
      { guards: true, interceptors: true, filters: false },
      type,
    );
    return Promise.resolve(handler({}, context)).catch((error: unknown) => `rejected: ${String(error)}`);
  }
}

@Controller('notes')
class Endpoints {
  constructor(private readonly caller: ToolCaller) {}

  private async all(type: string): Promise<unknown> {
    return [await this.caller.call('whoami', type), await this.caller.call('write', type)];
  }

  @Post('guarded')
  @UseGuards(BearerAuthGuard)
  guarded(): Promise<unknown> {
    return this.all('mcp');
  }

  /** Keeps its request, for what comes of it later. */
  @Post('kept')
  @UseGuards(BearerAuthGuard)
  kept(@Req() request: object): string[] {
    kept.request = request;
    return [];
  }

  @Post('open')
  open(): Promise<unknown> {
    return this.all('mcp');
  }

  @Post('unknown')
  @UseGuards(BearerAuthGuard)
  unknown(): Promise<unknown> {
    return this.all('graphql');
  }
}

const REJECTED = expect.stringMatching(/^rejected: .*/) as string;

describe.each(PLATFORMS)('handlers in a context that a library makes, on %s', (platform) => {
  async function startContexts(): Promise<{ app: RunningApp; as: LoopbackAuthorizationServer }> {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const parts = { controllers: [Endpoints], providers: [Tools, ToolCaller, LaterGuard] };
    const app = closeAfterTest(await startApp({ resources }, { ...parts, platform }));
    return { app, as };
  }

  const ask = async (app: RunningApp, path: string, token: string): Promise<unknown> =>
    (await app.send(path, { method: 'POST', headers: { authorization: `Bearer ${token}` } })).json;

  verifies('F91', 'of the type mcp know the caller of the request that they run in', async () => {
    const { app, as } = await startContexts();
    const token = (scope: string, sub = 'u1') => as.token({ aud: NOTES, scope, sub });
    const writer = await token('notes:read notes:write', 'u2');
    expect(await ask(app, '/notes/guarded', writer)).toEqual(['u2 true', 'u2']);
    expect(await ask(app, '/notes/guarded', await token('notes:read'))).toEqual(['u1 true', REJECTED]);
    // An open route admits nobody, so that what it calls is not open either.
    expect(await ask(app, '/notes/open', writer)).toEqual([REJECTED, REJECTED]);
    // Outside of a request there is nobody.
    const caller = app.app.get(ToolCaller);
    expect([await caller.call('whoami', 'mcp'), await caller.call('write', 'mcp')]).toEqual([
      REJECTED,
      REJECTED,
    ]);
  });

  verifies('F91', 'of the type rpc know the request that they are called for, or are rejected', async () => {
    const { app, as } = await startContexts();
    const writer = await as.token({ aud: NOTES, scope: 'notes:read notes:write', sub: 'u2' });
    await ask(app, '/notes/kept', writer);
    const caller = app.app.get(ToolCaller);
    // A message of another kind, as of a queue, has no such request.
    for (const context of [
      undefined,
      {},
      { getRawRequest: () => undefined },
      { getRawRequest: () => null },
      { getRawRequest: () => 'request' },
      { getRawRequest: () => ({ headers: {}, auth: { subject: 'forged', scopes: ['notes:write'] } }) },
    ]) {
      expect(await caller.call('whoami', 'rpc', context)).toEqual(REJECTED);
      expect(await caller.call('write', 'rpc', context)).toEqual(REJECTED);
    }
    // Where the course of the request is lost, the one that is handed on counts.
    const context = { getRawRequest: () => kept.request };
    expect(await caller.call('write', 'rpc', context)).toBe('u2');
    expect(await caller.call('whoami', 'rpc', context)).toBe('u2 false');
  });

  verifies('STD-02', 'of the type rpc are no local calls where anything tells of HTTP', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const parts = { providers: [Tools, ToolCaller, LaterGuard] };
    const options = { resources, stdio: { subject: 'ada', scopes: ['notes:write'] } };
    const { app } = closeAfterTest(await startApp(options, { ...parts, platform }));
    const caller = app.get(ToolCaller);
    const getSession = () => ({ transport: 'stdio' });
    const authInfo = { token: '', clientId: '', scopes: ['notes:write'] };
    for (const context of [
      null,
      'stdio',
      { transport: 'stdio', authInfo },
      { getSession: () => undefined },
      { getSession: () => ({ transport: 'STDIO' }) },
      { getSession, getRawRequest: () => ({}) },
      { getSession, getRawRequest: () => 'request' },
      { getSession, sdkContext: { http: { req: {}, authInfo } } },
      { sdkContext: { http: { req: {}, authInfo } } },
      { sdkContext: { authInfo } },
      { getSession: () => ({ transport: 'streamable-http' }), sdkContext: { http: { authInfo } } },
    ]) {
      expect(await caller.call('write', 'rpc', context as object)).toEqual(REJECTED);
    }
    // Their neighbours, and another context type.
    expect(await caller.call('write', 'rpc', { getSession, getRawRequest: () => undefined })).toBe('ada');
    expect(await caller.call('write', 'rpc', { getSession, sdkContext: {} })).toBe('ada');
    for (const type of ['mcp', 'graphql', 'ws']) {
      expect(await caller.call('write', type, { getSession })).toEqual(REJECTED);
    }
  });

  verifies('F91', 'of an unknown type are rejected', async () => {
    const { app, as } = await startContexts();
    const writer = await as.token({ aud: NOTES, scope: 'notes:read notes:write' });
    expect(await ask(app, '/notes/unknown', writer)).toEqual([REJECTED, REJECTED]);
  });
});
