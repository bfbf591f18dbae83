import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type LoggerService,
  type NestInterceptor,
  Scope,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  AccessDeniedError,
  AllowAnonymous,
  AuthContext,
  type AuthInfo,
  AuthorizationPolicy,
  BearerAuthGuard,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  McpAuthConfigError,
  type McpAuthEvent,
  McpAuthEvents,
  McpHandlerSource,
  type Policy,
  type PolicyFunction,
  RequirePolicy,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { PLATFORMS, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing } from '../../fixtures/config-problems.js';
import { inMemoryServer, startWithoutHttp, type TransportKind } from '../../fixtures/in-memory.js';
import { mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { MOUNTINGS } from '../../fixtures/mountings.js';
import { DENIED, FAULT, notesRejections, rejectedAs, UNAVAILABLE } from '../../fixtures/notes-rejections.js';
import { message } from '../../fixtures/operations-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import {
  asked,
  OnlyAdmins,
  POLICIES,
  Policed,
  PolicedSource,
  type PoliciesApp,
  ran,
  SameTeam,
  script,
  Scripted,
  startPolicies,
} from '../../fixtures/policies-app.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';
import { ran as ranOfSdk, SDKS } from '../../fixtures/sdk-endpoints.js';
import { verifies } from '../../verifies.js';

const { insufficientAuthentication, insufficientScope, noToken, noTokenFor } = notesRejections('notes:read');
/** One of each kind of {@link MOUNTINGS}. */
const WAYS = [
  '@UseGuards() on a class',
  'consumer.apply(BearerAuthMiddleware), a Nest route',
  'bearerAuth.use(), a route of the platform',
  'McpHttpControllerFor() behind @UseGuards()',
  'earlyAuthentication, a route of the platform',
  'earlyAuthentication, a route that @rekog/mcp-nest mounts',
  'early, middleware and three guards at once',
];
const OLDEST = { 'mcp-protocol-version': '2025-03-26' };

/** Lines at level error. */
const errors: string[] = [];
const LOG: LoggerService = {
  log: () => undefined,
  warn: () => undefined,
  error: (...lines: unknown[]) => errors.push(lines.join('\n')),
};

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  for (const list of [ran, asked, errors, ranOfSdk]) list.length = 0;
  script.clear();
});

/** Lets each test say what the policy of the tool `scripted` does. */
const scripted = (decide: unknown): void => {
  script.set('scripted', decide as PolicyFunction);
};

const names = (): string[] => asked.map(({ name }) => name);

describe.each(PLATFORMS)('@RequirePolicy(), on %s', (platform) => {
  let app: PoliciesApp;
  let admin: string;
  let user: string;

  beforeAll(async () => {
    app = await startPolicies(as, platform, {}, { log: LOG });
    admin = await app.token({ role: 'admin', team: 'a' });
    user = await app.token({ role: 'user', team: 'a' });
  });

  afterAll(() => app.close());

  const report = async (bearer: string | undefined, path = 'yearly', method = 'GET') =>
    app.send(`/notes/reports/${path}`, {
      method,
      headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
    });

  verifies('PCY-01', 'denies a call with 403 access_denied and no challenge', async () => {
    const events: McpAuthEvent[] = [];
    const end = app.app.get(McpAuthEvents).on('access_denied', (event) => events.push(event));
    const calls: [object, string][] = [
      [toolCall('purge'), 'purge'],
      [toolCall('by_team', 1, { team: 'b' }), 'by_team'],
      [message('prompts/get', { name: 'greet' }), 'greet'],
    ];
    for (const [body] of calls) expect(rejectedAs(await app.post(user, body))).toEqual(DENIED);
    expect(rejectedAs(await report(user))).toEqual(DENIED);
    expect(ran).toEqual([]);
    end();
    expect(events).toHaveLength(4);
    for (const event of events)
      expect(event).toMatchObject({ reason: 'policy', status: 403, required: [], subject: 'u1' });
    for (const body of [toolCall('purge'), toolCall('by_team', 1, { team: 'a' }), calls[2]![0]])
      expect((await app.post(admin, body)).status).toBe(200);
    expect((await report(admin)).status).toBe(200);
    expect(ran).toEqual(['purge', 'by_team', 'greet', 'yearly']);
  });

  verifies('PCY-02', 'decides after scopes, and after the authentication of the user', async () => {
    const poor = await app.token({ scope: 'notes:read', role: 'user' });
    expect(rejectedAs(await app.post(poor, toolCall('purge')))).toEqual(
      insufficientScope('notes:read notes:write'),
    );
    expect(rejectedAs(await app.post(user, toolCall('strong')))).toEqual(
      insufficientAuthentication('notes:read notes:write', 'acr_values="urn:a"'),
    );
    expect(asked).toEqual([]);
    const strong = await app.token({ role: 'user', acr: 'urn:a' });
    expect(rejectedAs(await app.post(strong, toolCall('strong')))).toEqual(DENIED);
    expect(names()).toEqual(['strong']);
  });

  verifies('PCY-21', 'asks a caller without a token to sign in', async () => {
    expect(rejectedAs(await app.post(undefined, toolCall('purge')))).toEqual(
      noTokenFor('notes:read notes:write'),
    );
    expect(rejectedAs(await app.post(undefined, toolCall('by_team')))).toEqual(noToken);
    expect(rejectedAs(await report(undefined))).toEqual(noToken);
    expect(asked).toEqual([]);
  });

  verifies(
    ['PCY-03', 'PCY-25'],
    'adds up, for a method that overrides another, under its listed name',
    async () => {
      const send = (bearer: string, team: string) => app.post(bearer, toolCall('renamed_erase', 1, { team }));
      expect(rejectedAs(await send(user, 'a'))).toEqual(DENIED);
      expect(rejectedAs(await send(admin, 'b'))).toEqual(DENIED);
      expect(names()).toEqual(['renamed_erase', 'renamed_erase', 'renamed_erase']);
      expect((await send(admin, 'a')).status).toBe(200);
      expect(ran).toEqual(['erase']);
      // The name of the method is no tool.
      expect((await app.post(user, toolCall('erase'))).json).toMatchObject({ error: { code: -32602 } });
      expect(ran).toEqual(['erase']);
    },
  );

  verifies('PCY-03', 'adds up, for a route and its class', async () => {
    script.set('Reports.yearly', () => false);
    expect(rejectedAs(await report(admin))).toEqual(DENIED);
    expect((await report(admin, 'upload', 'POST')).status).toBe(201);
    expect(rejectedAs(await report(user, 'upload', 'POST'))).toEqual(DENIED);
    expect(ran).toEqual(['upload']);
    expect(asked.map(({ kind, name, method }) => [kind, name, method])).toEqual([
      ['route', 'Reports.yearly', 'GET'],
      ['route', 'Reports.yearly', 'GET'],
      ['route', 'Reports.upload', 'POST'],
      ['route', 'Reports.upload', 'POST'],
    ]);
  });

  verifies('PCY-04', 'allows nothing but true', async () => {
    const answers: unknown[] = [
      ...[false, 'true', 1, {}, [], undefined, null, new Boolean(true), () => true, Symbol('true')],
      ...[Promise.resolve('true'), Promise.resolve(1), Promise.resolve()],
      {
        then: (resolve: (value: unknown) => void) => {
          resolve('true');
        },
      },
      { then: true },
      {
        // Says no, then yes.
        then: (resolve: (value: unknown) => void) => {
          resolve(false);
          resolve(true);
        },
      },
    ];
    for (const answer of answers) {
      scripted(() => answer);
      expect(rejectedAs(await app.post(admin, toolCall('scripted')))).toEqual(DENIED);
    }
    expect(ran).toEqual([]);
    for (const answer of [
      true,
      Promise.resolve(true),
      {
        then: (resolve: (is: boolean) => void) => {
          resolve(true);
        },
      },
    ]) {
      scripted(() => answer);
      expect((await app.post(admin, toolCall('scripted'))).status).toBe(200);
    }
    expect(ran).toHaveLength(3);
  });

  verifies('PCY-05', 'answers 500 if a policy throws, and logs no value of a claim', async () => {
    const secret = 'claim-of-ada';
    const thrown: unknown[] = [new TypeError(`no role for ${secret}\n    at ${secret}`), secret, undefined];
    const failing: unknown[] = [
      ...thrown.flatMap((error) => [
        () => {
          throw error;
        },
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications throw what they like
        () => Promise.reject(error),
      ]),
      () => ({
        get then() {
          throw new Error(secret);
        },
      }),
      () => ({
        then: () => {
          throw new Error(secret);
        },
      }),
    ];
    for (const decide of failing) {
      scripted(decide);
      expect(rejectedAs(await app.post(admin, toolCall('scripted')))).toEqual(FAULT);
    }
    expect(ran).toEqual([]);
    expect(errors.join('\n')).toContain('The policy Scripted threw TypeError');
    expect(errors.join('\n')).not.toContain(secret);
  });

  verifies('PCY-06', 'answers 503 if a policy never answers, and aborts its signal', async () => {
    const hasty = closeAfterTest(await startPolicies(as, platform, { verifierTimeoutMs: 100 }));
    const bearer = await hasty.verified();
    let signal: AbortSignal | undefined;
    scripted((_call: unknown, _auth: unknown, context: { signal: AbortSignal }) => {
      ({ signal } = { ...context });
      return new Promise(() => undefined);
    });
    const { headers, ...answer } = await hasty.post(bearer, toolCall('scripted'));
    expect([rejectedAs({ headers, ...answer }), headers['retry-after']]).toEqual([UNAVAILABLE, '5']);
    expect(signal?.aborted).toBe(true);
    expect(ran).toEqual([]);
    // What a late policy says changes nothing.
    let resolve: (is: boolean) => void = () => undefined;
    scripted(() => new Promise<boolean>((later) => (resolve = later)));
    expect(rejectedAs(await hasty.post(bearer, toolCall('scripted')))).toEqual(UNAVAILABLE);
    resolve(true);
    expect((await hasty.post(bearer, toolCall('open'))).status).toBe(200);
    expect(ran).toEqual(['open']);
  });

  verifies('PCY-07', 'keeps the meaning of errors of this package', async () => {
    const throwing = (error: Error) => async () => {
      await Promise.resolve();
      throw error;
    };
    scripted(throwing(new InsufficientScopeError(['notes:extra'])));
    const bearer = await app.token({ scope: 'notes:read' });
    const scopes = insufficientScope('notes:read notes:extra');
    expect(rejectedAs(await app.post(bearer, toolCall('scripted')))).toEqual(scopes);
    scripted(() => {
      throw new InsufficientScopeError(['notes:extra']);
    });
    expect(rejectedAs(await app.post(bearer, toolCall('scripted')))).toEqual(scopes);
    scripted(
      throwing(
        new InsufficientAuthenticationError({ acrValues: ['urn:a'], maxAgeSeconds: undefined }, ['a']),
      ),
    );
    expect(rejectedAs(await app.post(bearer, toolCall('scripted')))).toEqual(
      insufficientAuthentication('a', 'acr_values="urn:a"'),
    );
    scripted(throwing(new AccessDeniedError('client')));
    expect(await app.post(bearer, toolCall('scripted'))).toMatchObject({
      status: 403,
      json: { error: 'access_denied', error_description: 'This client is not allowed to use this resource' },
    });
    expect([ran, errors]).toEqual([[], []]);
  });

  verifies('PCY-08', 'tells policies what is called, by whom and at which resource', async () => {
    const given: unknown[] = [];
    scripted((call: unknown, auth: AuthInfo, context: { resource: string }) => {
      given.push(call, auth.subject, context.resource);
      return true;
    });
    await app.post(admin, toolCall('scripted', 1, { team: 'a', note: { deep: [1] }, extra: true }));
    expect(given).toEqual([
      {
        ...{ kind: 'tool', name: 'scripted', method: 'tools/call' },
        arguments: { team: 'a', note: { deep: [1] }, extra: true },
        annotations: { readOnlyHint: true },
      },
      'u1',
      NOTES,
    ]);
    await app.post(admin, toolCall('purge'));
    expect(asked.at(-1)?.annotations).toEqual({ readOnlyHint: false, destructiveHint: true });
    await app.post(admin, toolCall('by_team', 1, { team: 'a' }));
    expect(asked.at(-1)?.annotations).toBeUndefined();
  });

  verifies('PCY-08', 'lets no policy change what the handler gets', async () => {
    for (const change of [
      ({ arguments: args }: { arguments: { note: { a: number } } }) => (args.note.a = 2),
      ({ arguments: args }: { arguments: { note: unknown } }) => (args.note = 2),
      (call: { name: string }) => (call.name = 'open'),
    ]) {
      scripted((call: never) => {
        change(call);
        return true;
      });
      expect(rejectedAs(await app.post(admin, toolCall('scripted', 1, { note: { a: 1 } })))).toEqual(FAULT);
    }
    expect(ran).toEqual([]);
    scripted((call: { arguments: { note: unknown } }) => {
      Reflect.set(call.arguments, 'note', 2);
      return true;
    });
    expect((await app.post(admin, toolCall('scripted', 1, { note: { a: 1 } }))).status).toBe(200);
    expect(ran).toEqual(['scripted {"a":1}']);
  });

  verifies('PCY-10', 'denies a batch if one of its operations is denied', async () => {
    const send = (team: string) =>
      app.post(user, [toolCall('by_team', 1, { team: 'a' }), toolCall('by_team', 2, { team })], OLDEST);
    expect(rejectedAs(await send('b'))).toEqual(DENIED);
    expect(ran).toEqual([]);
    expect((await send('a')).status).toBe(200);
    expect(ran).toEqual(['by_team', 'by_team']);
    // The second call of the second batch is the same as the first.
    expect(asked.map(({ arguments: { team } }) => team)).toEqual(['a', 'b', 'a']);
  });

  verifies('PCY-14', 'holds for completions and subscriptions', async () => {
    const argument = { name: 'a', value: '' };
    const complete = (ref: object) => message('completion/complete', { ref, argument });
    const template = { type: 'ref/resource', uri: 'note://{id}' };
    script.set('note://{id}', () => false);
    script.set('note://1', () => false);
    for (const body of [
      complete({ type: 'ref/prompt', name: 'greet' }),
      complete(template),
      message('resources/subscribe', { uri: 'note://1' }),
      message('subscriptions/listen', { notifications: { resourceSubscriptions: ['note://1'] } }),
    ])
      expect(rejectedAs(await app.post(user, body))).toEqual(DENIED);
    script.clear();
    expect((await app.post(admin, complete({ type: 'ref/prompt', name: 'greet' }))).status).toBe(200);
    expect((await app.post(user, message('resources/subscribe', { uri: 'note://1' }))).status).toBe(200);
  });

  verifies('PCY-18', 'decides on each way in which a URI may be read', async () => {
    script.set('note://secret', () => false);
    const read = async (uri: string) => app.post(user, message('resources/read', { uri }));
    for (const uri of ['note://secret', 'note://%73ecret', 'NOTE://secret'])
      expect(rejectedAs(await read(uri))).toEqual(DENIED);
    expect(ran).toEqual([]);
    expect((await read('note://public')).status).toBe(200);
    expect(ran).toEqual(['note']);
  });

  verifies('PCY-20', 'rejects arguments that are nested too deeply', async () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
    const send = (depth: number) =>
      app.post(
        admin,
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scripted","arguments":{"note":${nested(depth)}}}}`,
        { 'content-type': 'application/json' },
      );
    for (const depth of [250, 40_000])
      expect(await send(depth)).toMatchObject({
        status: 400,
        json: { error: { code: -32600, data: { error: 'invalid_request' } } },
      });
    expect([ran, asked, errors]).toEqual([[], [], []]);
    expect((await send(100)).status).toBe(200);
  });

  verifies('PCY-19', 'survives a client that leaves while a policy decides', async () => {
    let resolve: (is: boolean) => void = () => undefined;
    const reached = new Promise<void>((isAsked) => {
      scripted(() => {
        isAsked();
        return new Promise<boolean>((later) => (resolve = later));
      });
    });
    const { hostname, port } = new URL(app.origin);
    const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
    const request = httpRequest({ hostname, port, path: '/notes', method: 'POST', headers });
    request.on('error', () => undefined);
    request.end(JSON.stringify(toolCall('scripted')));
    await reached;
    const closed = new Promise((left) => request.on('close', left));
    request.destroy();
    await closed;
    resolve(false);
    expect((await app.post(admin, toolCall('open'))).status).toBe(200);
    expect([ran, errors]).toEqual([['open'], []]);
  });

  verifies(['PCY-15', 'PCY-01'], 'lets a handler deny after it has asked', async () => {
    const { length } = errors;
    expect(rejectedAs(await app.post(user, toolCall('late')))).toEqual(DENIED);
    expect(rejectedAs(await report(admin, 'late'))).toEqual(DENIED);
    expect((await app.post(admin, toolCall('late'))).status).toBe(200);
    expect([ran, errors.length]).toEqual([['late'], length]);
  });

  verifies('PCY-15', 'lets a handler ask a policy', async () => {
    await app.post(admin, toolCall('can', 1, { team: 'a' }));
    await app.post(user, toolCall('can', 1, { team: 'b' }));
    await app.post(user, [toolCall('can', 1, { team: 'a' }), toolCall('open', 2)], OLDEST);
    expect(ran.filter((each) => each !== 'open')).toEqual([
      '{"admin":true,"team":true,"other":false}',
      '{"admin":false,"team":false,"other":false}',
      '{"admin":false,"team":false,"other":false}',
    ]);
    // Of several operations it is not known which one asks.
    expect(asked.at(-1)).toMatchObject({ kind: 'route', name: NOTES, method: 'POST' });
  });
});

describe('AuthContext.can()', () => {
  verifies('PCY-15', 'allows nothing without a caller, and throws what is no denial', async () => {
    const outcomes: unknown[] = [];
    class NotProvided extends AuthorizationPolicy {
      decide() {
        return true;
      }
    }
    @McpController()
    class Asking {
      constructor(private readonly context: AuthContext) {}

      @Tool({ name: 'ask', description: 'Ask' })
      async ask() {
        const policies: Policy[] = [
          () => true,
          () => 'true' as never,
          NotProvided,
          () => Promise.reject(new Error('broken')),
          () => Promise.reject(new AccessDeniedError('policy')),
          () => Promise.reject(new InsufficientScopeError(['a'])),
          () => new Promise(() => undefined),
        ];
        for (const policy of policies)
          outcomes.push(await this.context.can(policy).catch((error: unknown) => (error as Error).name));
        return { content: [] };
      }
    }
    const { controller, connect } = mcpEndpoint({ statefulMode: false });
    const parts = { controllers: [controller, Asking], prepare: connect };
    const app = closeAfterTest(await startPolicies(as, 'express', { verifierTimeoutMs: 100 }, parts));
    await app.post(await app.verified(), toolCall('ask'));
    const thrown = ['McpAuthConfigError', 'Error', false, 'InsufficientScopeError'];
    expect(outcomes).toEqual([true, false, ...thrown, 'AuthorizationServerUnavailableError']);
    expect(await app.app.get(AuthContext).can(() => true)).toBe(false);
    expect(await new AuthContext().can(() => true)).toBe(false);
  });
});

describe.each(PLATFORMS)('the policy of a resource, on %s', (platform) => {
  const byRole: PolicyFunction = async (call, auth) => {
    asked.push(call);
    await Promise.resolve();
    return auth.claims['role'] === 'admin';
  };

  for (const { way, parts, options, prepare, isTool } of MOUNTINGS.filter((each) => WAYS.includes(each.way)))
    verifies('PCY-11', `holds for ${way}`, async () => {
      const app = closeAfterTest(
        await startPolicies(
          as,
          platform,
          { ...options, resource: { policy: byRole } },
          {
            controllers: [],
            ...parts(),
            factoryOptions: {},
            prepare: (nest) => prepare?.(nest, platform),
          },
        ),
      );
      const body = isTool ? toolCall('whoami') : undefined;
      const send = (bearer: string) => app.post(bearer, body);
      expect(rejectedAs(await send(await app.token({ role: 'user' })))).toEqual(DENIED);
      expect(asked).toHaveLength(1);
      expect((await send(await app.token({ role: 'admin' }))).status).toBeLessThan(300);
      // However many layers there are.
      expect(asked).toHaveLength(2);
      const expected = isTool
        ? { kind: 'tool', name: 'whoami', method: 'tools/call' }
        : { kind: 'route', name: NOTES, method: 'POST' };
      expect(asked[0]).toMatchObject(expected);
    });

  verifies(['PCY-11', 'PCY-03'], 'decides on each operation, and on each request without one', async () => {
    const policy = [byRole, Scripted];
    const app = closeAfterTest(await startPolicies(as, platform, { resource: { policy } }));
    const [admin, user] = [await app.token({ role: 'admin' }), await app.token()];
    for (const body of [toolCall('open'), message('tools/list', {}), message('ping', {})])
      expect(rejectedAs(await app.post(user, body))).toEqual(DENIED);
    expect(asked.map(({ kind, name }) => [kind, name])).toEqual([
      ['tool', 'open'],
      ['route', NOTES],
      ['route', NOTES],
    ]);
    expect(ran).toEqual([]);
    script.set('open', () => false);
    expect(rejectedAs(await app.post(admin, toolCall('open')))).toEqual(DENIED);
    script.clear();
    expect((await app.post(admin, toolCall('open'))).status).toBe(200);
    expect((await app.post(admin, message('tools/list', {}))).status).toBe(200);
    expect(ran).toEqual(['open']);
  });

  verifies('PCY-21', 'needs a caller also on routes that are open to everybody', async () => {
    @Controller('notes/open')
    class Open {
      @Get()
      @AllowAnonymous()
      open(): string {
        ran.push('open');
        return 'open';
      }
    }
    const { controller, connect } = mcpEndpoint({ statefulMode: false }, AllowAnonymous());
    const parts = { controllers: [controller, Policed, Open], prepare: connect };
    const app = closeAfterTest(await startPolicies(as, platform, { resource: { policy: byRole } }, parts));
    expect(rejectedAs(await app.post(undefined, toolCall('open')))).toEqual(noToken);
    expect(ran).toEqual([]);
    expect((await app.post(await app.token({ role: 'admin' }), toolCall('open'))).status).toBe(200);
  });

  verifies('PCY-11', 'decides before a body that no parser reads reaches a handler', async () => {
    const app = closeAfterTest(await startPolicies(as, platform, { resource: { policy: byRole } }));
    const headers = { authorization: `Bearer ${await app.token({ role: 'admin' })}` };
    const send = (type: string) =>
      app.send('/notes', { method: 'POST', headers: { ...headers, 'content-type': type }, body: 'x' });
    expect((await send('application/x-other')).status).toBe(415);
    expect(ran).toEqual([]);
  });
});

describe.each(PLATFORMS)('a policy, on %s', (platform) => {
  verifies('PCY-09', 'decides once, however many layers ask, and again if the body changes', async () => {
    let change: (body: { params: { arguments: Record<string, unknown> } }) => void = () => undefined;
    const { controller, connect } = mcpEndpoint({ statefulMode: false });
    const app = closeAfterTest(
      await startPolicies(
        as,
        platform,
        { earlyAuthentication: true },
        {
          controllers: [controller, Policed],
          prepare: async (nest) => {
            await connect(nest);
            // After the first layer, before the guard.
            nest.useGlobalGuards({
              canActivate: (context) => {
                if (context.getType() === 'http')
                  change(context.switchToHttp().getRequest<{ body: never }>().body);
                return true;
              },
            });
          },
        },
      ),
    );
    const bearer = await app.token({ team: 'a' });
    const send = () => app.post(bearer, toolCall('by_team', 1, { team: 'a' }));
    expect((await send()).status).toBe(200);
    expect(asked).toHaveLength(1);
    change = ({ params }) => {
      params.arguments['team'] = 'b';
    };
    expect(rejectedAs(await send())).toEqual(DENIED);
    expect(asked.slice(1).map(({ arguments: { team } }) => team)).toEqual(['a', 'b']);
    change = ({ params }) => {
      params.arguments = { team: 'b' };
    };
    expect(rejectedAs(await send())).toEqual(DENIED);
    expect(ran).toEqual(['by_team']);
  });

  verifies('PCY-09', 'decides at the tool, if the body changes after the route', async () => {
    /** Lets another tool run than the one that the route was authorized for. */
    @Injectable()
    class Swap implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler) {
        const { body } = context.switchToHttp().getRequest<{ body: { params: { name: string } } }>();
        body.params.name = 'purge';
        return next.handle();
      }
    }
    const { controller, connect } = mcpEndpoint({ statefulMode: false }, UseInterceptors(Swap));
    const parts = { controllers: [controller, Policed], prepare: connect };
    const app = closeAfterTest(await startPolicies(as, platform, {}, parts));
    const swapped = async (role: string) => app.post(await app.token({ role }), toolCall('open'));
    expect(rejectedAs(await swapped('user'))).toEqual(DENIED);
    expect(ran).toEqual([]);
    expect((await swapped('admin')).status).toBe(200);
    expect(ran).toEqual(['purge']);
  });

  verifies('PCY-22', 'decides without a promise, unless it returns one', async () => {
    const results: unknown[] = [];
    @Injectable()
    class Watched extends BearerAuthGuard {
      override canActivate(context: ExecutionContext) {
        const result = super.canActivate(context);
        results.push(result instanceof Promise ? 'promise' : result);
        return result;
      }
    }
    @Controller('notes')
    @UseGuards(Watched)
    class Routes {
      @Get('none')
      none(): void {}

      @Get('sync')
      @RequirePolicy(Scripted)
      sync(): void {}

      @Get('async')
      @RequirePolicy(SameTeam)
      async(): void {}
    }
    const parts = { controllers: [Routes], providers: [Watched], prepare: undefined };
    const app = closeAfterTest(await startPolicies(as, platform, {}, parts));
    const headers = { authorization: `Bearer ${await app.token()}` };
    // Then the token is in the cache.
    for (let count = 0; count < 3; count++) await app.send('/notes/none', { headers });
    results.length = 0;
    for (const path of ['none', 'sync', 'async'])
      expect((await app.send(`/notes/${path}`, { headers })).status).toBe(200);
    // The decorator has put the guard of the package on two of them. What is allowed is not asked again.
    expect(results).toEqual([true, true, 'promise']);
  });

  verifies('PCY-25', 'holds if only one of several servers has it on a tool of that name', async () => {
    @McpController()
    class Other {
      @Tool({ name: 'purge', description: 'Another', annotations: { readOnlyHint: false } })
      purge() {
        return { content: [] };
      }
    }
    const { controller, connect } = mcpEndpoint({ statefulMode: false });
    const parts = { controllers: [controller, Other, Policed], prepare: connect };
    const app = closeAfterTest(await startPolicies(as, platform, {}, parts));
    expect(rejectedAs(await app.post(await app.token(), toolCall('purge')))).toEqual(DENIED);
    // Only what both say is known.
    expect(asked.map(({ annotations }) => annotations)).toEqual([{ readOnlyHint: false }]);
  });

  for (const [sdk, controller] of SDKS)
    verifies('PCY-17', `decides for handlers of ${sdk} that a source declares`, async () => {
      const parts = { controllers: [controller], providers: [PolicedSource], prepare: undefined };
      const app = closeAfterTest(await startPolicies(as, platform, {}, parts));
      const [admin, user] = [await app.token({ role: 'admin' }), await app.token()];
      expect(rejectedAs(await app.post(user, toolCall('write')))).toEqual(DENIED);
      expect(asked[0]?.annotations).toEqual({ destructiveHint: false });
      script.set('note://1', () => false);
      expect(rejectedAs(await app.post(admin, message('resources/read', { uri: 'note://1' })))).toEqual(
        DENIED,
      );
      expect(ranOfSdk).toEqual([]);
      expect((await app.post(admin, toolCall('write'))).status).toBe(200);
      const greet = message('prompts/get', { name: 'greet', arguments: { who: 'you' } });
      expect((await app.post(user, greet)).status).toBe(200);
      expect(ranOfSdk).toEqual(['write', 'greet']);
    });
});

describe.each(PLATFORMS)("listPolicy 'hide', on %s", (platform) => {
  const options = { listPolicy: 'hide' } as const;

  verifies('PCY-13', 'leaves out what a policy denies', async () => {
    const app = closeAfterTest(await startPolicies(as, platform, options, { log: LOG }));
    const [admin, user] = [
      await app.token({ role: 'admin' }),
      await app.token({ role: 'user', scope: 'notes:read' }),
    ];
    // Without arguments, the team is not that of the caller unless neither has one.
    expect(await app.listed(admin)).toEqual([
      'by_team',
      'can',
      'late',
      'open',
      'purge',
      'renamed_erase',
      'scripted',
      'strong',
    ]);
    expect(await app.listed(user)).toEqual(['by_team', 'can', 'late', 'open', 'scripted']);
    expect(await app.listed(await app.token({ team: 'a' }))).toEqual(['can', 'late', 'open', 'scripted']);
    expect(await app.listed(admin, 'prompts/list')).toEqual(['greet']);
    expect(await app.listed(user, 'prompts/list')).toEqual([]);
    expect(await app.listed(user, 'resources/templates/list')).toEqual(['note://{id}']);
    script.set('note://{id}', () => false);
    expect(await app.listed(user, 'resources/templates/list')).toEqual([]);
    // A caller who lacks the scope of a tool is not told to a policy.
    expect(asked.filter(({ name }) => name === 'purge')).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  verifies('PCY-13', 'leaves out what a policy cannot decide', async () => {
    const app = closeAfterTest(
      await startPolicies(as, platform, { ...options, verifierTimeoutMs: 100 }, { log: LOG }),
    );
    const bearer = await app.verified();
    for (const [decide, isLogged] of [
      [() => new Promise(() => undefined), true],
      [() => Promise.reject(new Error('secret claim')), true],
      [() => 'true', false],
      [() => Promise.reject(new InsufficientScopeError(['a'])), false],
    ] as const) {
      scripted(decide);
      expect(await app.listed(bearer)).toEqual(['by_team', 'can', 'late', 'open']);
      expect(errors.length > 0).toBe(isLogged || errors.length > 0);
      expect(errors.join()).not.toContain('secret claim');
    }
    expect(errors.join()).toContain('a policy failed, so a list leaves out what it protects');
    script.clear();
    expect(await app.listed(bearer)).toContain('scripted');
  });

  verifies('PCY-13', 'leaves out what no handler declares, at a resource with a policy', async () => {
    const policy: PolicyFunction = ({ name }) => name !== 'greet';
    const [, sdk] = SDKS[1]!;
    const parts = { controllers: [sdk], providers: [PolicedSource], prepare: undefined };
    const app = closeAfterTest(
      await startPolicies(as, platform, { ...options, resource: { policy } }, parts),
    );
    const admin = await app.token({ role: 'admin' });
    expect(await app.listed(admin)).toEqual(['write']);
    expect(await app.listed(admin, 'prompts/list')).toEqual([]);
    const undeclared = { ...parts, providers: [] };
    const other = closeAfterTest(
      await startPolicies(as, platform, { ...options, resource: { policy } }, undeclared),
    );
    expect(await other.listed(admin)).toEqual([]);
  });
});

describe('a local call of a tool with a policy', () => {
  /** What a call gives: its text, or code and data of the error. */
  async function call(kind: TransportKind, name: string, args: object, options: object, authInfo?: object) {
    const server = inMemoryServer(kind);
    const { policy, ...others } = options as { policy?: Policy };
    const resources = {
      resource: NOTES,
      authorizationServers: ['https://nowhere.invalid'],
      ...(policy && { policy }),
    };
    await startWithoutHttp({ resources, ...others }, { controllers: [Policed], providers: POLICIES }, server);
    const client = await server.connect(authInfo);
    try {
      const { content } = await client.callTool({ name, arguments: args as Record<string, unknown> });
      return content[0]?.type === 'text' ? content[0].text : content;
    } catch (error) {
      const { code, data } = error as { code: number; data: unknown };
      return { code, data };
    }
  }

  const stdio = { subject: 'eve', scopes: ['notes:write'] };
  const denied = { code: 403, data: { error: 'access_denied' } };
  const none = { code: 401, data: { error: 'missing_token' } };

  verifies('PCY-16', 'is decided for the caller of the option, and denied without one', async () => {
    expect(await call('stdio', 'purge', {}, { stdio })).toEqual(denied);
    expect(await call('stdio', 'by_team', { team: 'b' }, { stdio })).toEqual(denied);
    expect(await call('stdio', 'by_team', {}, { stdio })).toBe('by_team');
    expect(await call('stdio', 'by_team', {}, { stdio: 'allow' })).toEqual(none);
    expect(await call('stdio', 'by_team', {}, {})).toEqual(none);
    expect(ran).toEqual(['by_team']);
  });

  verifies('PCY-16', 'is decided for a caller that the transport supplies', async () => {
    const supplied = { token: 't', clientId: 'cli', subject: 'ada', scopes: ['notes:write'] };
    const as = (claims: object) => ({ ...supplied, claims });
    expect(await call('in-memory', 'purge', {}, {}, as({ role: 'admin' }))).toBe('purge');
    expect(await call('in-memory', 'purge', {}, {}, as({ role: 'user' }))).toEqual(denied);
    expect(
      await call('in-memory', 'renamed_erase', { team: 'a' }, {}, as({ role: 'admin', team: 'a' })),
    ).toBe('erase');
    expect(
      await call('in-memory', 'renamed_erase', { team: 'a' }, {}, as({ role: 'admin', team: 'b' })),
    ).toEqual(denied);
    expect(asked.every(({ method }) => method === 'tools/call')).toBe(true);
    expect(ran).toEqual(['purge', 'erase']);
  });

  verifies('PCY-16', 'fails closed, as it does over HTTP', async () => {
    scripted(() => Promise.reject(new Error('broken')));
    const fault = { code: 500, data: { error: 'server_error' } };
    expect(await call('stdio', 'scripted', {}, { stdio })).toEqual(fault);
    scripted(() => new Promise(() => undefined));
    const late = { code: 503, data: { error: 'server_error' } };
    expect(await call('stdio', 'scripted', {}, { stdio, verifierTimeoutMs: 100 })).toEqual(late);
    expect(ran).toEqual([]);
  });
});

describe('policies that cannot decide', () => {
  const failure = async (parts: object, more: object = {}) =>
    (await startFailure({ resources: offlineResource(NOTES, more) }, parts)).message;
  const problem = async (...args: Parameters<typeof failure>) =>
    (await failure(...args)).split('\n').slice(1);

  @Injectable({ scope: Scope.REQUEST })
  class PerRequest extends AuthorizationPolicy {
    decide() {
      return true;
    }
  }
  @Injectable({ scope: Scope.TRANSIENT })
  class Transient extends AuthorizationPolicy {
    decide() {
      return true;
    }
  }
  class NotAPolicy {
    allows = true;
  }
  const scoped = (name: string) =>
    `${name} is a policy and is request-scoped or transient, but one instance serves all requests; give it the default ` +
    'scope, and no request-scoped dependencies';
  const missing = (name: string) =>
    `${name} is a policy and cannot be found; add ${name} to the providers of a module, in the default scope`;

  verifies('PCY-12', 'fail the start, wherever they are named', async () => {
    @Controller('notes')
    class Routes {
      @Get('a')
      @RequirePolicy(OnlyAdmins, PerRequest)
      a(): void {}

      @Get('b')
      @RequirePolicy(Transient)
      b(): void {}

      @Get('c')
      @RequirePolicy(SameTeam)
      c(): void {}
    }
    class Source extends McpHandlerSource {
      declarations() {
        return [{ kind: 'tool', name: 't', requirements: [], policies: [OnlyAdmins] }] as const;
      }
    }
    const value = { provide: SameTeam, useValue: {} };
    const parts = { controllers: [Routes], providers: [PerRequest, Transient, Source, value] };
    expect(await failure(parts, { policy: [OnlyAdmins, PerRequest] })).toBe(
      listing(
        `resources[0].policy: ${missing('OnlyAdmins')}`,
        `resources[0].policy: ${scoped('PerRequest')}`,
        `Routes.a: ${missing('OnlyAdmins')}`,
        `Routes.a: ${scoped('PerRequest')}`,
        `Routes.b: ${scoped('Transient')}`,
        'Routes.c: SameTeam is a policy and has no method "decide"; extend AuthorizationPolicy',
        `the declaration of the tool t: ${missing('OnlyAdmins')}`,
      ),
    );
  });

  verifies('PCY-12', 'fail when a class is decorated', () => {
    const thrown = (...policies: unknown[]) => {
      try {
        RequirePolicy(...(policies as [Policy]));
        return [];
      } catch (error) {
        return (error as McpAuthConfigError).problems;
      }
    };
    const notOne = 'must be a class that extends AuthorizationPolicy, or a function';
    expect(thrown()).toEqual([{ path: '@RequirePolicy()', message: 'must name at least one policy' }]);
    for (const given of [undefined, null, 'admin', { decide: () => true }])
      expect(thrown(() => true, given)).toEqual([{ path: '@RequirePolicy() argument 1', message: notOne }]);
    expect(thrown(NotAPolicy)).toEqual([
      {
        path: '@RequirePolicy() argument 0',
        message: 'must be a class with a method "decide", or a function; extend AuthorizationPolicy',
      },
    ]);
    expect(thrown(OnlyAdmins, () => true)).toEqual([]);
  });

  verifies('PCY-12', 'fail the start as options', async () => {
    expect(await problem({}, { policy: [] })).toEqual([
      '  - resources[0].policy: must not be empty; got a list of 0',
    ]);
    expect(await problem({}, { policy: NotAPolicy })).toEqual([
      expect.stringContaining('resources[0].policy: must be a class with a method "decide", or a function'),
    ]);
    const open = expect.stringContaining('resources[0].policy: decides on callers with a token') as string;
    expect(await problem({}, { policy: () => true, allowAnonymous: true })).toEqual([open]);
    expect(await problem({}, { policy: () => true, anonymousMethods: ['ping'] })).toEqual([open]);
  });

  verifies('PCY-12', 'fail the start where nobody is authenticated', async () => {
    @Controller('notes/open')
    @RequirePolicy(() => true)
    class Open {
      @Get('anonymous')
      @AllowAnonymous()
      anonymous(): void {}

      @Get('skipped')
      @SkipBearerAuth()
      skipped(): void {}
    }
    class Base {
      @RequirePolicy(() => true)
      bare(): void {}
    }
    @Controller('notes/bare')
    class Overriding extends Base {
      @Get()
      override bare(): void {}
    }
    expect(await failure({ controllers: [Open, Overriding] })).toBe(
      listing(
        'Open.anonymous: has both @AllowAnonymous() and @RequirePolicy(); keep one of them',
        'Open.skipped: has both @SkipBearerAuth() and @RequirePolicy(); keep one of them',
        'Overriding.bare: overrides a method with @RequirePolicy(), and no guard covers it; add @RequirePolicy() or ' +
          '@UseGuards(BearerAuthGuard) to it',
      ),
    );
  });

  verifies('PCY-12', 'fail the start in the declarations of a source', async () => {
    class Wrong extends McpHandlerSource {
      declarations() {
        return [
          { kind: 'tool', name: 'a', requirements: [], policies: OnlyAdmins },
          { kind: 'tool', name: 'b', requirements: [], policies: ['admin'], annotations: 'readOnly' },
          { kind: 'tool', name: 'c', requirements: [], policies: [() => true], allowAnonymous: true },
        ] as never;
      }
    }
    const member = 'Wrong.declarations()';
    expect(await failure({ providers: [Wrong] })).toBe(
      listing(
        `${member}[0].policies: must be a list`,
        `${member}[1].policies: member 0 must be a class that extends AuthorizationPolicy, or a function`,
        `${member}[1].annotations: must be an object`,
        `${member}[2].allowAnonymous: cannot be true with "policies", which need a caller; keep one of them`,
      ),
    );
  });
});
