import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AllowAnonymous,
  InsufficientAuthenticationError,
  type McpAuthEvent,
  McpAuthEvents,
  McpHandlerSource,
  RequireAuthentication,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { PLATFORMS, startFailure } from '../../fixtures/app.js';
import { EveryLine } from '../../fixtures/attacked-app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing } from '../../fixtures/config-problems.js';
import { mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { message } from '../../fixtures/operations-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import {
  OpenTools,
  Payments,
  type PaymentsApp,
  PaymentSource,
  ran,
  startPayments,
} from '../../fixtures/payments-app.js';
import { NOTES, NOTES_METADATA, offlineResource } from '../../fixtures/resources.js';
import { ran as ranOfSdk, SDKS } from '../../fixtures/sdk-endpoints.js';
import { verifies } from '../../verifies.js';

const { insufficientAuthentication, insufficientScope, noToken, noTokenFor } = notesRejections('notes:read');
const OLDEST = { 'mcp-protocol-version': '2025-03-26' };

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

beforeEach(() => {
  ran.length = 0;
  ranOfSdk.length = 0;
});

describe.each(PLATFORMS)('@RequireAuthentication(), on %s', (platform) => {
  let app: PaymentsApp;

  beforeAll(async () => {
    app = await startPayments(as, platform);
  });

  afterAll(() => app.close());

  const all = 'notes:read notes:pay';
  const pay = insufficientAuthentication(all, 'acr_values="urn:a urn:b", max_age="300"');

  verifies(
    ['STP-01', 'STP-02', 'STP-05'],
    'rejects a call whose user has authenticated too weakly',
    async () => {
      for (const claims of [
        { acr: 'urn:c', age: 0 },
        { acr: 'URN:A', age: 0 },
        { acr: ['urn:a'], age: 0 },
        { age: 0 },
      ]) {
        expect(rejectedAs(await app.post(await app.token(all, claims), toolCall('pay')))).toEqual(pay);
      }
      expect(ran).toEqual([]);
      for (const acr of ['urn:a', 'urn:b'])
        expect((await app.post(await app.token(all, { acr, age: 0 }), toolCall('pay'))).status).toBe(200);
      expect(ran).toEqual(['pay', 'pay']);
    },
  );

  verifies(['STP-01', 'STP-05'], 'rejects a call whose user has authenticated too long ago', async () => {
    const acr = 'urn:a';
    // The tolerance is 5 seconds.
    expect((await app.post(await app.token(all, { acr, age: 305 }), toolCall('pay'))).status).toBe(200);
    expect((await app.post(await app.token(all, { acr, age: -5 }), toolCall('pay'))).status).toBe(200);
    ran.length = 0;
    for (const claims of [
      { acr, age: 306 },
      { acr, age: -6 },
      { acr },
      { acr, auth_time: String(Math.floor(Date.now() / 1000)) },
      { acr, auth_time: null },
    ]) {
      expect(rejectedAs(await app.post(await app.token(all, claims), toolCall('pay')))).toEqual(pay);
    }
    expect(ran).toEqual([]);
  });

  verifies('STP-03', 'asks for another authentication before it asks for scopes', async () => {
    const both = await app.token('notes:read', { acr: 'urn:c', age: 0 });
    expect(rejectedAs(await app.post(both, toolCall('pay')))).toEqual(pay);
    const strong = await app.token('notes:read', { acr: 'urn:a', age: 0 });
    expect(rejectedAs(await app.post(strong, toolCall('pay')))).toEqual(insufficientScope(all));
    const none = await app.token('notes:other', { acr: 'urn:c', age: 0 });
    expect(rejectedAs(await app.post(none, toolCall('pay')))).toEqual(pay);
    expect(ran).toEqual([]);
  });

  verifies('STP-04', 'asks each operation for its own, with what its class asks for', async () => {
    const weak = await app.token('notes:read', { age: 606 });
    const rejected = insufficientAuthentication('notes:read', 'max_age="600"');
    const operations: [object, string][] = [
      [toolCall('recent'), 'recent'],
      [message('prompts/get', { name: 'greet' }), 'greet'],
      [message('resources/read', { uri: 'account://1' }), 'account'],
    ];
    for (const [body] of operations) expect(rejectedAs(await app.post(weak, body))).toEqual(rejected);
    expect(rejectedAs(await app.post(weak, toolCall('refund')))).toEqual(
      insufficientAuthentication('notes:read', 'acr_values="urn:b urn:a", max_age="600"'),
    );
    expect(ran).toEqual([]);
    expect((await app.post(weak, toolCall('list'))).status).toBe(200);
    expect((await app.post(weak, message('tools/list', {}))).status).toBe(200);
    const recent = await app.token('notes:read', { age: 605 });
    for (const [body] of operations) expect((await app.post(recent, body)).status).toBe(200);
    expect(ran).toEqual(['list', ...operations.map(([, name]) => name)]);
  });

  verifies('STP-04', 'asks a batch for what all its operations need', async () => {
    const weak = await app.token(all, { acr: 'urn:c', age: 0 });
    const send = async (bearer: string, ...names: string[]) =>
      app.post(
        bearer,
        names.map((name, id) => toolCall(name, id)),
        OLDEST,
      );
    expect(rejectedAs(await send(weak, 'list', 'refund', 'pay'))).toEqual(
      insufficientAuthentication(all, 'acr_values="urn:b urn:a", max_age="300"'),
    );
    expect(rejectedAs(await send(await app.token(all, { acr: 'urn:a', age: 400 }), 'refund', 'pay'))).toEqual(
      insufficientAuthentication(all, 'acr_values="urn:b urn:a", max_age="300"'),
    );
    expect(ran).toEqual([]);
    expect((await send(await app.token(all, { acr: 'urn:a', age: 0 }), 'refund', 'pay')).status).toBe(200);
    expect(ran).toEqual(['refund', 'pay']);
  });

  verifies('STP-04', 'never serves a batch whose operations exclude each other', async () => {
    const batch = [toolCall('refund', 1), toolCall('other', 2)];
    const weak = await app.token('notes:read', { acr: 'urn:a', age: 0 });
    expect(rejectedAs(await app.post(weak, batch, OLDEST))).toEqual(
      insufficientAuthentication('notes:read', 'acr_values="urn:c", max_age="600"'),
    );
    const other = await app.token('notes:read', { acr: 'urn:c', age: 0 });
    expect(rejectedAs(await app.post(other, batch, OLDEST))).toEqual(
      insufficientAuthentication('notes:read', 'acr_values="urn:b urn:a", max_age="600"'),
    );
    expect(ran).toEqual([]);
  });

  verifies(['STP-01', 'STP-03', 'STP-04'], 'holds for routes', async () => {
    const get = async (path: string, bearer?: string) =>
      app.send(`/notes/reports/${path}`, {
        headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
      });
    const rejected = insufficientAuthentication(
      'notes:read notes:report',
      'acr_values="urn:b", max_age="60"',
    );
    for (const [scope, claims] of [
      ['notes:read notes:report', { acr: 'urn:a', age: 0 }],
      ['notes:read notes:report', { acr: 'urn:b', age: 66 }],
      ['notes:read', { acr: 'urn:a', age: 0 }],
    ] as const)
      expect(rejectedAs(await get('yearly', await app.token(scope, claims)))).toEqual(rejected);
    expect(rejectedAs(await get('yearly', await app.token('notes:read', { acr: 'urn:b', age: 0 })))).toEqual(
      insufficientScope('notes:read notes:report'),
    );
    expect(rejectedAs(await get('yearly'))).toEqual(noTokenFor('notes:read notes:report'));
    expect(ran).toEqual([]);
    const good = await app.token('notes:read notes:report', { acr: 'urn:b', age: 65 });
    expect((await get('yearly', good)).status).toBe(200);
    expect((await get('weekly', await app.token('notes:read'))).status).toBe(200);
    expect(ran).toEqual(['yearly', 'weekly']);
  });

  verifies('STP-07', 'rejects a caller without a token as ever', async () => {
    expect(rejectedAs(await app.post(undefined, toolCall('pay')))).toEqual(
      noTokenFor('notes:read notes:pay'),
    );
    const open = closeAfterTest(
      await startPayments(as, platform, { resource: { allowAnonymous: true, requiredScopes: [] } }),
    );
    const { noToken: bare, noTokenFor: needing } = notesRejections('');
    expect(rejectedAs(await open.post(undefined, toolCall('recent')))).toEqual(bare);
    expect(rejectedAs(await open.post(undefined, toolCall('pay')))).toEqual(needing('notes:pay'));
    expect(rejectedAs(await open.send('/notes/reports/yearly'))).toEqual(needing('notes:report'));
    expect(ran).toEqual([]);
    expect((await open.post(undefined, toolCall('list'))).status).toBe(200);
  });

  verifies('STP-04', 'keeps no caller and no decision for the next request', async () => {
    const own = closeAfterTest(await startPayments(as, platform));
    const bearer = await own.token(all, { acr: 'urn:a', age: 290 });
    const statuses: number[] = [];
    for (const seconds of [0, 15, 1]) {
      own.clock.forward(seconds);
      statuses.push((await own.post(bearer, toolCall('pay'))).status);
    }
    expect(statuses).toEqual([200, 200, 401]);
  });
});

describe.each(PLATFORMS)('an authentication that is too weak, on %s', (platform) => {
  const weak = { acr: 'urn:c', age: 0 };

  verifies('STP-08', 'is said in JSON-RPC form', async () => {
    const app = closeAfterTest(
      await startPayments(as, platform, { errorBody: 'json-rpc', showErrorDetails: true }),
    );
    const answer = await app.post(await app.token('notes:read notes:pay', weak), toolCall('pay', 7));
    const description = 'This operation needs a stronger or more recent authentication of the user';
    expect([answer.status, answer.json]).toEqual([
      401,
      {
        jsonrpc: '2.0',
        id: 7,
        error: {
          code: 401,
          message: description,
          data: {
            error: 'insufficient_user_authentication',
            error_description: description,
            reason: 'insufficient_user_authentication',
          },
        },
      },
    ]);
  });

  verifies('STP-08', 'is said in the result of a tool, if the option says so', async () => {
    const app = closeAfterTest(await startPayments(as, platform, { toolChallenge: 'result' }));
    const bearer = await app.token('notes:read notes:pay', weak);
    const { status, headers, json } = await app.post(bearer, toolCall('pay', 7));
    const challenge =
      'Bearer error="insufficient_user_authentication", scope="notes:read notes:pay", ' +
      `resource_metadata="${NOTES_METADATA}", acr_values="urn:a urn:b", max_age="300", ` +
      'error_description="This operation needs a stronger or more recent authentication of the user"';
    expect({ status, challenge: headers['www-authenticate'], json }).toEqual({
      status: 200,
      challenge: undefined,
      json: {
        jsonrpc: '2.0',
        id: 7,
        result: {
          resultType: 'complete',
          isError: true,
          content: [
            {
              type: 'text',
              text: 'This tool needs a stronger or more recent sign-in. Ask the user to sign in again, then call it again.',
            },
          ],
          _meta: { 'mcp/www_authenticate': [challenge] },
        },
      },
    });
  });

  verifies(
    ['STP-08', 'STP-10'],
    'is reported with the caller, its reason and what was asked for',
    async () => {
      const log = new EveryLine();
      const app = closeAfterTest(await startPayments(as, platform, {}, { log }));
      const events: McpAuthEvent[] = [];
      app.app.get(McpAuthEvents).on('access_denied', (event) => events.push(event));
      await app.post(await app.token('notes:read notes:pay', weak), toolCall('pay'));
      expect(events).toEqual([
        expect.objectContaining({
          type: 'access_denied',
          reason: 'insufficient_user_authentication',
          status: 401,
          resource: NOTES,
          issuer: as.issuer,
          subject: 'u1',
          clientId: 'c1',
          jti: 'j1',
        }),
      ]);
      const lines = log.lines.filter((line) => line.includes('Rejected a request'));
      expect(lines).toEqual([
        expect.stringContaining(
          ': insufficient_user_authentication; expected "acr" to be one of "urn:a", "urn:b", "auth_time" at most 300 s ago (',
        ),
      ]);
      expect(lines.join()).not.toContain('urn:c');
    },
  );

  verifies('STP-09', 'is found by early authentication, before the guard', async () => {
    const app = closeAfterTest(await startPayments(as, platform, { earlyAuthentication: true }));
    const bearer = await app.token('notes:read notes:pay', weak);
    expect(rejectedAs(await app.post(bearer, toolCall('pay')))).toEqual(
      insufficientAuthentication('notes:read notes:pay', 'acr_values="urn:a urn:b", max_age="300"'),
    );
    const report = await app.send('/notes/reports/yearly', {
      headers: { authorization: `Bearer ${await app.token('notes:read notes:report', weak)}` },
    });
    expect(rejectedAs(report)).toEqual(
      insufficientAuthentication('notes:read notes:report', 'acr_values="urn:b", max_age="60"'),
    );
    expect(ran).toEqual([]);
  });

  verifies('STP-09', 'is found in the claims of a verifier of the application', async () => {
    const claims = (acr: string) => ({
      sub: 'u1',
      client_id: 'c1',
      aud: NOTES,
      scope: 'notes:read notes:pay',
      acr: `urn:${acr}`,
    });
    const now = Math.floor(Date.now() / 1000);
    const app = closeAfterTest(
      await startPayments(as, platform, {
        resource: {
          verifier: (token: string) => ({ ...claims(token), exp: now + 300, auth_time: now }),
        },
      }),
    );
    expect(rejectedAs(await app.post('c', toolCall('pay')))).toEqual(
      insufficientAuthentication('notes:read notes:pay', 'acr_values="urn:a urn:b", max_age="300"'),
    );
    expect(ran).toEqual([]);
    expect((await app.post('a', toolCall('pay'))).status).toBe(200);
  });

  verifies('STP-09', 'is found in the answer of introspection', async () => {
    const now = Math.floor(Date.now() / 1000);
    const opaque = closeAfterTest(await LoopbackAuthorizationServer.start());
    opaque.at('/.well-known/oauth-authorization-server', {
      ...opaque.metadata({ introspection_endpoint: `${opaque.origin}/introspect` }),
    });
    const answer = (acr: string) => ({
      active: true,
      iss: opaque.issuer,
      sub: 'u1',
      client_id: 'c1',
      aud: NOTES,
      scope: 'notes:read notes:pay',
      exp: now + 300,
      acr,
      auth_time: now,
    });
    opaque.at('/introspect', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(answer(`urn:${new URLSearchParams(body).get('token') ?? ''}`)));
      });
    });
    const introspection = { clientId: 'rs', clientSecret: 'secret' };
    const app = closeAfterTest(
      await startPayments(opaque, platform, {
        resource: { authorizationServers: [{ issuer: opaque.issuer, introspection }] },
      }),
    );
    expect(rejectedAs(await app.post('c', toolCall('pay')))).toEqual(
      insufficientAuthentication('notes:read notes:pay', 'acr_values="urn:a urn:b", max_age="300"'),
    );
    expect(ran).toEqual([]);
    expect((await app.post('b', toolCall('pay'))).status).toBe(200);
  });

  verifies('STP-09', 'is found by the guard on the tool, if the body changes after the route', async () => {
    /** Lets another tool run than the one that the route was authorized for. */
    @Injectable()
    class Swap implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler) {
        const { body } = context.switchToHttp().getRequest<{ body: { params: { name: string } } }>();
        body.params.name = 'pay';
        return next.handle();
      }
    }
    const { controller, connect } = mcpEndpoint({ statefulMode: false }, UseInterceptors(Swap));
    const parts = { controllers: [controller, Payments, OpenTools], prepare: connect };
    const app = closeAfterTest(await startPayments(as, platform, {}, parts));
    const swapped = async (claims: { acr: string; age: number }) =>
      app.post(await app.token('notes:read notes:pay', claims), toolCall('list'));
    expect(rejectedAs(await swapped(weak))).toEqual(
      insufficientAuthentication('notes:read notes:pay', 'acr_values="urn:a urn:b", max_age="300"'),
    );
    expect(ran).toEqual([]);
    expect((await swapped({ acr: 'urn:a', age: 0 })).status).toBe(200);
    expect(ran).toEqual(['pay']);
  });

  it.each(SDKS)('is found for handlers of %s that a source declares', async (_sdk, controller) => {
    const parts = { controllers: [controller], providers: [PaymentSource], platform };
    const app = closeAfterTest(await startPayments(as, platform, {}, { ...parts, prepare: undefined }));
    const scope = 'notes:read notes:write';
    expect(rejectedAs(await app.post(await app.token(scope, weak), toolCall('write')))).toEqual(
      insufficientAuthentication(scope, 'acr_values="urn:a urn:b"'),
    );
    const greet = message('prompts/get', { name: 'greet', arguments: { who: 'you' } });
    expect(rejectedAs(await app.post(await app.token('notes:read', { age: 66 }), greet))).toEqual(
      insufficientAuthentication('notes:read', 'max_age="60"'),
    );
    expect(ranOfSdk).toEqual([]);
    expect((await app.post(await app.token(scope, { acr: 'urn:b' }), toolCall('write'))).status).toBe(200);
    expect((await app.post(await app.token('notes:read', { age: 65 }), greet)).status).toBe(200);
    const note = message('resources/read', { uri: 'note://1' });
    expect((await app.post(await app.token('notes:read'), note)).status).toBe(200);
    expect(ranOfSdk).toEqual(['write', 'greet', 'note']);
    expect(rejectedAs(await app.post(undefined, greet))).toEqual(noToken);
  });
});

describe.each(PLATFORMS)('lists, on %s', (platform) => {
  verifies('STP-07', 'offer what asks for an authentication to callers with a token only', async () => {
    const resource = { allowAnonymous: true, requiredScopes: [] };
    const app = closeAfterTest(await startPayments(as, platform, { listPolicy: 'hide', resource }));
    const listed = async (bearer?: string) => {
      const { json } = await app.post(bearer, message('tools/list', {}), {
        accept: 'application/json, text/event-stream',
      });
      const { tools } = (json as { result: { tools: { name: string; securitySchemes?: object }[] } }).result;
      return tools.map(({ name }) => name).sort();
    };
    expect(await listed()).toEqual(['list']);
    expect(await listed(await app.token('notes:read'))).toEqual(['list', 'other', 'recent', 'refund']);
  });
});

describe('requirements that no token can satisfy', () => {
  const failure = async (...controllers: never[] | (new () => object)[]) =>
    (await startFailure({ resources: offlineResource(NOTES) }, { controllers })).message;

  verifies('STP-06', 'fail the start if class and method exclude each other', async () => {
    @McpController()
    @RequireAuthentication({ acr: ['urn:a', 'urn:b'] })
    class Exclusive {
      @Tool({ name: 'pay', description: 'Pay' })
      @RequireAuthentication({ acr: 'urn:c' })
      pay() {
        return { content: [] };
      }

      @Tool({ name: 'refund', description: 'Refund' })
      @RequireAuthentication({ acr: 'urn:b' })
      refund() {
        return { content: [] };
      }
    }
    expect(await failure(Exclusive)).toBe(
      listing(
        'Exclusive.pay: has several @RequireAuthentication(), of its own or its class, and no "acr" satisfies all of them; ' +
          'let them have one in common: one of "urn:c"; and one of "urn:a", "urn:b"',
      ),
    );
  });

  verifies('STP-06', 'fail the start where nobody is authenticated', async () => {
    @Controller('notes/open')
    @RequireAuthentication({ maxAgeSeconds: 60 })
    class Open {
      @Get('anonymous')
      @AllowAnonymous()
      anonymous(): void {}

      @Get('skipped')
      @SkipBearerAuth()
      skipped(): void {}
    }
    class Base {
      @RequireAuthentication({ maxAgeSeconds: 60 })
      bare(): void {}
    }
    @Controller('notes/bare')
    class Overriding extends Base {
      @Get()
      override bare(): void {}
    }
    expect(await failure(Open, Overriding)).toBe(
      listing(
        'Open.anonymous: has both @AllowAnonymous() and @RequireAuthentication(); keep one of them',
        'Open.skipped: has both @SkipBearerAuth() and @RequireAuthentication(); keep one of them',
        'Overriding.bare: overrides a method with @RequireAuthentication(), and no guard covers it; add ' +
          '@RequireAuthentication() or @UseGuards(BearerAuthGuard) to it',
      ),
    );
  });

  verifies('STP-06', 'fail the start in the declarations of a source', async () => {
    @Injectable()
    class Wrong extends McpHandlerSource {
      declarations() {
        return [
          { kind: 'tool', name: 'a', requirements: [], authentication: {} },
          { kind: 'tool', name: 'b', requirements: [], authentication: { acr: ['a b'], maxAgeSeconds: -1 } },
          { kind: 'tool', name: 'c', requirements: [], allowAnonymous: true, authentication: { acr: 'a' } },
        ] as never;
      }
    }
    const { message: text } = await startFailure(
      { resources: offlineResource(NOTES) },
      { providers: [Wrong] },
    );
    const member = 'Wrong.declarations()';
    expect(text).toBe(
      listing(
        `${member}[0].authentication: must have "acr", "maxAgeSeconds" or both`,
        `${member}[1].authentication.acr: member 0 must be one acr value: printable ASCII without space, quote and backslash`,
        `${member}[1].authentication.maxAgeSeconds: must be a whole number of seconds from 0 to 315360000`,
        `${member}[2].allowAnonymous: cannot be true with "authentication", which needs a token; keep one of them`,
      ),
    );
  });
});

describe('InsufficientAuthenticationError', () => {
  it('says what is needed', () => {
    const both = new InsufficientAuthenticationError({ acrValues: ['urn:a', 'urn:b'], maxAgeSeconds: 300 });
    expect(both.message).toBe(
      'The operation needs another authentication of the user: one of the acr values urn:a urn:b, at most 300 s ago',
    );
    expect(both.code).toBe('ERR_MCP_AUTH_INSUFFICIENT_AUTHENTICATION');
    expect(JSON.parse(JSON.stringify(both))).toMatchObject({
      acrValues: ['urn:a', 'urn:b'],
      maxAgeSeconds: 300,
    });
  });
});
