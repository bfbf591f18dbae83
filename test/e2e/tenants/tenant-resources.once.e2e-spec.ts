import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  McpAuthEvents,
  type McpAuthEvent,
  McpAuthDiagnostics,
  ResourceTokenVerifier,
  type TenantOptions,
} from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { ProvingClient } from '../../fixtures/dpop.js';
import { INITIALIZE, MCP_HEADERS } from '../../fixtures/mcp-endpoint.js';
import { rejectedAs } from '../../fixtures/notes-rejections.js';
import { ORIGIN, PRM } from '../../fixtures/resources.js';
import {
  call,
  callAt,
  callerIn,
  invalidTokenAt,
  pathOf,
  resourceOf,
  served,
  startTenants,
  UNKNOWN_TENANT,
  type Way,
  WAYS,
} from '../../fixtures/tenant-app.js';
import { verifies } from '../../verifies.js';

let shared: LoopbackAuthorizationServer;
let own: LoopbackAuthorizationServer;
let stranger: LoopbackAuthorizationServer;

beforeAll(async () => {
  [shared, own, stranger] = await Promise.all([
    LoopbackAuthorizationServer.start(),
    LoopbackAuthorizationServer.start('/own'),
    LoopbackAuthorizationServer.start('/stranger'),
  ]);
});

afterAll(() => Promise.all([shared.close(), own.close(), stranger.close()]));

beforeEach(() => {
  served.length = 0;
});

const TENANTS = ['acme', 'beta', 'gamma'];

/** Two tenants share an authorization server, and one has its own. */
const ofTenant = (tenant: string): TenantOptions | undefined => {
  if (tenant === 'acme')
    return { authorizationServers: [shared.issuer], allowedOrigins: ['https://acme.example'] };
  if (tenant === 'beta')
    return { authorizationServers: [shared.issuer], metadata: { resource_name: 'Beta' } };
  // Known, but its paths are those of another resource.
  if (tenant === 'admin') return { authorizationServers: [stranger.issuer] };
  return tenant === 'gamma' ? { authorizationServers: [own.issuer] } : undefined;
};

const issuersOf = (tenant: string): readonly string[] =>
  ofTenant(tenant)!.authorizationServers.map((server) => server as string);

describe.each(PLATFORMS)('resources of tenants on %s', (platform) => {
  const asked: string[] = [];
  const resolve = (tenant: string): TenantOptions | undefined => {
    asked.push(tenant);
    return ofTenant(tenant);
  };

  beforeEach(() => {
    asked.length = 0;
  });

  const start = (more: Parameters<typeof startTenants>[1] = {}): Promise<RunningApp> =>
    startTenants(resolve, { ...more, parts: { platform, ...more.parts } });

  describe.each(WAYS)('by %s', (way) => {
    verifies(
      ['TEN-26', 'TEN-24', 'TEN-28', 'TEN-29'],
      'open to the tokens of a table of tenants, issuers and resources',
      async () => {
        for (const earlyAuthentication of [false, true]) {
          const app = await start({ options: { earlyAuthentication } });
          for (const as of [shared, own, stranger]) {
            for (const named of [...TENANTS, 'unknown', '{tenant}', undefined]) {
              const aud = named === undefined ? ORIGIN : resourceOf(named, way);
              const token = await as.token({ aud });
              const opened = TENANTS.filter(
                (tenant) => tenant === named && issuersOf(tenant).includes(as.issuer),
              );
              // Where it is valid it is cached the second time, and taken from there the third time. Then all others again.
              const again = opened.flatMap((tenant) => [tenant, tenant, ...TENANTS]);
              for (const tenant of [...TENANTS, ...again]) {
                const answer = await call(app, tenant, way, token);
                const cell = `${way} ${tenant} ${as.issuer} ${aud}`;
                if (opened.includes(tenant)) {
                  const caller = { tenant, resource: aud, issuer: as.issuer, subject: 'u1' };
                  expect([cell, callerIn(answer)]).toEqual([cell, caller]);
                } else expect([cell, rejectedAs(answer)]).toEqual([cell, invalidTokenAt(tenant, way)]);
              }
            }
          }
          const several = await shared.token({ aud: [resourceOf('acme', way), resourceOf('gamma', way)] });
          expect(callerIn(await call(app, 'acme', way, several))).toMatchObject({ tenant: 'acme' });
          expect(rejectedAs(await call(app, 'gamma', way, several))).toEqual(invalidTokenAt('gamma', way));
        }
        expect(new Set(served)).toEqual(new Set(TENANTS));
      },
    );
  });

  describe('of an application', () => {
    let app: RunningApp;
    const seen: McpAuthEvent[] = [];

    beforeEach(async () => {
      app = await start({ adminIssuer: stranger.issuer });
      seen.length = 0;
      app.app.get(McpAuthEvents).on('access_denied', (event) => seen.push(event));
      app.app.get(McpAuthEvents).on('access_granted', (event) => seen.push(event));
    });

    verifies('TEN-23', 'have a document each, and unknown ones have none', async () => {
      const documents = await Promise.all(TENANTS.map((tenant) => app.send(PRM + pathOf(tenant, 'mcp'))));
      expect(documents.map(({ status, json }) => [status, json])).toEqual(
        TENANTS.map((tenant) => [
          200,
          {
            resource: resourceOf(tenant, 'mcp'),
            authorization_servers: issuersOf(tenant),
            scopes_supported: ['notes:purge'],
            bearer_methods_supported: ['header'],
            ...(tenant === 'beta' && { resource_name: 'Beta' }),
          },
        ]),
      );
      const [first] = documents;
      const again = await app.send(`${PRM}${pathOf('acme', 'mcp')}/`, {
        headers: { 'if-none-match': String(first?.headers.etag) },
      });
      expect(again.status).toBe(304);
      expect((await app.send(PRM + pathOf('acme'), { method: 'HEAD' })).headers.etag).toBeDefined();
      for (const tenant of [
        'unknown',
        'Acme',
        'acm%65',
        '{tenant}',
        '.',
        '..',
        'a'.repeat(65),
        '',
        'acme/x',
      ]) {
        const answer = await app.send(PRM + pathOf(tenant, 'mcp'));
        expect([tenant, answer.status, answer.headers['www-authenticate']]).toEqual([tenant, 404, undefined]);
      }
      expect(asked).not.toContain('acm%65');
      expect(asked).not.toContain('{tenant}');
      // Whatever the tenant, so the resolver is not called for these.
      asked.length = 0;
      const preflight = await app.send(PRM + pathOf('other'), { method: 'OPTIONS' });
      const post = await app.send(PRM + pathOf('other'), { method: 'POST', body: {} });
      expect([preflight.status, post.status, asked]).toEqual([204, 405, []]);
      expect(shared.paths.concat(own.paths)).not.toContain('/nowhere');
    });

    verifies(
      ['TEN-25', 'TEN-27', 'TEN-32'],
      'are 404 for an unknown tenant, before a token is read',
      async () => {
        const token = await shared.token({ aud: resourceOf('unknown') });
        const before = shared.requests.length;
        for (const way of WAYS) {
          for (const headers of [
            {},
            { authorization: `Bearer ${token}` },
            { authorization: 'Bearer garbage' },
          ]) {
            const answer = await callAt(app, pathOf('unknown', way), way, headers);
            expect([way, rejectedAs(answer)]).toEqual([way, UNKNOWN_TENANT]);
            expect(answer.headers['cache-control']).toBe('no-store');
          }
        }
        expect(asked).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
        expect(shared.requests.length).toBe(before);
        const [event] = seen;
        expect(event).toMatchObject({
          type: 'access_denied',
          reason: 'unknown_tenant',
          status: 404,
          resource: resourceOf('{tenant}'),
          subject: undefined,
        });
      },
    );

    verifies('TEN-27', 'are at exactly one spelling of their path', async () => {
      const token = await shared.token({ aud: resourceOf('acme') });
      const headers = { authorization: `Bearer ${token}` };
      for (const path of ['/t/acme/rest', '/t/acme/rest?x=/t/beta/rest', '/t/acme/rest/below'])
        expect(callerIn(await app.send(path, { headers }))).toMatchObject({ tenant: 'acme' });
      const spellings = [
        ...['/t/%61cme/rest', '/t/acme%2F/rest', '/t/acme;x/rest', '/t/ACME/rest', '/T/acme/rest'],
        ...['/t/acme/REST', '/t//acme/rest', '//t/acme/rest', '/t/x/../acme/rest', '/t/./acme/rest'],
        ...['/t/acme/rest/../../beta/rest', '/t/acme/rest/%2e%2e/%2e%2e/beta/rest', '/t/acme/rest/..%5c'],
        ...['/t/{tenant}/rest', '/t/%7Btenant%7D/rest', '/t/a b/rest'.replace(' ', '%20'), '/t/acme%00/rest'],
        ...[`/t/${'a'.repeat(65)}/rest`, '/t/acm%C3%A9/rest', '/t/acme,beta/rest', '/t/../rest', '/t/*/rest'],
      ];
      asked.length = 0;
      for (const path of spellings) {
        const { status } = await app.send(path, { headers });
        expect([path, status]).toEqual([path, 404]);
      }
      expect(served).toEqual(['acme', 'acme', 'acme']);
      expect(asked).toEqual(['ACME']);
    });

    verifies('TEN-22', 'leave the paths of other resources to these', async () => {
      const ofAdmin = await stranger.token({ aud: resourceOf('admin') });
      expect(callerIn(await call(app, 'admin', 'rest', ofAdmin))).toEqual({
        resource: resourceOf('admin'),
        issuer: stranger.issuer,
        subject: 'u1',
      });
      const ofMcp = await stranger.token({ aud: resourceOf('admin', 'mcp') });
      expect(callerIn(await call(app, 'admin', 'mcp', ofMcp))).toMatchObject({ tenant: 'admin' });
      expect(asked).toEqual(['admin']);
      expect((await app.send(PRM + pathOf('admin'))).json).toMatchObject({
        authorization_servers: [stranger.issuer],
      });
      // Some routers ignore letter case. In no spelling it is a tenant.
      await app.send('/t/Admin/rest', { headers: { authorization: `Bearer ${ofAdmin}` } });
      expect(served.filter((tenant) => tenant !== undefined)).toEqual(['admin']);
      expect(asked).toEqual(['admin']);
    });

    verifies('TEN-33', 'have origins of their own', async () => {
      const at = async (tenant: string, origin: string): Promise<unknown> => {
        const token = await shared.token({ aud: resourceOf(tenant) });
        const { status, headers } = await callAt(app, pathOf(tenant), 'rest', {
          authorization: `Bearer ${token}`,
          origin,
        });
        return [status, headers['access-control-allow-origin']];
      };
      expect(await at('acme', ORIGIN)).toEqual([200, ORIGIN]);
      expect(await at('acme', 'https://acme.example')).toEqual([200, 'https://acme.example']);
      expect(await at('beta', ORIGIN)).toEqual([200, ORIGIN]);
      expect(await at('beta', 'https://acme.example')).toEqual([403, undefined]);
      const preflight = async (tenant: string): Promise<unknown> => {
        const headers = { origin: 'https://acme.example', 'access-control-request-method': 'POST' };
        const answer = await app.send(pathOf(tenant, 'mcp'), { method: 'OPTIONS', headers });
        return [answer.status, answer.headers['access-control-allow-origin']];
      };
      expect(await preflight('acme')).toEqual([204, 'https://acme.example']);
      expect(await preflight('beta')).toEqual([403, undefined]);
      expect((await preflight('unknown')) as unknown[]).toEqual([404, undefined]);
    });

    verifies(
      ['TEN-32', 'TEN-39'],
      'are what events, challenges and tools of decorators belong to',
      async () => {
        const token = await shared.token({ aud: resourceOf('acme', 'mcp'), scope: 'notes:read' });
        const answer = await call(app, 'acme', 'mcp', token, 'purge');
        expect(rejectedAs(answer)).toMatchObject({
          status: 403,
          challenge:
            'Bearer error="insufficient_scope", scope="notes:purge", ' +
            `resource_metadata="${ORIGIN}${PRM}${pathOf('acme', 'mcp')}", ` +
            'error_description="The access token does not grant what this operation needs"',
        });
        const strong = await shared.token({ aud: resourceOf('acme', 'mcp'), scope: 'notes:purge' });
        expect(callerIn(await call(app, 'acme', 'mcp', strong, 'purge'))).toMatchObject({ tenant: 'acme' });
        expect(seen).toMatchObject([
          { type: 'access_denied', reason: 'insufficient_scope', resource: resourceOf('acme', 'mcp') },
          { type: 'access_granted', resource: resourceOf('acme', 'mcp') },
        ]);
      },
    );

    verifies('TEN-40', 'are known to explain() and ResourceTokenVerifier by their identifier', async () => {
      const token = await shared.token({ aud: resourceOf('acme') });
      const diagnostics = app.app.get(McpAuthDiagnostics);
      const verifier = app.app.get(ResourceTokenVerifier);
      const verified = await verifier.forResource(resourceOf('acme')).verifyAccessToken(token);
      expect(verified).toMatchObject({ tenant: 'acme', issuer: shared.issuer });
      await expect(verifier.forResource(resourceOf('beta')).verifyAccessToken(token)).rejects.toMatchObject({
        cause: { reason: 'audience' },
      });
      await expect(
        verifier.forResource(resourceOf('unknown')).verifyAccessToken(token),
      ).rejects.toMatchObject({ reason: 'unknown_tenant' });
      expect(() => verifier.forResource('rest')).toThrow('needs the name of a resource');
      expect(await diagnostics.explain(token, resourceOf('acme'))).toMatchObject({
        resource: resourceOf('acme'),
        decision: 'accepted',
      });
      expect(await diagnostics.explain(token, resourceOf('beta'))).toMatchObject({ reason: 'audience' });
      await expect(diagnostics.explain(token, 'rest')).rejects.toThrow('needs the name of a resource');
      expect(diagnostics.report().options.resources[0]).toMatchObject({ resource: resourceOf('{tenant}') });
    });
  });

  verifies('TEN-30', 'need proofs of possession for their own URL', async () => {
    const app = await start({ resource: { dpop: 'required' } });
    const atAcme = await ProvingClient.make(resourceOf('acme'));
    const aud = [resourceOf('acme'), resourceOf('beta')];
    const token = await shared.token({ aud, cnf: { jkt: atAcme.jkt } });
    const send = async (tenant: string) =>
      callAt(app, pathOf(tenant), 'rest', await atAcme.headers({ token }));
    expect(callerIn(await send('acme'))).toMatchObject({ tenant: 'acme' });
    expect(rejectedAs(await send('beta'))).toMatchObject({
      status: 401,
      json: { error: 'invalid_dpop_proof' },
    });
  });

  verifies('TEN-31', 'do not know the sessions of each other', async () => {
    const app = await start({ transport: { statefulMode: true } });
    const aud = [resourceOf('acme', 'mcp'), resourceOf('beta', 'mcp')];
    const headers = { ...MCP_HEADERS, authorization: `Bearer ${await shared.token({ aud })}` };
    const open = (tenant: string) =>
      app.send(pathOf(tenant, 'mcp'), { method: 'POST', headers, body: INITIALIZE });
    const opened = await open('acme');
    const id = String(opened.headers['mcp-session-id']);
    const list = (tenant: string) =>
      app.send(pathOf(tenant, 'mcp'), {
        method: 'POST',
        headers: { ...headers, 'mcp-session-id': id },
        body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      });
    expect([opened.status, (await list('acme')).status, (await list('beta')).status]).toEqual([
      200, 200, 404,
    ]);
  });

  verifies(
    'TEN-25',
    'are 404 for an unknown tenant with earlyAuthentication, also at open routes below',
    async () => {
      const app = await start({ options: { earlyAuthentication: true } });
      for (const way of WAYS)
        for (const path of [
          pathOf('unknown', way),
          `${pathOf('unknown', way)}/below`,
          `/t/%61cme/${way}`,
          `/T/acme/${way}`,
        ])
          expect([path, rejectedAs(await callAt(app, path, way, {}))]).toEqual([path, UNKNOWN_TENANT]);
      expect(served).toEqual([]);
    },
  );

  verifies('TEN-41', 'are behind the prefix of the application, if their resource has it', async () => {
    const prepare: NonNullable<Parameters<typeof start>[0]>['parts'] = {
      prepare: (nest) => {
        nest.setGlobalPrefix('api');
      },
    };
    const way: Way = 'rest';
    const app = await start({
      parts: prepare,
      resource: {},
      options: {
        resources: WAYS.map((name) => ({
          name,
          resource: `${ORIGIN}/api/t/{tenant}/${name}`,
          tenants: resolve,
        })),
      },
    });
    const token = await shared.token({ aud: `${ORIGIN}/api/t/acme/${way}` });
    const headers = { authorization: `Bearer ${token}` };
    expect(callerIn(await app.send('/api/t/acme/rest', { headers }))).toMatchObject({ tenant: 'acme' });
    expect((await app.send('/api/t/unknown/rest', { headers })).status).toBe(404);
    expect((await app.send(`${PRM}/api/t/acme/rest`)).json).toMatchObject({
      resource: `${ORIGIN}/api/t/acme/rest`,
    });
    expect((await app.send(`/api${PRM}/api/t/acme/rest`)).status).toBe(404);
  });

  it('leaves routes alone that have the form of a template and no guard', async () => {
    const app = await startTenants(resolve, {
      parts: { platform },
      options: {
        resources: WAYS.map((name) => ({
          name,
          resource:
            name === 'rest'
              ? `${ORIGIN}/t/{tenant}`
              : `${ORIGIN}/x${resourceOf('{tenant}', name).slice(ORIGIN.length)}`,
          tenants: resolve,
        })),
      },
    });
    // The route of the middleware is below /t/{tenant}, where the middleware rejects; nothing guards /t/acme itself.
    expect((await app.send('/t/unknown')).status).toBe(404);
    expect(rejectedAs(await app.send('/t/unknown/mw'))).toEqual(UNKNOWN_TENANT);
  });
});
