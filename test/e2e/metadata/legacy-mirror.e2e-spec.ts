import { Controller, Get, RequestMethod, VersioningType } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { BearerAuthGuard, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { type AppParts, RecordingLogger, type RunningApp, start } from '../../fixtures/app.js';
import { TestClock } from '../../fixtures/clock.js';
import { listing, problems } from '../../fixtures/config-problems.js';
import { OAUTH, trusting } from '../../fixtures/discovery.js';
import { sendRaw } from '../../fixtures/http.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { ADMIN, NOTES, PRM } from '../../fixtures/resources.js';
import { bareServer, server } from '../../fixtures/servers.js';
import { besidesUnprotected } from '../../fixtures/unprotected.js';
import { verifies } from '../../verifies.js';

const OPTION = 'legacyAuthorizationServerMetadata';
const HOWEVER = 'clients that compare the issuer with the address reject it, and find the server by RFC 9728';

/** One resource that trusts these servers, with the mirror as told. */
function mirroring(mirror: boolean | string, ...issuers: string[]): McpAuthModuleOptions {
  return { ...trusting(...issuers), legacyAuthorizationServerMetadata: mirror };
}

/** What the app logs as a warning when it starts. */
async function warningsOf(
  options: McpAuthModuleOptions,
  parts: AppParts = {},
): Promise<{ app: RunningApp; warnings: readonly string[] }> {
  const log = new RecordingLogger();
  const app = await start(options, { ...parts, log });
  return { app, warnings: besidesUnprotected(log.warnings) };
}

describe('the copy of an authorization server document', () => {
  verifies(['LEG-01', 'F25', 'F123'], 'is what the server says, at the root of the origin', async () => {
    const as = await bareServer('/tenant1');
    const document = as.metadata({
      'x-vendor': { deep: [1, null, 'é'] },
      scopes_supported: ['b', 'a'],
      service_documentation: 'https://as.example/docs',
    });
    as.at(`${OAUTH}/tenant1`, document);
    const { app, warnings } = await warningsOf(mirroring(true, as.issuer), {
      controllers: [NotesController],
    });
    const { status, headers, text, json } = await app.send(OAUTH);
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json' });
    expect(json).toEqual(document);
    expect(text).toBe(JSON.stringify(document));
    expect(warnings).toEqual([
      `${OPTION}: ${OAUTH} is a copy of the metadata of ${as.issuer} for clients of MCP 2025-03-26; ${HOWEVER}`,
    ]);
    for (const path of [`${OAUTH}/notes`, `${OAUTH}/tenant1`, `/notes${OAUTH}`, `${OAUTH}x`]) {
      const other = await app.send(path);
      expect([path, other.status, other.text.includes('token_endpoint')]).toEqual([path, 404, false]);
    }
  });

  verifies(['F25', 'LEG-01'], 'is off by default, and the path is left to the application', async () => {
    const as = await server();
    for (const options of [trusting(as.issuer), mirroring(false, as.issuer)]) {
      const { app, warnings } = await warningsOf(options);
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
        const { status, headers } = await app.send(OAUTH, { method });
        expect([method, status, headers.allow]).toEqual([method, 404, undefined]);
      }
      expect((await app.send(OAUTH)).json).toEqual({
        message: `Cannot GET ${OAUTH}`,
        error: 'Not Found',
        statusCode: 404,
      });
      expect(warnings).toEqual([]);
    }
  });

  verifies('LEG-01', 'is renewed with the metadata, and kept while the server is down', async () => {
    const as = await server();
    const clock = new TestClock();
    const options = { ...mirroring(true, as.issuer), metadataRefreshSeconds: 60, now: clock.now };
    const { app } = await warningsOf(options);
    const first = await app.send(OAUTH);
    as.at(OAUTH, as.metadata({ added: true }));
    expect((await app.send(OAUTH)).text).toBe(first.text);
    clock.forward(61);
    const second = await app.send(OAUTH, { headers: { 'if-none-match': first.headers.etag! } });
    expect([second.status, second.json]).toEqual([200, as.metadata({ added: true })]);
    as.at(OAUTH, (_, response) => response.writeHead(500).end());
    clock.forward(61);
    expect((await app.send(OAUTH)).text).toBe(second.text);
  });

  verifies(['LEG-01', 'PRM-49'], 'is 503 until the server has answered, and 200 from then on', async () => {
    const as = await bareServer();
    as.at(OAUTH, (_, response) => response.writeHead(500).end());
    const clock = new TestClock();
    for (const deferred of [
      { discovery: 'lazy' as const },
      { onDiscoveryFailure: 'retry' as const, discoveryTimeoutMs: 1000 },
    ]) {
      const { app } = await warningsOf({ ...mirroring(true, as.issuer), ...deferred, now: clock.now });
      const { status, headers, json } = await app.send(OAUTH);
      expect({ status, json }).toEqual({
        status: 503,
        json: {
          error: 'temporarily_unavailable',
          error_description: 'The authorization server cannot be reached',
        },
      });
      expect(headers).toMatchObject({
        'retry-after': '5',
        'cache-control': 'no-store',
        'access-control-allow-origin': '*',
      });
      expect(headers).not.toHaveProperty('www-authenticate');
      expect((await app.send(`${PRM}/notes`)).status).toBe(200);
      expect((await app.send(OAUTH, { method: 'OPTIONS' })).status).toBe(204);
      expect((await app.send(OAUTH, { method: 'POST' })).status).toBe(405);
      as.at(OAUTH, as.metadata());
      clock.forward(61);
      expect(await app.send(OAUTH)).toMatchObject({ status: 200, json: as.metadata() });
      as.at(OAUTH, (_, response) => response.writeHead(500).end());
    }
  });

  verifies(['LEG-01', 'F25'], 'is repaired as the document is', async () => {
    const as = await bareServer();
    as.at(OAUTH, as.metadata({ code_challenge_methods_supported: undefined }));
    const transpileData = (data: Record<string, unknown>): Record<string, unknown> => ({
      ...data,
      code_challenge_methods_supported: ['S256'],
    });
    const { app } = await warningsOf({
      ...trusting({ issuer: as.issuer, transpileData }),
      legacyAuthorizationServerMetadata: true,
    });
    expect((await app.send(OAUTH)).json).toEqual(as.metadata());
  });
});

describe('the route of the copy', () => {
  const METHODS = 'GET, HEAD, OPTIONS';

  verifies(
    ['LEG-02', 'PRM-41', 'PRM-42', 'PRM-44', 'PRM-45', 'PRM-46', 'PRM-47'],
    'has the methods and headers of the resource document',
    async () => {
      const as = await server();
      const app = await start({ ...mirroring(true, as.issuer), metadataMaxAgeSeconds: 60 });
      const get = await app.send(OAUTH, { headers: { origin: 'https://app.example', cookie: 'a=b' } });
      const { etag } = get.headers;
      expect(get.headers).toMatchObject({
        'access-control-allow-origin': '*',
        'cache-control': 'public, max-age=60',
        'content-length': String(Buffer.byteLength(get.text)),
        etag: expect.stringMatching(/^"[\w-]{43}"$/) as unknown,
      });
      for (const name of ['access-control-allow-credentials', 'set-cookie', 'www-authenticate']) {
        expect(get.headers).not.toHaveProperty(name);
      }
      const head = await app.send(OAUTH, { method: 'HEAD' });
      expect([head.status, head.text, head.headers.etag]).toEqual([200, '', etag]);
      expect(head.headers['content-length']).toBe(get.headers['content-length']);
      const held = await app.send(OAUTH, { headers: { 'if-none-match': etag! } });
      expect([held.status, held.text]).toEqual([304, '']);
      const preflight = await app.send(OAUTH, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://app.example',
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'mcp-protocol-version',
        },
      });
      expect([preflight.status, preflight.text]).toEqual([204, '']);
      expect(preflight.headers).toMatchObject({
        allow: METHODS,
        'access-control-allow-origin': '*',
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': 'mcp-protocol-version',
        vary: 'Access-Control-Request-Headers',
      });
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const answer = await app.send(OAUTH, {
          method,
          ...(method !== 'DELETE' && { body: '{"issuer":', headers: { 'content-type': 'application/json' } }),
        });
        expect([method, answer.status, answer.headers.allow, answer.json]).toEqual([
          method,
          405,
          METHODS,
          { error: 'method_not_allowed', error_description: `Use ${METHODS}` },
        ]);
      }
    },
  );

  verifies(['LEG-02', 'PRM-08', 'PRM-48'], 'is the exact path', async () => {
    const as = await server();
    const app = await start(mirroring(true, as.issuer));
    const { text } = await app.send(OAUTH);
    expect(await app.send(`${OAUTH}?a=1`)).toMatchObject({ status: 200, text });
    for (const path of [
      '/.well-known/OAuth-authorization-server',
      '/.well-known/oauth%2Dauthorization-server',
      `${OAUTH}/`,
      `${OAUTH}//`,
      `/${OAUTH}`,
      `${OAUTH}/%E0%A4%A`,
    ]) {
      const answer = await app.send(path);
      expect([path, [400, 404].includes(answer.status), answer.text.includes('token_endpoint')]).toEqual([
        path,
        true,
        false,
      ]);
    }
  });

  verifies(['LEG-02', 'PRM-10'], 'is not changed by what a request says of the host', async () => {
    const as = await server();
    const app = await start(mirroring(true, as.issuer));
    const { text } = await app.send(OAUTH);
    const headers = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    expect((await app.send(OAUTH, { headers })).text).toBe(text);
    const absolute = await sendRaw(
      app.origin,
      `GET http://evil.example${OAUTH} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    );
    expect(absolute.endsWith(text)).toBe(true);
    expect(absolute).not.toContain('evil');
  });

  verifies(['LEG-02', 'PRM-09'], 'stays at the root under prefix and versioning', async () => {
    const as = await server();
    for (const type of [VersioningType.URI, VersioningType.MEDIA_TYPE] as const) {
      const app = await start(mirroring(true, as.issuer), {
        controllers: [NotesController],
        prepare: (nest) => {
          nest.setGlobalPrefix('api', { exclude: [{ path: 'open', method: RequestMethod.GET }] });
          if (type === VersioningType.URI) nest.enableVersioning({ type, defaultVersion: '1' });
          else nest.enableVersioning({ type, key: 'v=', defaultVersion: '1' });
        },
      });
      expect((await app.send(OAUTH)).json).toEqual(as.metadata());
      for (const path of [`/api${OAUTH}`, `/v1${OAUTH}`, `/api/v1${OAUTH}`]) {
        expect([path, (await app.send(path)).status]).toEqual([path, 404]);
      }
    }
  });

  verifies(
    ['LEG-02', 'PRM-40'],
    'is open under the guard as a global one, and with early authentication',
    async () => {
      const as = await server();
      const providers = [{ provide: APP_GUARD, useClass: BearerAuthGuard }];
      const root = { resource: 'https://api.example.com', authorizationServers: [as.issuer] };
      const app = await start(
        { resources: root, legacyAuthorizationServerMetadata: true, earlyAuthentication: true },
        { controllers: [NotesController], providers },
      );
      for (const authorization of [undefined, 'Bearer not.a.token', 'Basic dTpw']) {
        const headers = authorization === undefined ? {} : { authorization };
        const { status, json, headers: answered } = await app.send(OAUTH, { headers });
        expect({ status, json }).toEqual({ status: 200, json: as.metadata() });
        expect(answered).not.toHaveProperty('www-authenticate');
        expect((await app.send('/notes', { headers })).status).toBe(401);
      }
    },
  );

  verifies(
    ['LEG-02', 'PRM-41', 'F36'],
    'is open to any origin, whatever the CORS setting of the application',
    async () => {
      const as = await server();
      const app = await start(mirroring(true, as.issuer), {
        prepare: (nest) => {
          nest.enableCors({ origin: 'https://app.example', credentials: true });
        },
      });
      const headers = { origin: 'https://other.example', 'access-control-request-method': 'GET' };
      for (const method of ['GET', 'OPTIONS']) {
        const answer = await app.send(OAUTH, { method, headers });
        expect(answer.headers['access-control-allow-origin']).toBe('*');
        expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
      }
    },
  );

  verifies('LEG-02', 'is left to a route of the application, with a warning', async () => {
    @Controller('.well-known/oauth-authorization-server')
    class OwnMetadata {
      @Get()
      read(): object {
        return { own: true };
      }
    }
    const as = await server();
    const { app, warnings } = await warningsOf(mirroring(true, as.issuer), { controllers: [OwnMetadata] });
    expect(await app.send(OAUTH)).toMatchObject({ status: 200, json: { own: true } });
    expect((await app.send(OAUTH, { method: 'POST' })).status).toBe(404);
    expect((await app.send(OAUTH)).headers).not.toHaveProperty('access-control-allow-origin');
    expect(warnings).toEqual([
      `${OPTION}: ${OAUTH} is served by OwnMetadata.read of the application, not by the package`,
    ]);
    expect((await app.send(`${PRM}/notes`)).status).toBe(200);
  });
});

describe('which authorization server is copied', () => {
  verifies(['LEG-03', 'F25'], 'need not be configured if all resources have the same one', async () => {
    const as = await server();
    const resources = [NOTES, ADMIN].map((resource) => ({ resource, authorizationServers: [as.issuer] }));
    const app = await start({ resources, legacyAuthorizationServerMetadata: true });
    expect((await app.send(OAUTH)).json).toEqual(as.metadata());
  });

  verifies(
    'LEG-03',
    'must be configured if there are several, or the application does not start',
    async () => {
      const [one, other] = [await server(), await server()];
      const ofOne = trusting(one.issuer, other.issuer);
      const ofTwo = {
        resources: [
          { resource: NOTES, authorizationServers: [one.issuer] },
          { resource: ADMIN, authorizationServers: [other.issuer] },
        ],
      };
      const names = `write one of "${one.issuer}", "${other.issuer}"`;
      for (const options of [ofOne, ofTwo]) {
        expect(await problems({ ...options, legacyAuthorizationServerMetadata: true })).toBe(
          listing(`${OPTION}: does not say which of several authorization servers is meant; ${names}`),
        );
        for (const wrong of [`${other.issuer}/`, 'https://as.example']) {
          expect(await problems({ ...options, legacyAuthorizationServerMetadata: wrong })).toBe(
            listing(`${OPTION}: names the issuer "${wrong}", which no resource trusts; ${names}`),
          );
        }
        const app = await start({ ...options, legacyAuthorizationServerMetadata: other.issuer });
        expect((await app.send(OAUTH)).json).toEqual(other.metadata());
      }
    },
  );

  it('is configured by true, false or an issuer, and nothing else', async () => {
    const as = await server();
    for (const [value, shown] of [
      ['', '""'],
      [1, '1'],
      [[as.issuer], 'a list of 1'],
    ] as const) {
      const given = { ...trusting(as.issuer), legacyAuthorizationServerMetadata: value as string };
      expect(await problems(given)).toBe(
        listing(`${OPTION}: must be true, false or the issuer of an authorization server; got ${shown}`),
      );
    }
  });
});
