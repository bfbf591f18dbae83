import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, ExternalContextCreator } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
} from '@nestjs/microservices';
import type { Server } from 'node:net';
import { firstValueFrom } from 'rxjs';
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
import { createApp, PLATFORMS, type RunningApp, startCreated } from '../../fixtures/app.js';
import { AppController } from '../../fixtures/apps.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const CHALLENGE = `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`;

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

const options = (): McpAuthModuleOptions => ({
  resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
});

/** The patterns whose handlers ran. */
let ran: string[] = [];

beforeEach(() => {
  ran = [];
});

@Controller()
class MessagesController {
  constructor(private readonly context: AuthContext) {}

  @MessagePattern('plain')
  plain(@AuthInfo() auth: AuthInfo | undefined): string {
    return this.run('plain', auth);
  }

  @MessagePattern('guarded')
  @UseGuards(BearerAuthGuard)
  guarded(@AuthInfo() auth: AuthInfo | undefined): string {
    return this.run('guarded', auth);
  }

  @MessagePattern('scoped')
  @RequireScopes('notes:read')
  scoped(@AuthInfo() auth: AuthInfo | undefined): string {
    return this.run('scoped', auth);
  }

  @MessagePattern('anonymous')
  @UseGuards(BearerAuthGuard)
  @AllowAnonymous()
  anonymous(@AuthInfo() auth: AuthInfo | undefined): string {
    return this.run('anonymous', auth);
  }

  @MessagePattern('skipped')
  @UseGuards(BearerAuthGuard)
  @SkipBearerAuth()
  skipped(@AuthInfo() auth: AuthInfo | undefined): string {
    return this.run('skipped', auth);
  }

  @EventPattern('event')
  @UseGuards(BearerAuthGuard)
  event(@Payload() payload: unknown): void {
    ran.push(`event ${JSON.stringify(payload)}`);
  }

  private run(pattern: string, auth: AuthInfo | undefined): string {
    ran.push(pattern);
    return `${auth?.subject ?? 'nobody'} ${this.context.current()?.subject ?? 'nobody'}`;
  }
}

describe.each(PLATFORMS)('a hybrid app on %s', (platform) => {
  describe.each([
    ['leaves its guards to HTTP', false],
    ['has its guards everywhere', true],
  ])('that %s', (_, inheritAppConfig) => {
    let app: RunningApp;
    let client: ClientProxy;

    beforeAll(async () => {
      app = await createApp(options(), {
        platform,
        controllers: [AppController, MessagesController],
        providers: [{ provide: APP_GUARD, useClass: BearerAuthGuard }],
        prepare: async (nest) => {
          const microservice = nest.connectMicroservice(
            { transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } },
            { inheritAppConfig },
          );
          await nest.startAllMicroservices();
          const { port } = microservice.unwrap<Server>().address() as { port: number };
          client = ClientProxyFactory.create({
            transport: Transport.TCP,
            options: { host: '127.0.0.1', port },
          });
        },
      });
    });

    afterAll(async () => {
      await client.close();
      await app.close();
    });

    const ask = async (pattern: string, payload: unknown = {}): Promise<unknown> => {
      try {
        return await firstValueFrom(client.send<unknown>(pattern, payload));
      } catch (error) {
        return error;
      }
    };

    verifies('SCP-29', 'denies messages without an HTTP request', async () => {
      const token = await as.token({ aud: NOTES, scope: 'notes:read' });
      const forged = {
        headers: { authorization: `Bearer ${token}` },
        auth: { subject: 'u1', scopes: ['notes:read'] },
        getRawRequest: 'x',
      };
      for (const pattern of ['guarded', 'scoped', 'anonymous']) {
        for (const payload of [{}, forged]) {
          expect(await ask(pattern, payload)).toMatchObject({ status: 'error' });
        }
      }
      expect(ran).toEqual([]);
      expect(await ask('skipped')).toBe('nobody nobody');
      expect(ran).toEqual(['skipped']);
      if (inheritAppConfig) expect(await ask('plain')).toMatchObject({ status: 'error' });
      else expect(await ask('plain')).toBe('nobody nobody');
    });

    verifies('SCP-29', 'denies events in silence', async () => {
      await firstValueFrom(client.emit('event', { a: 1 }));
      // The answer to a message that is sent later shows that the event has been dealt with.
      await ask('skipped');
      expect(ran).toEqual(['skipped']);
    });

    it('guards its HTTP side as without it', async () => {
      const rejected = await app.send('/notes');
      expect([rejected.status, rejected.headers['www-authenticate']]).toEqual([401, CHALLENGE]);
      const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}` };
      expect(await app.send('/notes', { headers })).toMatchObject({ status: 200, json: { subject: 'u1' } });
    });
  });
});

describe.each(PLATFORMS)('contexts that Nest does not know, on %s', (platform) => {
  /** As @nestjs/graphql calls its resolvers. */
  function resolver(app: RunningApp, instance: { resolve(...args: unknown[]): string }, type: string) {
    const create = app.app.get(ExternalContextCreator);
    return create.create(
      instance,
      // eslint-disable-next-line @typescript-eslint/unbound-method -- Nest binds it to the instance
      instance.resolve,
      'resolve',
      undefined,
      undefined,
      undefined,
      undefined,
      { guards: true, interceptors: true, filters: true },
      type,
    );
  }

  verifies('SCP-29', 'are denied, whatever request they bring along', async () => {
    @Injectable()
    @UseGuards(BearerAuthGuard)
    class Resolver {
      resolve(): string {
        ran.push('resolved');
        return 'resolved';
      }
    }
    const app = await startCreated(options(), { platform, providers: [Resolver] });
    const authorization = `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}`;
    const req = { headers: { authorization }, rawHeaders: ['Authorization', authorization], auth: {} };
    for (const type of ['graphql', 'ws', 'unheard-of']) {
      for (const args of [[], [req], [{}, {}, { req }, {}]]) {
        const call = Promise.resolve().then(() => resolver(app, app.app.get(Resolver), type)(...args));
        await expect(call).rejects.toMatchObject({ status: 401 });
      }
    }
    expect(ran).toEqual([]);
  });

  verifies(
    'SCP-29',
    'are understood by a guard that finds the request, once that is authenticated',
    async () => {
      /** For a context whose third argument has the request. */
      @Injectable()
      class ResolverGuard extends BearerAuthGuard {
        protected override getRequest(context: ExecutionContext): object | undefined {
          return context.getArgByIndex<{ req?: object } | undefined>(2)?.req ?? super.getRequest(context);
        }
      }
      @Injectable()
      @UseGuards(ResolverGuard)
      class Resolver {
        resolve(): string {
          ran.push('resolved');
          return 'resolved';
        }
      }
      /** Calls the resolver before and after the request is admitted, as a route of its own would. */
      let call: (req: object) => Promise<unknown> = () => Promise.resolve();
      @Injectable()
      class Before implements CanActivate {
        async canActivate(context: ExecutionContext): Promise<boolean> {
          const outcome = await call(context.switchToHttp().getRequest()).catch(() => 'denied');
          ran.push(String(outcome));
          return true;
        }
      }
      @Controller('notes')
      @UseGuards(Before, BearerAuthGuard, Before)
      class Notes {
        @Get()
        get(): string {
          return 'notes';
        }
      }
      const app = await startCreated(options(), { platform, controllers: [Notes], providers: [Resolver] });
      const resolve = resolver(app, app.app.get(Resolver), 'graphql');
      call = async (req) => resolve({}, {}, { req }, {}) as unknown;
      const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}` };
      await app.send('/notes', { headers });
      expect(ran).toEqual(['denied', 'resolved', 'resolved']);
    },
  );
});
