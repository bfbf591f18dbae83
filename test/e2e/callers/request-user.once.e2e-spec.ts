import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  type INestApplication,
  Post,
  Req,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { McpController, PublicTool, Tool, ToolRoles, ToolScopes } from '@rekog/mcp-nest';
import { Http2ServerRequest } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AllowAnonymous,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  type RequestUserOptions,
  RequireScopes,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { z } from 'zod';
import { PLATFORMS, RecordingLogger, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing, problems } from '../../fixtures/config-problems.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, invalidToken, insufficientScope } = notesRejections('notes:read');

type Requested = Record<string, unknown> & { readonly raw?: Record<string, unknown> };

/** What the platform's request and Node's have under a name; `absent` if they have no such property. */
const seen = (request: Requested, name = 'user'): unknown[] =>
  [request, request.raw ?? request].map((each) => (name in each ? each[name] : 'absent'));

/** What requests have when they are rejected. */
const left: unknown[] = [];

@Catch(HttpException)
class LeftoverFilter implements ExceptionFilter {
  catch(exception: HttpException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    left.push(...seen(http.getRequest<Requested>()));
    const response = http.getResponse<{ status(code: number): { send(body: unknown): void } }>();
    response.status(exception.getStatus()).send(exception.getResponse());
  }
}

let found: unknown[] = [];

@Controller('notes')
@UseFilters(LeftoverFilter)
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  get(@Req() request: Requested): void {
    found = seen(request);
  }

  @Get('member')
  member(@Req() request: Requested): void {
    found = seen(request, 'member');
  }

  @Get('anyone')
  @AllowAnonymous()
  anyone(@Req() request: Requested): void {
    found = seen(request);
  }

  @Get('skipped')
  @SkipBearerAuth()
  skipped(@Req() request: Requested): void {
    found = seen(request);
  }

  @Post('write')
  @RequireScopes('notes:write')
  write(): void {
    found = ['written'];
  }
}

const parameters = z.object({});
const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });

@McpController()
class Tools {
  @Tool({ name: 'plain', description: 'Plain', parameters })
  plain() {
    return said('plain ran');
  }

  @Tool({ name: 'scoped', description: 'Scoped', parameters })
  @ToolScopes(['notes:write'])
  scoped() {
    return said('scoped ran');
  }

  @Tool({ name: 'role', description: 'Role', parameters })
  @ToolRoles(['editor'])
  role() {
    return said('role ran');
  }

  @Tool({ name: 'public', description: 'Public', parameters })
  @PublicTool()
  public() {
    return said('public ran');
  }

  @Tool({ name: 'both', description: 'Both', parameters })
  @PublicTool()
  @AllowAnonymous()
  both() {
    return said('both ran');
  }
}

interface FastifyLike {
  addHook(name: 'onRequest', hook: (request: Requested, reply: object, done: () => void) => void): void;
  decorateRequest(name: string, property: { getter: () => unknown; setter?: (value: unknown) => void }): void;
}

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  left.length = 0;
  found = [];
});

const options = (requestUser?: RequestUserOptions, more: object = {}): McpAuthModuleOptions => ({
  resources: { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
  ...(requestUser && { requestUser }),
  ...more,
});

const tokenOf = (claims: object = {}): Promise<string> =>
  as.token({ aud: NOTES, scope: 'notes:read', ...claims });

const bearing = (token: string | undefined) =>
  token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };

describe.each(PLATFORMS)('req.user on %s', (platform) => {
  const FORGED = { sub: 'forged', scopes: ['notes:write'], roles: ['editor'] };

  /** Sets `req.user` before everything else, as a login by sessions does. */
  function forge(nest: INestApplication): void {
    if (platform === 'express') {
      nest.use((request: Requested, _: unknown, next: () => void) => {
        Object.assign(request, { user: FORGED });
        next();
      });
      return;
    }
    const fastify = nest.getHttpAdapter().getInstance() as FastifyLike;
    fastify.addHook('onRequest', (request, _, done) => {
      Object.assign(request, { user: FORGED });
      Object.assign(request.raw ?? {}, { user: FORGED });
      done();
    });
  }

  const start = async (
    given: McpAuthModuleOptions,
    prepare?: (nest: INestApplication) => void,
  ): Promise<RunningApp> =>
    closeAfterTest(await startApp(given, { controllers: [NotesController], prepare, platform }));

  verifies('CLI-31', 'has the claims of the token and its scopes by both usual names', async () => {
    for (const earlyAuthentication of [false, true]) {
      const app = await start(options({}, { earlyAuthentication }));
      const token = await tokenOf({ roles: ['editor'], scopes: ['forged'], scp: ['forged'] });
      expect((await app.send('/notes', bearing(token))).status).toBe(200);
      const user = { iss: as.issuer, sub: 'u1', client_id: 'c1', roles: ['editor'] };
      const scopes = { scope: 'notes:read', scopes: ['notes:read'] };
      expect(found).toEqual([expect.objectContaining({ ...user, ...scopes }), found[0]]);
      expect(found[1]).toBe(found[0]);
      expect(JSON.stringify(found)).not.toContain(token);
    }
  });

  verifies(
    'CLI-31',
    'is what toUser returns, made once for a request, at the property of the options',
    async () => {
      const made: string[] = [];
      const toUser: RequestUserOptions['toUser'] = ({ subject, resource }) => {
        made.push(resource.href);
        return { id: subject };
      };
      const app = await start(options({ property: 'member', toUser }, { earlyAuthentication: true }));
      const token = await tokenOf();
      await app.send('/notes/member', bearing(token));
      expect(found).toEqual([{ id: 'u1' }, { id: 'u1' }]);
      expect(made).toEqual([NOTES]);
      await app.send('/notes/member', bearing(token));
      expect(made).toEqual([NOTES, NOTES]);
      await app.send('/notes', bearing(token));
      expect(found).toEqual(['absent', 'absent']);
    },
  );

  verifies('CLI-40', 'is made of a caller without the token, and with everything else', async () => {
    const callers: object[] = [];
    const toUser: RequestUserOptions['toUser'] = (caller) => {
      callers.push(caller);
      return { caller };
    };
    const app = await start(options({ toUser }));
    const token = await tokenOf();
    expect((await app.send('/notes', bearing(token))).status).toBe(200);
    expect(found).toEqual([{ caller: callers[0] }, found[0]]);
    const [caller] = callers as [Record<string, unknown>];
    expect([caller['token'], 'token' in caller]).toEqual([undefined, false]);
    expect(caller).toEqual({
      clientId: 'c1',
      scopes: ['notes:read'],
      expiresAt: expect.any(Number),
      resource: new URL(NOTES),
      resourceMetadataUrl: expect.any(String),
      issuer: as.issuer,
      subject: 'u1',
      isClientPrincipal: false,
      audience: [NOTES],
      claims: expect.objectContaining({ sub: 'u1' }),
    });
    expect(JSON.stringify(caller)).not.toContain(token);
  });

  verifies('CLI-31', 'is not set without the option, and what else is there stays', async () => {
    const app = await start(options());
    await app.send('/notes', bearing(await tokenOf()));
    expect(found).toEqual(['absent', 'absent']);
    const forged = await start(options(), forge);
    await forged.send('/notes', bearing(await tokenOf()));
    expect(found[0]).toBe(FORGED);
  });

  verifies('CLI-32', 'is overwritten if something else has set it, and named in one warning', async () => {
    const log = new RecordingLogger();
    const app = await start(options({}), (nest) => {
      nest.useLogger(log);
      forge(nest);
    });
    for (let n = 0; n < 5; n++) {
      await app.send('/notes', bearing(await tokenOf()));
      expect(found).toEqual([expect.objectContaining({ sub: 'u1' }), found[0]]);
    }
    await app.send('/notes/anyone');
    expect(found).toEqual([undefined, undefined]);
    await app.send('/notes/anyone', bearing(await tokenOf()));
    expect(found).toEqual([expect.objectContaining({ sub: 'u1' }), found[0]]);
    expect(log.warnings.filter((line) => line.includes('req.user'))).toEqual([
      'Another middleware also sets "req.user" and is overwritten. Remove one of the two.',
    ]);
    await app.send('/notes/skipped', bearing(await tokenOf()));
    expect(found[0]).toBe(FORGED);
  });

  describe.each(['user', 'auth'])('if other code defines req.%s with a getter', (name) => {
    /** Defines a property that keeps its value: without a setter, or with one that ignores what it gets. */
    const define =
      (setter?: () => void) =>
      (nest: INestApplication): void => {
        const property = { get: () => FORGED, ...(setter && { set: setter }) };
        if (platform === 'express') {
          nest.use((request: Requested, _: unknown, next: () => void) => {
            // The package has defined "auth" already, as a plain property.
            Reflect.deleteProperty(request, name);
            Object.defineProperty(request, name, property);
            next();
          });
          return;
        }
        const fastify = nest.getHttpAdapter().getInstance() as FastifyLike;
        fastify.decorateRequest(name, { getter: property.get, ...(setter && { setter }) });
      };

    verifies('CLI-39', 'is 500, and the log names the property and the fix', async () => {
      const fix = name === 'auth' ? '' : ', or choose another "requestUser.property"';
      const says = `"req.${name}" cannot be written: other code defines it, for example by a getter. Remove that definition${fix}.`;
      const fault = { status: 500, challenge: undefined };
      for (const setter of [undefined, () => undefined]) {
        for (const earlyAuthentication of [false, true]) {
          found = [];
          const log = new RecordingLogger();
          const app = await start(options({}, { earlyAuthentication }), (nest) => {
            nest.useLogger(log);
            define(setter)(nest);
          });
          expect(rejectedAs(await app.send('/notes', bearing(await tokenOf())))).toMatchObject(fault);
          expect(found).toEqual([]);
          expect(log.errors.join('\n')).toContain(says);
          expect(rejectedAs(await app.send('/notes'))).toEqual(noToken);
          expect(rejectedAs(await app.send('/notes', bearing('abc')))).toEqual(invalidToken);
          if (earlyAuthentication) continue;
          // Nor does the value stand for the caller that an anonymous request does not have.
          for (const headers of [{}, bearing(await tokenOf())])
            expect(rejectedAs(await app.send('/notes/anyone', headers))).toMatchObject(fault);
          expect(found).toEqual([]);
          expect((await app.send('/notes/skipped')).status).toBe(200);
        }
      }
    });

    verifies('CLI-39', 'is accepted without the option, or with a setter that stores the value', async () => {
      if (name === 'user') {
        const app = await start(options(), define());
        expect((await app.send('/notes', bearing(await tokenOf()))).status).toBe(200);
        expect(found[0]).toBe(FORGED);
        found = [];
      }
      const stored = await start(options({}), (nest) => {
        if (platform === 'express') {
          nest.use((request: Requested, _: unknown, next: () => void) => {
            let value: unknown = FORGED;
            const set = (given: unknown): void => void (value = given);
            Reflect.deleteProperty(request, name);
            Object.defineProperty(request, name, { get: () => value, set });
            next();
          });
          return;
        }
        const values = new WeakMap<object, unknown>();
        const property = {
          getter(this: object): unknown {
            return values.get(this) ?? FORGED;
          },
          setter(this: object, value: unknown): void {
            values.set(this, value);
          },
        };
        (nest.getHttpAdapter().getInstance() as FastifyLike).decorateRequest(name, property);
      });
      expect((await stored.send('/notes', bearing(await tokenOf()))).status).toBe(200);
      expect(found).toEqual([expect.objectContaining({ sub: 'u1' }), found[0]]);
    });
  });

  verifies('CLI-32', 'is removed from a rejected request', async () => {
    for (const prepare of [undefined, forge]) {
      const app = await start(options({}), prepare);
      for (const [path, token, rejection] of [
        ['/notes', undefined, noToken],
        ['/notes', 'abc', invalidToken],
        ['/notes', await tokenOf({ scope: 'x' }), insufficientScope('notes:read')],
        ['/notes/anyone', 'abc', invalidToken],
      ] as const) {
        left.length = 0;
        expect(rejectedAs(await app.send(path, bearing(token)))).toEqual(rejection);
        expect(left.map((each) => (each === 'absent' ? undefined : each))).toEqual([undefined, undefined]);
      }
      left.length = 0;
      const write = await app.send('/notes/write', { method: 'POST', ...bearing(await tokenOf()) });
      expect(rejectedAs(write)).toEqual(insufficientScope('notes:read notes:write'));
      expect(left).toEqual([undefined, undefined]);
    }
  });

  verifies('CLI-35', 'is not set if toUser throws or returns a promise', async () => {
    const failing = [
      () => {
        throw new Error('ours');
      },
      () => Promise.resolve({ id: 1 }),
    ];
    for (const toUser of failing) {
      const app = await start(options({ toUser }));
      const fault = { status: 500, challenge: undefined, json: { error: 'server_error' } };
      for (const path of ['/notes', '/notes/anyone']) {
        left.length = 0;
        found = [];
        const answer = await app.send(path, bearing(await tokenOf()));
        expect(rejectedAs(answer)).toMatchObject(fault);
        expect([found, left]).toEqual([[], ['absent', 'absent']]);
      }
      // Where there is no caller, there is nothing to make a user of.
      expect((await app.send('/notes/anyone')).status).toBe(200);
    }
  });

  verifies('CLI-34', 'is at no property that requests of the platform have', async () => {
    const names = new Set<string>();
    const collect = (target: object | null): void => {
      if (!target || target === Object.prototype) return;
      for (const name of Object.getOwnPropertyNames(target)) names.add(name);
      collect(Object.getPrototypeOf(target) as object | null);
    };
    @Controller()
    class AnyController {
      @Get('notes')
      notes(@Req() request: Requested): void {
        collect(request);
      }
    }
    const app = closeAfterTest(
      await startApp({ resources: offlineResource(NOTES) }, { controllers: [AnyController], platform }),
    );
    await app.send('/notes');
    expect(names.size).toBeGreaterThan(20);
    const taken: string[] = [];
    for (const property of names) {
      const resources = offlineResource(NOTES);
      const message = await problems({ resources, requestUser: { property } }).catch(() => '');
      if (message.includes('requestUser.property: must ')) taken.push(property);
    }
    expect(taken).toEqual([...names]);
  });

  describe('of @rekog/mcp-nest', () => {
    const open = async (given: McpAuthModuleOptions) => {
      const log = new RecordingLogger();
      const endpoint = mcpEndpoint();
      const app = closeAfterTest(
        await startApp(given, {
          controllers: [endpoint.controller, Tools],
          log,
          prepare: endpoint.connect,
          platform,
        }),
      );
      const post = async (body: object, token?: string) =>
        app.send('/notes', {
          method: 'POST',
          body,
          headers: { ...MCP_HEADERS, ...bearing(token).headers },
        });
      const list = async (token?: string): Promise<string[]> => {
        const { text } = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, token);
        return [...text.matchAll(/"name":"(\w+)"/g)].map(([, name = '']) => name);
      };
      return { app, log, post, list };
    };

    verifies('CLI-33', 'lets its decorators decide by scopes and roles of the token', async () => {
      const { post, list } = await open(options({}));
      const plain = await tokenOf();
      const editor = await tokenOf({ roles: ['editor'], scope: 'notes:read notes:write' });
      const open_ = ['plain', 'public', 'both'];
      expect(await list(plain)).toEqual(open_);
      expect(new Set(await list(editor))).toEqual(new Set([...open_, 'scoped', 'role']));
      for (const name of ['scoped', 'role']) {
        const denied = await post(toolCall(name), plain);
        expect(denied.text).toContain('requires');
        expect(denied.text).not.toContain('ran');
        expect((await post(toolCall(name), editor)).text).toContain(`${name} ran`);
      }
      for (const name of ['plain', 'public', 'scoped'])
        expect(rejectedAs(await post(toolCall(name)))).toEqual(noToken);
    });

    verifies('CLI-33', 'has no caller for its decorators without the option', async () => {
      const { post, list } = await open(options());
      const editor = await tokenOf({ roles: ['editor'], scope: 'notes:read notes:write' });
      expect(await list(editor)).toEqual(['plain', 'public', 'both']);
      for (const name of ['scoped', 'role'])
        expect((await post(toolCall(name), editor)).text).toContain('requires authentication');
    });

    const PAGE = 'see docs/guides/existing-application.md#code-for-passport';
    verifies('CLI-36', 'is explained in a warning at startup, with the option and without it', async () => {
      const warned = async (given: McpAuthModuleOptions) =>
        (await open(given)).log.warnings.filter((line) => line.includes('@rekog/mcp-nest'));
      const unset =
        'Tools.scoped, Tools.role: @ToolScopes() and @ToolRoles() of @rekog/mcp-nest read req.user, which BearerAuthGuard does ' +
        'not set; unless the application does, lists leave these tools out and their calls fail. Use @RequireScopes(), or set ' +
        `"requestUser"; ${PAGE}`;
      const notPublic =
        'Tools.public: BearerAuthGuard ignores @PublicTool() of @rekog/mcp-nest; open the tool with @AllowAnonymous() ' +
        `and the option "anonymousMethods", or leave @PublicTool() out; ${PAGE}`;
      expect(await warned(options())).toEqual([unset, notPublic]);
      expect(await warned(options({ property: 'member' }))).toEqual([unset, notPublic]);
      expect(await warned(options({}))).toEqual([
        'Tools.scoped, Tools.role: @ToolScopes() and @ToolRoles() of @rekog/mcp-nest decide after BearerAuthGuard; lists leave ' +
          'out what they would reject, and their rejections start no step-up. For scopes, use @RequireScopes(); ' +
          PAGE,
        notPublic,
      ]);
      const { resources } = options();
      const opened = { ...(resources as object), allowAnonymous: true } as McpAuthModuleOptions['resources'];
      expect(await warned({ resources: opened })).toEqual([unset]);
    });
  });
});

describe('the option requestUser', () => {
  verifies('CLI-34', 'takes no property that would change a request or its prototype', async () => {
    const { resources } = { resources: offlineResource(NOTES) };
    for (const [property, problem] of [
      ['__proto__', 'must be a name of letters and digits; got "__proto__"'],
      ['constructor', 'must not be a property that requests have anyway; got "constructor"'],
      ['prototype.user', 'must be a name of letters and digits; got "prototype.user"'],
      ['auth', 'must not be "auth", which has the AuthInfo; got "auth"'],
      ['body', 'must not be a property that requests have anyway; got "body"'],
      ['headers', 'must not be a property that requests have anyway; got "headers"'],
      ['hasOwnProperty', 'must not be a property that requests have anyway; got "hasOwnProperty"'],
      ['stream', 'must not be a property that requests have anyway; got "stream"'],
      ['toString', 'must not be a property that requests have anyway; got "toString"'],
      ['', 'must be a non-empty string; got ""'],
    ] as const)
      expect(await problems({ resources, requestUser: { property } })).toBe(
        listing(`requestUser.property: ${problem}`),
      );
    for (const property of Object.getOwnPropertyNames(Http2ServerRequest.prototype)) {
      const message = await problems({ resources, requestUser: { property } });
      expect([property, message]).toEqual([property, expect.stringContaining('requestUser.property: must ')]);
    }
    const wrong = { resources, requestUser: { toUser: 'user' } } as unknown as McpAuthModuleOptions;
    expect(await problems(wrong)).toBe(listing('requestUser.toUser: must be a function; got "user"'));
    const none = { resources, requestUser: true } as unknown as McpAuthModuleOptions;
    expect(await problems(none)).toBe(listing('requestUser: must be an object; got true'));
  });

  it('keeps a claim by the name of a prototype where it is: on the user alone', async () => {
    const app = closeAfterTest(await startApp(options({}), { controllers: [NotesController] }));
    const claims = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":"x"}') as object;
    await app.send('/notes', bearing(await tokenOf(claims)));
    expect((found[0] as { isAdmin?: unknown }).isAdmin).toBeUndefined();
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
  });
});
