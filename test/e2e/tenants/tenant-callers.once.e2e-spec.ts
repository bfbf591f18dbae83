import { Controller, Get, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import {
  type ApiKeyOptions,
  AuthInfo,
  BearerAuthGuard,
  DownstreamTokens,
  type DownstreamTokenError,
  McpAuthDiagnostics,
  type PolicyFunction,
  ProtectedResource,
  type ProtectedResourceOptions,
  RequirePolicy,
  type TenantOptions,
  VerifiedToken,
} from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { z } from 'zod';
import { VerifierRegistry } from '../../../lib/token/verifier.registry.js';
import { PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { TestClock } from '../../fixtures/clock.js';
import { MCP_HEADERS } from '../../fixtures/mcp-endpoint.js';
import { DENIED, FAULT, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ORIGIN, PRM } from '../../fixtures/resources.js';
import {
  call,
  callAt,
  callerIn,
  invalidTokenAt,
  pathOf,
  resourceOf,
  startTenants,
  type Way,
  WAYS,
} from '../../fixtures/tenant-app.js';
import { TokenEndpoint } from '../../fixtures/token-endpoint.js';
import { verifies } from '../../verifies.js';

const KEYS = 'urn:example:api-keys';

let as: LoopbackAuthorizationServer;
beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});
afterAll(() => as.close());

/** What the policies were asked: the resource of each call. */
const asked: string[] = [];
beforeEach(() => {
  asked.length = 0;
});

const ofHome: PolicyFunction = (_, auth, { resource }) => {
  asked.push(resource);
  return String(auth.resource) === resource && auth.claims['home'] === auth.tenant;
};

/** Allows who may erase at this very resource. */
const eraser: PolicyFunction = (_, auth, { resource }) => auth.claims['erases'] === resource;

@McpController()
@ProtectedResource('mcp')
class PolicedTools {
  @Tool({ name: 'erase', description: 'Erase', parameters: z.object({}) })
  @RequirePolicy(eraser)
  erase(@AuthInfo('tenant') tenant: string) {
    return { content: [{ type: 'text' as const, text: JSON.stringify({ erased: tenant }) }] };
  }
}

@Controller('t/:tenant/rest/downstream')
@UseGuards(BearerAuthGuard)
@ProtectedResource('rest')
class Downstream {
  constructor(private readonly tokens: DownstreamTokens) {}

  @Get()
  async get(): Promise<object> {
    try {
      const { scopes } = await this.tokens.forResource({
        resource: 'https://orders.example.com',
        scopes: ['a'],
      });
      return { scopes };
    } catch (error) {
      const { reason, message } = error as DownstreamTokenError;
      return { reason, message };
    }
  }
}

describe.each(PLATFORMS)('callers of tenants on %s', (platform) => {
  const known = (): TenantOptions => ({ authorizationServers: [as.issuer] });

  const start = (
    resource: Partial<ProtectedResourceOptions>,
    more: Parameters<typeof startTenants>[1] = {},
    tenants: (tenant: string) => TenantOptions = known,
  ): Promise<RunningApp> =>
    startTenants(tenants, {
      ...more,
      resource,
      parts: { platform, controllers: [PolicedTools, Downstream], ...more.parts },
    });

  const withKey = (app: RunningApp, tenant: string, way: Way, key: string) =>
    callAt(app, pathOf(tenant, way), way, { 'x-api-key': key });

  verifies('TEN-45', 'open with a key only where its verifier says', async () => {
    const verifier: ApiKeyOptions['verifier'] = (key, { resource }) => {
      asked.push(resource);
      // One names its resource, the other leaves the decision to this function.
      if (key.startsWith('aud:')) return { sub: 'ada', client_id: 'k', aud: key.slice(4) };
      const opens = resource.startsWith(`${ORIGIN}/t/acme/`);
      return opens
        ? new VerifiedToken({ sub: 'ada', client_id: 'k' }, { audienceVerified: true, cacheable: true })
        : null;
    };
    for (const earlyAuthentication of [false, true]) {
      const app = await start({ apiKeys: { issuer: KEYS, verifier } }, { options: { earlyAuthentication } });
      for (const way of WAYS) {
        for (const key of [`aud:${resourceOf('acme', way)}`, 'opens-acme']) {
          // The third time it is taken from the cache, where it can be cached.
          for (const tenant of ['acme', 'beta', 'acme', 'beta', 'acme', 'beta']) {
            const answer = await withKey(app, tenant, way, key);
            const caller = { tenant, resource: resourceOf(tenant, way), issuer: KEYS, subject: 'ada' };
            if (tenant === 'acme') expect([way, key, callerIn(answer)]).toEqual([way, key, caller]);
            else expect([way, key, rejectedAs(answer)]).toEqual([way, key, invalidTokenAt(tenant, way)]);
          }
        }
        const everywhere = await withKey(app, 'beta', way, 'aud:{tenant}');
        expect(rejectedAs(everywhere)).toEqual(invalidTokenAt('beta', way));
      }
    }
    expect(new Set(asked)).toEqual(
      new Set(['acme', 'beta'].flatMap((tenant) => WAYS.map((way) => resourceOf(tenant, way)))),
    );
  });

  verifies('TEN-46', 'keep no memory for each tenant with keys', async () => {
    let calls = 0;
    const verifier: ApiKeyOptions['verifier'] = () => {
      calls += 1;
      return new VerifiedToken({ sub: 'ada', client_id: 'k' }, { audienceVerified: true, cacheable: true });
    };
    const app = await start(
      { apiKeys: { issuer: KEYS, verifier } },
      { options: { tokenCache: { maxEntries: 2, maxAgeSeconds: 60 } } },
    );
    const tenants = Array.from({ length: 30 }, (_, at) => `t${String(at)}`);
    const verifiers = app.app.get(VerifierRegistry, { strict: false });
    const kept = (): unknown => (Reflect.get(verifiers, 'byResource') as Map<unknown, unknown>).size;
    for (const tenant of ['first', 'first']) await withKey(app, tenant, 'rest', 'key');
    const before = kept();
    for (const tenant of tenants)
      for (const again of [tenant, tenant])
        expect(callerIn(await withKey(app, again, 'rest', 'key'))).toMatchObject({ tenant });
    const { caches, tenants: templates } = app.app.get(McpAuthDiagnostics, { strict: false }).report();
    expect(caches.verifiedTokens.maxEntries).toBe(2 * 2 * WAYS.length);
    expect(caches.verifiedTokens.entries).toBeLessThanOrEqual(2);
    expect(kept()).toBe(before);
    expect(templates.map(({ resource, entries }) => [resource, entries])).toEqual(
      WAYS.map((way) => [resourceOf('{tenant}', way), way === 'rest' ? 31 : 0]),
    );
    // The last one is cached.
    const now = calls;
    await withKey(app, 't29', 'rest', 'key');
    expect(calls).toBe(now);
  });

  verifies(
    'TEN-47',
    'must be of an allowed client, have the scopes, and then be allowed by policies',
    async () => {
      const verifier: ApiKeyOptions['verifier'] = (key, { resource }) => ({
        sub: 'ada',
        client_id: 'c1',
        aud: resource,
        scope: 'notes:read',
        home: key,
      });
      for (const earlyAuthentication of [false, true]) {
        const app = await start(
          {
            policy: ofHome,
            requiredScopes: ['notes:read'],
            allowedClients: { clientIds: ['c1'] },
            apiKeys: { issuer: KEYS, verifier },
          },
          { options: { listPolicy: 'hide', earlyAuthentication } },
        );
        for (const way of WAYS) {
          asked.length = 0;
          const token = (claims: object) =>
            as.token({ aud: resourceOf('acme', way), scope: 'notes:read', home: 'acme', ...claims });
          const good = await token({});
          for (let count = 0; count < 3; count++)
            expect(callerIn(await call(app, 'acme', way, good))).toMatchObject({ tenant: 'acme' });
          expect(callerIn(await withKey(app, 'acme', way, 'acme'))).toMatchObject({
            tenant: 'acme',
            issuer: KEYS,
          });
          expect(rejectedAs(await call(app, 'acme', way, await token({ home: 'beta' })))).toEqual(DENIED);
          expect(rejectedAs(await withKey(app, 'acme', way, 'beta'))).toEqual(DENIED);
          expect(new Set(asked)).toEqual(new Set([resourceOf('acme', way)]));
          asked.length = 0;
          // What comes before a policy.
          const both = await token({ client_id: 'other', scope: 'x', home: 'beta' });
          expect(rejectedAs(await call(app, 'acme', way, both))).toEqual({
            ...DENIED,
            json: {
              error: 'access_denied',
              error_description: 'This client is not allowed to use this resource',
            },
          });
          const lacking = rejectedAs(await call(app, 'acme', way, await token({ scope: 'x', home: 'beta' })));
          expect(lacking).toMatchObject({ status: 403, json: { error: 'insufficient_scope' } });
          expect(lacking.challenge).toContain(`resource_metadata="${ORIGIN}${PRM}${pathOf('acme', way)}"`);
          const invalid = invalidTokenAt('beta', way);
          expect(rejectedAs(await call(app, 'beta', way, good))).toEqual({
            ...invalid,
            challenge: invalid.challenge?.replace(
              '"invalid_token", ',
              '"invalid_token", scope="notes:read", ',
            ),
          });
          expect(asked).toEqual([]);
        }
        const listed = async (claims: object): Promise<readonly string[]> => {
          const bearer = await as.token({
            aud: resourceOf('acme', 'mcp'),
            scope: 'notes:read',
            home: 'acme',
            ...claims,
          });
          const { text } = await app.send(pathOf('acme', 'mcp'), {
            method: 'POST',
            headers: { ...MCP_HEADERS, authorization: `Bearer ${bearer}` },
            body: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} },
          });
          const { result } = JSON.parse(text.replace(/^[^{]*/, '')) as {
            result: { tools: { name: string }[] };
          };
          return result.tools.map(({ name }) => name).sort();
        };
        const here = { erases: resourceOf('acme', 'mcp') };
        expect(await listed({})).toEqual(['whoami']);
        expect(await listed({ erases: resourceOf('beta', 'mcp') })).toEqual(['whoami']);
        expect(await listed(here)).toEqual(['erase', 'whoami']);
        expect(await listed({ ...here, scope: 'notes:read notes:purge' })).toEqual([
          'erase',
          'purge',
          'whoami',
        ]);
        const erase = async (claims: object) => {
          const bearer = await as.token({
            aud: resourceOf('acme', 'mcp'),
            scope: 'notes:read',
            home: 'acme',
            ...claims,
          });
          return call(app, 'acme', 'mcp', bearer, 'erase');
        };
        expect(callerIn(await erase(here))).toEqual({ erased: 'acme' });
        expect(rejectedAs(await erase({ erases: resourceOf('beta', 'mcp') }))).toEqual(DENIED);
      }
    },
  );

  verifies('TEN-48', 'have no authorization server with the issuer of the keys', async () => {
    const app = await start(
      { apiKeys: { issuer: as.issuer.replace('127.0.0.1', 'localhost'), verifier: () => null } },
      {},
      (tenant) => ({
        authorizationServers: [tenant === 'acme' ? as.issuer : as.issuer.replace('127.0.0.1', 'localhost')],
      }),
    );
    const token = await as.token({ aud: resourceOf('acme') });
    expect(callerIn(await call(app, 'acme', 'rest', token))).toMatchObject({ tenant: 'acme' });
    expect(rejectedAs(await call(app, 'beta', 'rest', token))).toEqual(FAULT);
  });

  verifies(['DWN-21', 'DWN-22'], 'get downstream tokens by the credentials of the tenant', async () => {
    const clock = new TestClock();
    const issuing = closeAfterTest(await TestAuthorizationServer.start({ now: clock.now }));
    const endpoint = new TokenEndpoint(issuing);
    const secrets = new Map([
      ['acme', 'secret-of-acme'],
      ['beta', 'secret-of-beta'],
    ]);
    const verifier: ApiKeyOptions['verifier'] = (_, { resource }) => ({
      sub: 'ada',
      client_id: 'k',
      aud: resource,
    });
    const app = await start(
      { apiKeys: { issuer: KEYS, verifier } },
      { options: { now: clock.now } },
      (tenant) => ({
        authorizationServers: [
          {
            issuer: issuing.issuer,
            tokenExchange: {
              clientId: 'gateway',
              clientSecret: secrets.get(tenant) ?? '-',
              authMethod: 'client_secret_post',
            },
          },
        ],
      }),
    );
    const exchanged = async (tenant: string): Promise<unknown> => {
      const token = await issuing.issueToken({ audience: resourceOf(tenant) });
      const { json } = await callAt(app, `${pathOf(tenant)}/downstream`, 'rest', {
        authorization: `Bearer ${token}`,
      });
      expect(json).toEqual({ scopes: ['a'] });
      const { form } = endpoint.requests.at(-1)!;
      expect(form['subject_token']).toBe(token);
      return form['client_secret'];
    };
    expect([await exchanged('acme'), await exchanged('beta')]).toEqual(['secret-of-acme', 'secret-of-beta']);
    secrets.set('acme', 'new-secret');
    clock.forward(61);
    expect([await exchanged('acme'), await exchanged('beta')]).toEqual(['new-secret', 'secret-of-beta']);

    const count = endpoint.requests.length;
    const byKey = await callAt(app, `${pathOf('acme')}/downstream`, 'rest', { 'x-api-key': 'key' });
    expect(byKey.json).toEqual({
      reason: 'not_configured',
      message: 'The caller has no token that could be exchanged, but for example an API key',
    });
    expect(endpoint.requests).toHaveLength(count);
  });
});
