import { Injectable, Module, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { McpAuthModule, type McpAuthModuleOptions, McpHandlerSource, SkipBearerAuth } from 'nestjs-mcp-auth';
import { PLATFORMS, startApp } from '../fixtures/app.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { MCP_HEADERS } from '../fixtures/mcp-endpoint.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { message } from '../fixtures/operations-app.js';
import { ISSUER, NOTES, offlineResource } from '../fixtures/resources.js';
import { ran, SDKS } from '../fixtures/sdk-endpoints.js';
import { verifies } from '../verifies.js';

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

describe('a body that nobody has parsed', () => {
  const verifier = () => ({ iss: ISSUER, aud: NOTES, sub: 'u1', scope: 'notes:read notes:write' });
  const refused = (status: number, error: string, error_description: string, accept?: string) => ({
    status,
    accept,
    challenge: undefined,
    stored: 'no-store',
    json: { error, error_description },
  });
  const FAULT = refused(500, 'server_error', 'The request could not be checked');
  const NOT_JSON = refused(
    415,
    'unsupported_media_type',
    'Send the message as JSON: Content-Type: application/json',
    'application/json',
  );

  // Express takes objects and arrays only, by itself.
  const { json: data, ...invalid } = refused(
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
      `is refused where a source declares scopes of ${sdk}, which would read it`,
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
      `is refused to the client of ${sdk} that did not send it as JSON, by what it should send`,
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

  it('says why, and as JSON-RPC, where the options ask for it', async () => {
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
      `answers 415 beside the usual parsers of each platform, for ${sdk}`,
      async () => {
        for (const platform of PLATFORMS) {
          ran.length = 0;
          const parts = { controllers: [controller], providers: [WriteHandler] };
          const options = { resources: offlineResource(NOTES), verifier };
          const { origin } = closeAfterTest(await startApp(options, parts, undefined, undefined, platform));
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

    verifies(
      ['SCP-12', 'CHL-21'],
      `answers 400 to the client of ${sdk} that sends JSON which is no message`,
      async () => {
        const parts = { controllers: [controller], providers: [WriteHandler] };
        const options = { resources: offlineResource(NOTES), verifier };
        const { origin } = closeAfterTest(await startApp(options, parts, undefined, undefined, 'fastify'));
        ran.length = 0;
        for (const scalar of ['5', '"x"', 'true', 'null', JSON.stringify(WRITE)])
          expect([scalar, answered(await call(origin, JSON_TYPE, undefined, scalar))]).toEqual([
            scalar,
            NO_MESSAGE,
          ]);
        expect(ran).toEqual([]);
        expect((await call(origin, JSON_TYPE, undefined, WRITE)).status).toBe(200);
        expect(ran).toEqual(['write']);
      },
    );
  }
});
