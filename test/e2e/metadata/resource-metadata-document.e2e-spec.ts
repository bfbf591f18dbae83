import { Controller, Get } from '@nestjs/common';
import { describe, expect } from 'vitest';
import {
  MCP_AUTH_OPTIONS,
  ProtectedResource,
  type ProtectedResourceOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { RecordingLogger, start, startFailure } from '../../fixtures/app.js';
import { problems } from '../../fixtures/config-problems.js';
import { mismatch, OAUTH, unresolved } from '../../fixtures/discovery.js';
import { sendRaw } from '../../fixtures/http.js';
import { expectNoDocument } from '../../fixtures/no-document.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import {
  ADMIN,
  ISSUER,
  NOTES,
  NOTES_METADATA,
  offlineResource,
  ORIGIN,
  PRM,
} from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { besidesUnprotected } from '../../fixtures/unprotected.js';
import { verifies } from '../../verifies.js';

describe('what a document says', () => {
  verifies(['PRM-05', 'PRM-21'], 'has the resource exactly as configured', async () => {
    const identifiers = [
      ORIGIN,
      'https://API.example.com/notes',
      'https://api.example.com:443/port',
      'https://api.example.com/a%7eb',
      'https://api.example.com/caf%c3%a9',
      'HTTPS://api.example.com/scheme',
      'http://127.0.0.1:4000/loopback',
    ];
    const app = await start({ resources: identifiers.map((identifier) => offlineResource(identifier)) });
    for (const identifier of identifiers) {
      const path = /^[^/]+\/\/[^/]+(.*)$/.exec(identifier)![1]!;
      expect((await app.send(`${PRM}${path}`)).json).toMatchObject({ resource: identifier });
    }
    expect((await app.send(PRM)).text).toContain(`"resource":"${ORIGIN}"`);
  });

  verifies('PRM-05', 'keeps the slash of a resource that is its origin with one', async () => {
    const app = await start({ resources: offlineResource(`${ORIGIN}/`) });
    expect((await app.send(PRM)).json).toMatchObject({ resource: `${ORIGIN}/` });
  });

  verifies(['PRM-22', 'F29'], 'has an authorization server, or the application does not start', async () => {
    const list = 'resources[0].authorizationServers';
    expect(await problems({ resources: offlineResource(NOTES, { authorizationServers: [] }) })).toBe(
      `McpAuthModule has 1 problem:\n  - ${list}: must not be empty; got a list of 0`,
    );
    const without = { resource: NOTES } as ProtectedResourceOptions;
    expect(await problems({ resources: without })).toBe(
      `McpAuthModule has 1 problem:\n  - ${list}: must be a list; got undefined`,
    );
    const app = await start({ resources: offlineResource(NOTES) });
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ authorization_servers: [ISSUER] });
  });

  verifies(
    ['PRM-23', 'F29'],
    'has the issuers as the servers write them, in the configured order',
    async () => {
      const [plain, slash, path] = [await server(), await server('/'), await server('/tenant1')];
      const custom = { metadataUrl: `${slash.origin}/custom.json`, trustDocumentIssuer: true };
      slash.at('/custom.json', slash.metadata());
      const orders = [
        [plain.issuer, slash.issuer, path.issuer],
        [path.issuer, plain.issuer, slash.issuer],
        [custom, path.issuer, plain.issuer],
      ];
      const printed = orders.map((order) => order.map((each) => (each === custom ? slash.issuer : each)));
      for (const [index, authorizationServers] of orders.entries()) {
        const app = await start({ resources: { resource: NOTES, authorizationServers } });
        expect((await app.send(`${PRM}/notes`)).json).toMatchObject({
          authorization_servers: printed[index],
        });
      }
    },
  );

  verifies('PRM-23', 'never has an issuer that differs from the server by a slash', async () => {
    const as = await server('/');
    const error = await startFailure({ resources: { resource: NOTES, authorizationServers: [as.origin] } });
    expect(error.message).toBe(
      unresolved([as.origin, mismatch(`${as.origin}${OAUTH}`, `${as.origin}/`, as.origin)]),
    );
  });

  verifies(['PRM-26', 'F31'], 'has header as the only bearer method', async () => {
    const app = await start({ resources: offlineResource(NOTES) });
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ bearer_methods_supported: ['header'] });
    const metadata = { bearer_methods_supported: ['header', 'query'] };
    expect(await problems({ resources: offlineResource(NOTES, { metadata }) })).toBe(
      'McpAuthModule has 1 problem:\n  - resources[0].metadata: "bearer_methods_supported" ' +
        'member 1 must be one of header',
    );
  });

  verifies('F30', 'has the scopes of resource and handlers, or those that are configured', async () => {
    @Controller('notes')
    @RequireScopes('notes:list')
    class ScopedController {
      @Get()
      @RequireScopes('notes:write', 'offline_access')
      list(): string {
        return 'notes';
      }

      @Get('own')
      own(): string {
        return 'own';
      }
    }
    const requiredScopes = ['notes:read'];
    const parts = { controllers: [ScopedController] };
    const union = await start({ resources: offlineResource(NOTES, { requiredScopes }) }, parts);
    expect((await union.send(`${PRM}/notes`)).json).toMatchObject({
      scopes_supported: ['notes:read', 'notes:list', 'notes:write'],
    });
    const scopesSupported = ['notes:read', 'offline_access'];
    const log = new RecordingLogger();
    const given = await start(
      { resources: offlineResource(NOTES, { requiredScopes, scopesSupported }) },
      { ...parts, log },
    );
    expect((await given.send(`${PRM}/notes`)).json).toMatchObject({ scopes_supported: ['notes:read'] });
    expect(log.warnings).toEqual([
      `${NOTES}: "offline_access" is not advertised; clients ask for it by themselves`,
      'ScopedController.list: asks for "offline_access", which no challenge names, as clients ask for it by themselves; leave it out',
      `${NOTES}: "scopesSupported" leaves out "notes:list", "notes:write", which handlers or "requiredScopes" ask for`,
    ]);
    const none = await start({ resources: offlineResource(NOTES) });
    expect((await none.send(`${PRM}/notes`)).json).not.toHaveProperty('scopes_supported');
  });

  verifies('PRM-24', 'has the least scopes where they are configured, whatever tools ask for', async () => {
    @Controller('notes')
    class AdminController {
      @Get()
      @RequireScopes('notes:admin')
      purge(): string {
        return 'notes';
      }
    }
    const listed = async (more: object): Promise<unknown> => {
      const resources = offlineResource(NOTES, { requiredScopes: ['notes:read'], ...more });
      const log = new RecordingLogger();
      const app = await start({ resources }, { controllers: [AdminController], log });
      const { scopes_supported } = (await app.send(`${PRM}/notes`)).json as { scopes_supported: unknown };
      return [scopes_supported, log.warnings];
    };
    const leavesOut = (names: string): string =>
      `${NOTES}: "scopesSupported" leaves out ${names}, which handlers or "requiredScopes" ask for`;
    expect(await listed({ scopesSupported: ['notes:read'] })).toEqual([
      ['notes:read'],
      [leavesOut('"notes:admin"')],
    ]);
    expect(await listed({ scopesSupported: ['notes:read', 'notes:admin'] })).toEqual([
      ['notes:read', 'notes:admin'],
      [],
    ]);
    expect(await listed({ scopesSupported: ['*'] })).toEqual([
      ['*'],
      [
        `${NOTES}: the scope * covers everything; name what each operation needs`,
        leavesOut('"notes:read", "notes:admin"'),
      ],
    ]);
  });

  verifies('PRM-30', 'shows nothing of how the authorization server is reached', async () => {
    for (const proof of [
      { clientSecret: 'hush-hush' },
      { clientSecret: () => 'hush-hush' },
      { bearerToken: 'hush-hush' },
    ]) {
      const introspection = { clientId: 'the-client', endpoint: 'https://as.example/introspect', ...proof };
      const server = { metadata: { issuer: ISSUER }, jwks: { keys: [] }, introspection };
      const app = await start({
        resources: offlineResource(NOTES, { authorizationServers: [{ ...server, mcpCompliance: 'off' }] }),
      });
      expect((await app.send(`${PRM}/notes`)).json).toEqual({
        resource: NOTES,
        authorization_servers: [ISSUER],
        bearer_methods_supported: ['header'],
      });
    }
  });

  verifies('F30', 'has the scopes of the handlers of its own resource only', async () => {
    @Controller('notes')
    @ProtectedResource(NOTES)
    @RequireScopes('notes:write')
    class NotesWrite {
      @Get()
      list(): string {
        return 'notes';
      }
    }
    const app = await start(
      { resources: [offlineResource(NOTES), offlineResource(ADMIN)] },
      { controllers: [NotesWrite] },
    );
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ scopes_supported: ['notes:write'] });
    expect((await app.send(`${PRM}/admin`)).json).not.toHaveProperty('scopes_supported');
  });

  const FULL = {
    jwks_uri: `${ORIGIN}/jwks`,
    resource_signing_alg_values_supported: ['ES256'],
    resource_name: 'Notes',
    'resource_name#de': 'Notizen',
    resource_documentation: `${ORIGIN}/docs`,
    'resource_documentation#de': `${ORIGIN}/docs/de`,
    resource_policy_uri: `${ORIGIN}/policy`,
    resource_tos_uri: `${ORIGIN}/tos`,
    authorization_details_types_supported: ['note'],
    x_vendor: { deep: [1, null, { a: 'é' }] },
  };

  verifies('F31', 'has every member of the RFC as it is configured', async () => {
    const app = await start({ resources: offlineResource(NOTES, { metadata: FULL }) });
    expect((await app.send(`${PRM}/notes`)).json).toEqual({
      resource: NOTES,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
      ...FULL,
    });
  });

  verifies(['PRM-29', 'F43'], 'has signed_metadata as it is configured, for this resource only', async () => {
    const signed = (claims: object): string =>
      `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
    const signed_metadata = signed({ iss: ORIGIN, resource: NOTES });
    const app = await start({ resources: offlineResource(NOTES, { metadata: { signed_metadata } }) });
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ resource: NOTES, signed_metadata });
    for (const claims of [{ resource: NOTES }, { iss: ORIGIN, resource: `${NOTES}/` }]) {
      const metadata = { signed_metadata: signed(claims) };
      expect(await problems({ resources: offlineResource(NOTES, { metadata }) })).toContain(
        '"signed_metadata"',
      );
    }
  });

  verifies(['PRM-05', 'PRM-06'], 'causes a warning if its spelling confuses clients', async () => {
    const log = new RecordingLogger();
    const resources = [`${NOTES}/`, 'https://API.example.com/admin', `${ORIGIN}/`, `${ORIGIN}/plain`];
    await start({ resources: resources.map((each) => offlineResource(each)) }, { log });
    expect(besidesUnprotected(log.warnings)).toEqual([
      `${NOTES}/: leave out the slash at the end; clients reject a resource that differs from the URL that people type`,
      'https://API.example.com/admin: write scheme and host in lower case; clients compare letter by letter',
    ]);
  });

  verifies('F31', 'is rejected at boot for a member of the wrong kind', async () => {
    const wrong: [Record<string, unknown>, string][] = [
      [
        { jwks_uri: '/jwks' },
        '"jwks_uri" is not an absolute URL; write it in full, such as https://api.example.com/mcp',
      ],
      [
        { resource_documentation: 'http://docs.example' },
        '"resource_documentation" uses http for another machine; use https',
      ],
      [{ 'resource_tos_uri#de': 7 }, '"resource_tos_uri#de" must be a non-empty string'],
      [
        { resource_signing_alg_values_supported: ['none'] },
        '"resource_signing_alg_values_supported" member 0 must not be "none"',
      ],
      [
        { tls_client_certificate_bound_access_tokens: true },
        '"tls_client_certificate_bound_access_tokens" is given by the option "mutualTls"; leave it out here',
      ],
      [{ x_vendor: null }, '"x_vendor" has no value; leave it out'],
      [{ resource: ADMIN }, '"resource" is given by the option "resource"; leave it out here'],
    ];
    for (const [metadata, message] of wrong) {
      expect(await problems({ resources: offlineResource(NOTES, { metadata }) })).toBe(
        `McpAuthModule has 1 problem:\n  - resources[0].metadata: ${message}`,
      );
    }
  });

  verifies('PRM-31', 'stays when the options change after boot', async () => {
    const metadata = { x_vendor: { deep: ['kept'] } };
    const requiredScopes = ['notes:read'];
    const options = { resources: [{ ...offlineResource(NOTES, { metadata }), requiredScopes }] };
    const app = await start(options);
    const before = await app.send(`${PRM}/notes`);
    metadata.x_vendor.deep.push('changed');
    Object.assign(metadata, { resource_name: 'changed' });
    requiredScopes.push('changed');
    Object.assign(options.resources[0]!, {
      resource: `${ORIGIN}/changed`,
      authorizationServers: ['changed'],
    });
    options.resources.push(offlineResource(ADMIN) as (typeof options.resources)[number]);
    Object.assign(before.json as object, { resource: 'changed' });
    const after = await app.send(`${PRM}/notes`);
    expect([after.text, after.headers.etag]).toEqual([before.text, before.headers.etag]);
    expect(after.text).not.toContain('changed');
    await expectNoDocument(app, `${PRM}/admin`);
    const resolved: { resources: { metadata: { x_vendor: { deep: string[] } } }[] } =
      app.app.get(MCP_AUTH_OPTIONS);
    expect(() => resolved.resources[0]!.metadata.x_vendor.deep.push('changed')).toThrow(TypeError);
  });
});

describe('document, challenge and audience', () => {
  verifies('F35', 'agree, whatever the spelling of the resource', async () => {
    const as = await server();
    const spellings: [string, string][] = [
      [NOTES, `${ORIGIN}${PRM}/notes`],
      [`${NOTES}/`, `${ORIGIN}${PRM}/notes/`],
      [ORIGIN, `${ORIGIN}${PRM}`],
      [`${ORIGIN}/`, `${ORIGIN}${PRM}`],
      ['https://API.example.com/notes', `https://API.example.com${PRM}/notes`],
    ];
    for (const [identifier, metadataUrl] of spellings) {
      const app = await start(
        { resources: { resource: identifier, authorizationServers: [as.issuer] } },
        { controllers: [NotesController] },
      );
      const challenge = (await app.send('/notes')).headers['www-authenticate'];
      expect(challenge).toBe(`Bearer resource_metadata="${metadataUrl}"`);
      const document = await app.send(metadataUrl.replace(/^https:\/\/[^/]+/, ''));
      expect(document.json).toMatchObject({ resource: identifier });
      for (const [aud, status] of [
        [identifier, 200],
        [`${identifier}x`, 401],
      ] as const) {
        const headers = { authorization: `Bearer ${await as.token({ aud })}` };
        expect((await app.send('/notes', { headers })).status).toBe(status);
      }
    }
  });

  verifies(['PRM-10', 'F42', 'H12'], 'repeat no host that a request names', async () => {
    const app = await start({ resources: offlineResource(NOTES) }, { controllers: [NotesController] });
    const document = (await app.send(`${PRM}/notes`)).text;
    const challenge = `Bearer resource_metadata="${NOTES_METADATA}"`;
    const forged: Record<string, string>[] = [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', 'x-forwarded-port': '666' },
      { forwarded: 'host=evil.example;proto=http', 'x-original-host': 'evil.example' },
      { 'x-forwarded-prefix': '/evil', 'x-original-url': '/evil', origin: 'https://evil.example' },
    ];
    for (const headers of forged) {
      const answer = await app.send(`${PRM}/notes`, { headers });
      expect([answer.status, answer.text]).toEqual([200, document]);
      expect(JSON.stringify(answer.headers)).not.toContain('evil');
    }
    for (const headers of forged.slice(0, 3)) {
      const answer = await app.send('/notes', { headers });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, challenge]);
      expect(JSON.stringify(answer)).not.toContain('evil');
    }
  });

  verifies('PRM-10', 'repeat nothing of a target in absolute form', async () => {
    const app = await start({ resources: offlineResource(NOTES) }, { controllers: [NotesController] });
    const get = (path: string): Promise<string> =>
      sendRaw(
        app.origin,
        `GET http://evil.example${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      );
    const document = await get(`${PRM}/notes`);
    expect(document).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(document.endsWith((await app.send(`${PRM}/notes`)).text)).toBe(true);
    const challenge = await get('/notes');
    expect(challenge).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(challenge).toContain(`: Bearer resource_metadata="${NOTES_METADATA}"\r\n`);
    expect(await get(`${PRM}/note`)).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(document + challenge).not.toContain('evil');
  });
});
