import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AllowAnonymous,
  AuthContext,
  BearerAuthGuard,
  type McpAuthModuleOptions,
  ProtectedResource,
  type ResolveTenant,
  ResourceTokenVerifier,
  type TenantOptions,
  TenantResolver,
  type TenantResolverOption,
} from 'nestjs-mcp-auth';
import { PLATFORMS, RecordingLogger, type RunningApp, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { TestClock } from '../../fixtures/clock.js';
import { makeKey } from '../../fixtures/keys.js';
import { FAULT, rejectedAs } from '../../fixtures/notes-rejections.js';
import { ORIGIN, PRM } from '../../fixtures/resources.js';
import {
  call,
  callAt,
  callerIn,
  invalidTokenAt,
  pathOf,
  resourceOf,
  startTenants,
  TENANT_UNAVAILABLE,
  UNKNOWN_TENANT,
  WAYS,
} from '../../fixtures/tenant-app.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;
let other: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
  other = await LoopbackAuthorizationServer.start('/other');
});

afterAll(() => Promise.all([as.close(), other.close()]));

const answer = (): TenantOptions => ({ authorizationServers: [as.issuer] });

@Injectable()
class Store {
  readonly tenants = new Map<string, TenantOptions>();
}

@Injectable()
class StoredTenants extends TenantResolver {
  constructor(private readonly store: Store) {
    super();
  }

  resolve(tenant: string): Promise<TenantOptions | undefined> {
    return Promise.resolve(this.store.tenants.get(tenant));
  }
}

describe('the option "tenants"', () => {
  verifies('TEN-34', 'is a class by DI, an object or a function', async () => {
    const resolver = {
      known: 'acme',
      resolve: (tenant: string) => (tenant === resolver.known ? answer() : null),
    };
    const forms: readonly TenantResolverOption[] = [
      StoredTenants,
      resolver,
      (tenant) => (tenant === 'acme' ? answer() : undefined),
      (tenant) => Promise.resolve(tenant === 'acme' ? answer() : undefined),
    ];
    const token = await as.token({ aud: resourceOf('acme') });
    for (const form of forms) {
      const app = await startTenants(form, { parts: { providers: [Store, StoredTenants] } });
      app.app.get(Store).tenants.set('acme', answer());
      expect(callerIn(await call(app, 'acme', 'rest', token))).toMatchObject({ tenant: 'acme' });
      expect(rejectedAs(await call(app, 'beta', 'rest', token))).toEqual(UNKNOWN_TENANT);
    }
  });

  verifies(
    'TEN-34',
    'names a class that is a provider with a method, or the application does not start',
    async () => {
      class Unprovided extends StoredTenants {}
      class Empty {
        find(): void {
          // has another name
        }
      }
      const failure = async (tenants: unknown) =>
        (
          await startFailure(
            { resources: { resource: resourceOf('{tenant}'), tenants: tenants as TenantResolverOption } },
            { providers: [Empty, Store, StoredTenants] },
          )
        ).message;
      expect(await failure(Unprovided)).toContain(
        `Unprovided: finds the tenants of ${resourceOf('{tenant}')} and cannot be found; add Unprovided to the ` +
          'providers of a module, in the default scope',
      );
      expect(await failure(Empty)).toContain(
        `Empty: finds the tenants of ${resourceOf('{tenant}')} and has no method "resolve"; extend TenantResolver`,
      );
    },
  );

  verifies('TEN-21', 'has no anonymous handlers', async () => {
    @Controller('t/:tenant/rest')
    @UseGuards(BearerAuthGuard)
    class Open {
      @Get()
      @AllowAnonymous()
      open(): string {
        return 'open';
      }
    }
    @Controller('t/:tenant/rest')
    @UseGuards(BearerAuthGuard)
    @ProtectedResource('rest')
    class NamedOpen extends Open {
      @Get()
      @AllowAnonymous()
      override open(): string {
        return 'open';
      }
    }
    const template = { name: 'rest', resource: resourceOf('{tenant}'), tenants: answer };
    const beside = { resource: `${ORIGIN}/notes`, authorizationServers: [as.issuer] };
    const cases: [McpAuthModuleOptions, typeof Open][] = [
      [{ resources: template }, Open],
      [{ resources: [template, beside] }, NamedOpen],
    ];
    for (const [options, controller] of cases)
      expect((await startFailure(options, { controllers: [controller] })).message).toContain(
        `${controller.name}.open: has @AllowAnonymous(), which a resource with "tenants" cannot have; leave it out`,
      );
  });

  it('is told of at startup', async () => {
    const log = new RecordingLogger();
    await startTenants(answer, { parts: { log } });
    expect(log.notes).toContain(
      `Protecting ${resourceOf('{tenant}')} (metadata at ${ORIGIN}${PRM}${pathOf('{tenant}')}, tokens from the servers of each tenant)`,
    );
    expect(log.warnings.filter((line) => line.includes('no guarded route'))).toEqual([]);
  });
});

describe.each(PLATFORMS)('a tenant resolver on %s', (platform) => {
  const startWith = (
    resolve: ResolveTenant,
    options: Partial<McpAuthModuleOptions> = {},
    log?: RecordingLogger,
  ): Promise<RunningApp> => startTenants(resolve, { options, parts: { platform, ...(log && { log }) } });

  verifies('TEN-35', 'that fails lets nobody in, by any way, and is told to the operator', async () => {
    const cases: [unknown, object, RegExp, earlyAuthentication?: boolean][] = [
      [
        () => {
          throw new Error('no database');
        },
        TENANT_UNAVAILABLE,
        /the option "tenants" threw: no database/,
      ],
      [
        () => Promise.reject(new Error('no database')),
        TENANT_UNAVAILABLE,
        /the option "tenants" threw: no database/,
      ],
      [
        () => new Promise(() => undefined),
        TENANT_UNAVAILABLE,
        /the option "tenants" gave no answer within 100 ms/,
      ],
      [() => ({}), FAULT, /tenants\.resolve\("acme"\)\.authorizationServers: must be a list; got undefined/],
      [
        () => ({}),
        FAULT,
        /tenants\.resolve\("acme"\)\.authorizationServers: must be a list; got undefined/,
        true,
      ],
      [() => Promise.reject(new Error('no database')), TENANT_UNAVAILABLE, /threw: no database/, true],
      [() => 'acme', FAULT, /tenants\.resolve\("acme"\): must be an object, or undefined/],
      [
        () => ({ authorizationServers: [as.issuer, { issuer: as.issuer, type: 'oauth' }] }),
        FAULT,
        /authorizationServers\[1\]: is the same issuer as another one; keep one of them/,
      ],
    ];
    for (const [resolve, rejection, line, earlyAuthentication = false] of cases) {
      const log = new RecordingLogger();
      const app = await startWith(
        resolve as ResolveTenant,
        { earlyAuthentication, verifierTimeoutMs: 100 },
        log,
      );
      for (const way of WAYS) {
        const token = await as.token({ aud: resourceOf('acme', way) });
        expect([way, rejectedAs(await call(app, 'acme', way, token))]).toEqual([way, rejection]);
        expect(rejectedAs(await callAt(app, pathOf('acme', way), way, {}))).toEqual(rejection);
      }
      const lines = [...log.warnings, ...log.errors];
      expect(lines.filter((each) => line.test(each))).not.toEqual([]);
      const document = await app.send(PRM + pathOf('acme'));
      const { status } = rejection as { status: number };
      expect([document.status, document.headers['retry-after']]).toEqual([
        status,
        status === 503 ? '5' : undefined,
      ]);
      expect(log.errors.filter((each) => each.includes('the document of a tenant'))).toHaveLength(1);
    }
  });

  verifies(
    ['TEN-29', 'TEN-43', 'TEN-36'],
    'is asked again, and a token that was cached is worth nothing then',
    async () => {
      const clock = new TestClock();
      clock.stop();
      let current: TenantOptions | undefined = answer();
      const app = await startWith(() => current, { now: clock.now });
      const token = await as.token({ aud: resourceOf('acme') });
      const status = async (): Promise<number> => (await call(app, 'acme', 'rest', token)).status;
      expect([await status(), await status(), await status()]).toEqual([200, 200, 200]);
      current = { authorizationServers: [other.issuer] };
      clock.forward(59);
      expect(await status()).toBe(200);
      clock.forward(1);
      expect(rejectedAs(await call(app, 'acme', 'rest', token))).toEqual(invalidTokenAt('acme'));
      expect((await app.send(PRM + pathOf('acme'))).json).toMatchObject({
        authorization_servers: [other.issuer],
      });
      current = undefined;
      clock.forward(60);
      expect(rejectedAs(await call(app, 'acme', 'rest', token))).toEqual(UNKNOWN_TENANT);
      current = answer();
      clock.forward(10);
      expect(await status()).toBe(200);
    },
  );

  verifies('TEN-36', 'runs once for requests at once, and outside of all of them', async () => {
    const asked: (string | undefined)[] = [];
    const seen: { context?: AuthContext } = {};
    const app = await startWith((tenant) => {
      asked.push(tenant, seen.context?.current()?.subject);
      return answer();
    });
    seen.context = app.app.get(AuthContext);
    const token = await as.token({ aud: resourceOf('acme') });
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(app, 'acme', 'rest', token)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(asked).toEqual(['acme', undefined]);
  });
});

describe('a thousand tenants', () => {
  verifies('TEN-38', 'cause a thousand discoveries if all their first requests come at once', async () => {
    const key = await makeKey('ES256');
    const fetched: string[] = [];
    const document = (url: string): object => {
      const issuer = url.replace('/.well-known/oauth-authorization-server', '');
      return url.includes('/.well-known/')
        ? as.metadata({ issuer, jwks_uri: `${issuer}/jwks` })
        : { keys: [key.publicJwk] };
    };
    const fetch = (url: Parameters<typeof globalThis.fetch>[0]): Promise<Response> => {
      const address = url instanceof Request ? url.url : String(url);
      fetched.push(address);
      const headers = { 'content-type': 'application/json' };
      return Promise.resolve(new Response(JSON.stringify(document(address)), { headers }));
    };
    const issuerOf = (tenant: string): string => `https://as.example/${tenant}`;
    const asked: string[] = [];
    const app = await startTenants(
      async (tenant) => {
        asked.push(tenant);
        await Promise.resolve();
        return { authorizationServers: [issuerOf(tenant)] };
      },
      { options: { fetch, discoveryTimeoutMs: 60_000, verifierTimeoutMs: 60_000 } },
    );
    const tenants = Array.from({ length: 1000 }, (_, index) => `t${String(index)}`);
    const tokens = await Promise.all(
      tenants.map((tenant) => as.token({ iss: issuerOf(tenant), aud: resourceOf(tenant) }, { key })),
    );
    const verifier = app.app.get(ResourceTokenVerifier);
    const verify = (index: number) =>
      verifier.forResource(resourceOf(tenants[index]!)).verifyAccessToken(tokens[index]!);
    // Two for each of a hundred.
    const callers = await Promise.all([...tenants.keys(), ...Array(100).keys()].map(verify));
    expect(callers.map(({ tenant }) => tenant)).toEqual([...tenants, ...tenants.slice(0, 100)]);
    expect([asked.length, fetched.length, new Set(fetched).size]).toEqual([1000, 2000, 2000]);
    expect(callerIn(await call(app, 't1', 'rest', tokens[1]!))).toMatchObject({ tenant: 't1' });
    expect(rejectedAs(await call(app, 't1', 'rest', tokens[2]!))).toEqual(invalidTokenAt('t1'));
    expect(fetched.length).toBe(2000);
  });
});
