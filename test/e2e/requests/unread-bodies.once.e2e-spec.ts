import {
  All,
  Controller,
  type INestApplication,
  Injectable,
  Module,
  type Provider,
  Req,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import {
  BearerAuthGuard,
  McpAuthModule,
  type McpAuthModuleOptions,
  McpHandlerSource,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';
import { PLATFORMS, startApp } from '../../fixtures/app.js';
import { type HttpAnswer, send } from '../../fixtures/http.js';
import { MCP_HEADERS } from '../../fixtures/mcp-endpoint.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { message } from '../../fixtures/operations-app.js';
import { ISSUER, NOTES, offlineResource } from '../../fixtures/resources.js';
import { ran, SDKS } from '../../fixtures/sdk-endpoints.js';
import { verifies } from '../../verifies.js';

@Injectable()
class WriteHandler extends McpHandlerSource {
  declarations() {
    return [{ kind: 'tool', name: 'write', requirements: ['notes:write'] }] as const;
  }
}

const JSON_TYPE = 'application/json';

/** Types that have JSON in their name, and are not the one that MCP has. */
const NOT_QUITE_JSON = [
  'application/vnd.api+json',
  'text/plain, application/json',
  'application/json, text/plain',
  'text/plain; x=application/json',
];

/** Types that some parsers take for none. */
const MALFORMED = [
  'application/json;',
  'application/json; charset',
  'application/json; charset=',
  'application/json; charset=utf-8;',
  'application/json; charset="utf-8',
];

/** Types that no JSON parser reads, and a lenient server may. */
const OTHER_TYPES = [
  'text/plain',
  'application/xml',
  'application/octet-stream',
  'multipart/form-data; boundary=x',
];

/** A server that takes any body for a message, whatever its type. */
@Controller('notes')
@UseGuards(BearerAuthGuard)
class LenientEndpoint {
  @All()
  async serve(@Req() request: IncomingMessage & { raw?: IncomingMessage; body?: unknown }) {
    const { body, raw = request } = request;
    const read = typeof body === 'string' || Buffer.isBuffer(body) ? String(body) : await text(raw);
    const sent = (read === '' ? body : JSON.parse(read)) as { params?: { name?: string } } | undefined;
    ran.push(`${String(request.method)} ${String(sent?.params?.name)}`);
    return 'ran';
  }
}

/** Lets Fastify hand on bodies of types that it does not know, as Express does. */
function takeAnyType(app: INestApplication): void {
  if (app.getHttpAdapter().getType() !== 'fastify') return;
  interface Fastify {
    addContentTypeParser(
      type: string,
      options: { parseAs: 'buffer' },
      parse: (_: unknown, body: Buffer, done: (error: null, body: Buffer) => void) => void,
    ): void;
  }
  const fastify = app.getHttpAdapter().getInstance() as Fastify;
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => {
    done(null, body);
  });
}

describe('a body that nobody has parsed', () => {
  const verifier = () => ({ iss: ISSUER, aud: NOTES, sub: 'u1', scope: 'notes:read notes:write' });
  const rejected = (status: number, error: string, error_description: string, accept?: string) => ({
    status,
    accept,
    challenge: undefined,
    stored: 'no-store',
    json: { error, error_description },
  });
  const FAULT = rejected(500, 'server_error', 'The request could not be checked');
  const NOT_JSON = rejected(
    415,
    'unsupported_media_type',
    'Send the message as JSON: Content-Type: application/json',
    'application/json',
  );

  // Express takes objects and arrays only, by itself.
  const { json: data, ...invalid } = rejected(
    400,
    'invalid_request',
    'Send a JSON-RPC message, which is a JSON object',
  );
  const error = { code: -32600, message: data.error_description, data };
  const NO_MESSAGE = { ...invalid, json: { jsonrpc: '2.0', id: null, error } };

  const WRITE = JSON.stringify(message('tools/call', { name: 'write', arguments: {} }));

  async function start(controller: Type, providers: Provider[], more: Partial<McpAuthModuleOptions> = {}) {
    const options = { resources: offlineResource(NOTES), verifier, ...more };
    @Module({ imports: [McpAuthModule.forRoot(options)], controllers: [controller], providers })
    class Unparsed {}
    const app = await NestFactory.create(Unparsed, { bodyParser: false, logger: false });
    closeAfterTest(app);
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }

  /** A call of the tool "write" as a type, or as none; by default with a good token. */
  function call(origin: string, type?: string, authorization = 'Bearer good', body = WRITE) {
    const headers = { ...MCP_HEADERS, ...(type !== undefined && { 'content-type': type }), authorization };
    return send(origin, '/notes', { method: 'POST', headers, body });
  }

  const answered = ({ status, headers, json }: HttpAnswer) => ({
    status,
    accept: headers['accept'],
    challenge: headers['www-authenticate'],
    stored: headers['cache-control'],
    json,
  });

  async function post(controller: Type, providers: Provider[], earlyAuthentication = false) {
    return answered(await call(await start(controller, providers, { earlyAuthentication }), JSON_TYPE));
  }

  for (const [sdk, controller] of SDKS) {
    verifies(
      'SCP-12',
      `is rejected where a source declares scopes of ${sdk}, which would read it`,
      async () => {
        ran.length = 0;
        expect(await post(controller, [WriteHandler])).toEqual(FAULT);
        expect(ran).toEqual([]);
        // Nothing is decided on by the body where nothing asks for scopes.
        expect((await post(controller, [])).status).toBe(200);
        expect(ran.splice(0)).toEqual(['write']);
        // No guard comes after early authentication here.
        @SkipBearerAuth()
        class Unguarded extends controller {}
        expect(await post(Unguarded, [WriteHandler], true)).toEqual(FAULT);
        expect(ran).toEqual([]);
        expect((await post(Unguarded, [], true)).status).toBe(200);
        expect(ran).toEqual(['write']);
      },
    );

    verifies(
      ['SCP-12', 'CHL-21'],
      `is rejected to the client of ${sdk} that did not send it as JSON, by what it should send`,
      async () => {
        ran.length = 0;
        for (const earlyAuthentication of [false, true]) {
          const app = await start(controller, [WriteHandler], { earlyAuthentication });
          for (const type of [undefined, ...NOT_QUITE_JSON, ...MALFORMED])
            expect([type, answered(await call(app, type))]).toEqual([type, NOT_JSON]);
          // A parser of the application that fails is no fault of the client.
          for (const type of ['Application/JSON', 'application/json; charset=latin1'])
            expect([type, answered(await call(app, type))]).toEqual([type, FAULT]);
          // Who is not let in learns nothing of it.
          expect((await call(app, undefined, 'Basic a')).status).toBe(401);
        }
        expect(ran).toEqual([]);
      },
    );
  }

  it('is rejected with the reason, and as JSON-RPC, if the options ask for it', async () => {
    const app = await start(SDKS[0]![1], [WriteHandler], { errorBody: 'json-rpc', showErrorDetails: true });
    const { error_description: description } = NOT_JSON.json;
    expect(answered(await call(app))).toEqual({
      ...NOT_JSON,
      json: {
        jsonrpc: '2.0',
        id: null,
        error: { code: 415, message: description, data: { ...NOT_JSON.json, reason: 'media_type' } },
      },
    });
  });

  for (const [sdk, controller] of SDKS) {
    verifies(
      ['SCP-12', 'CHL-21'],
      `gets 415 beside the usual parsers of each platform, for ${sdk}`,
      async () => {
        for (const platform of PLATFORMS) {
          ran.length = 0;
          const parts = { controllers: [controller], providers: [WriteHandler] };
          const options = { resources: offlineResource(NOTES), verifier };
          const { origin } = closeAfterTest(await startApp(options, { ...parts, platform }));
          for (const type of [undefined, ...NOT_QUITE_JSON]) {
            const answer = await call(origin, type);
            expect([platform, type, answer.status, answer.headers['www-authenticate']]).toEqual([
              platform,
              type,
              415,
              undefined,
            ]);
            // Fastify answers by itself, before any route.
            if (platform === 'express') expect(answered(answer)).toEqual(NOT_JSON);
          }
          expect(ran).toEqual([]);
          expect((await call(origin, 'Application/JSON')).status).toBe(200);
          expect(ran).toEqual(['write']);
        }
      },
    );

    verifies(['SCP-12', 'CHL-21'], `gets 400 from ${sdk} if it is JSON and no message`, async () => {
      const parts = { controllers: [controller], providers: [WriteHandler] };
      const options = { resources: offlineResource(NOTES), verifier };
      const { origin } = closeAfterTest(await startApp(options, { ...parts, platform: 'fastify' }));
      ran.length = 0;
      for (const scalar of ['5', '"x"', 'true', 'null', JSON.stringify(WRITE)])
        expect([scalar, answered(await call(origin, JSON_TYPE, undefined, scalar))]).toEqual([
          scalar,
          NO_MESSAGE,
        ]);
      expect(ran).toEqual([]);
      expect((await call(origin, JSON_TYPE, undefined, WRITE)).status).toBe(200);
      expect(ran).toEqual(['write']);
    });
  }

  const guarded = (platform: (typeof PLATFORMS)[number], providers: Provider[], more = {}) => {
    const options = { resources: offlineResource(NOTES), verifier, ...more };
    const parts = { controllers: [LenientEndpoint], providers };
    return startApp(options, { ...parts, prepare: takeAnyType, platform });
  };

  for (const platform of PLATFORMS) {
    verifies(
      'WAY-16',
      `is rejected whatever its type, before a lenient server reads it, on ${platform}`,
      async () => {
        for (const [providers, more] of [
          [[WriteHandler], {}],
          [[], { undeclaredTools: 'deny' }],
          [[WriteHandler], { earlyAuthentication: true }],
        ] as [Provider[], Partial<McpAuthModuleOptions>][]) {
          ran.length = 0;
          const { origin } = closeAfterTest(await guarded(platform, providers, more));
          for (const type of OTHER_TYPES)
            expect([type, answered(await call(origin, type))]).toEqual([type, NOT_JSON]);
          expect(ran).toEqual([]);
          expect((await call(origin, 'text/plain', 'Basic a')).status).toBe(401);
        }
        // Nothing is decided on by the body if nothing asks for scopes.
        const { origin } = closeAfterTest(await guarded(platform, []));
        expect([(await call(origin, 'text/plain')).text, ran]).toEqual(['ran', ['POST write']]);
      },
    );

    verifies('WAY-16', `is not missed in a request without one on ${platform}`, async () => {
      const { origin } = closeAfterTest(await guarded(platform, [WriteHandler]));
      const headers = { authorization: 'Bearer good' };
      const empty = { ...headers, 'content-length': '0' };
      const typed = { ...headers, 'content-type': 'text/plain' };
      ran.length = 0;
      for (const [method, given] of [
        ['GET', headers],
        ['GET', typed],
        ['DELETE', headers],
        ['DELETE', empty],
        ['POST', empty],
      ] as const) {
        const answer = await send(origin, '/notes', { method, headers: given });
        expect([method, given, answer.text]).toEqual([method, given, 'ran']);
      }
      expect((await send(origin, '/notes', { method: 'HEAD', headers })).status).toBe(200);
      for (const method of ['GET', 'DELETE']) {
        const answer = await send(origin, '/notes', {
          method,
          headers: { ...typed, 'content-length': String(WRITE.length) },
          body: WRITE,
        });
        expect([method, answered(answer)]).toEqual([method, NOT_JSON]);
      }
      expect(ran).toHaveLength(6);
    });
  }
});
