import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { resolveOptions } from './resolve-options.js';
import { resolveTenant } from './resolve-tenant.js';
import { TenantPath } from './resource-template.js';

const TEMPLATE = 'https://api.example.com/t/{tenant}/mcp';
const tenants = (): undefined => undefined;
const SERVER = 'https://as.example';

const problemsOf = (work: () => unknown): readonly string[] => {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof McpAuthConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
};

const ofTemplate = (more: object = {}, beside: object = {}) =>
  resolveOptions({ resources: { resource: TEMPLATE, tenants, ...more }, ...beside });

describe('a resource with tenants', () => {
  verifies('TEN-20', 'is a template with one variable', () => {
    for (const resource of [
      TEMPLATE,
      'https://api.example.com/{tenant}',
      'https://api.example.com/a/{tenant}/',
    ]) {
      expect(problemsOf(() => ofTemplate({ resource }))).toEqual([]);
    }
    const broken = [
      ...['https://api.example.com/mcp', 'https://{tenant}.example.com/mcp', 'https://{tenant}/mcp'],
      ...[
        'https://api.example.com/t-{tenant}/mcp',
        'https://api.example.com/{tenant}x',
        `${TEMPLATE}/{tenant}`,
      ],
      ...[
        'https://api.example.com/{Tenant}',
        'https://api.example.com/{}',
        `${TEMPLATE}/{other}`,
        '{tenant}',
      ],
    ];
    for (const resource of broken)
      expect(problemsOf(() => ofTemplate({ resource }))).toEqual([
        'resources[0].resource: is no template: write "{tenant}" once, as a whole segment of the path, such as ' +
          `${TEMPLATE}; got ${JSON.stringify(resource)}`,
      ]);
    expect(problemsOf(() => ofTemplate({ resource: 'http://api.example.com/{tenant}' }))).toEqual([
      'resources[0].resource: uses http for another machine; use https; got "http://api.example.com/{tenant}"',
    ]);
  });

  verifies('TEN-20', 'is the only resource that may have the variable', () => {
    const of = (resource: string) => () =>
      resolveOptions({ resources: { resource, authorizationServers: [SERVER] } });
    for (const other of ['%7Btenant%7D', '{id}', 'tenant'])
      expect(problemsOf(of(`https://api.example.com/t/${other}/mcp`))).toEqual([]);
    expect(problemsOf(of(TEMPLATE))).toEqual([
      'resources[0].resource: has "{tenant}", as only a template has it; set "tenants" beside it, or percent-encode the ' +
        `braces; got "${TEMPLATE}"`,
    ]);
  });

  verifies('TEN-21', 'needs a resolver of a known form, and no servers of its own', () => {
    const message = 'must be a class or an object with a method "resolve", or a function';
    const cases: [unknown, string][] = [
      ['a text', '"a text"'],
      [null, 'null'],
      [{}, 'a value of type object'],
      [{ resolve: 1 }, 'a value of type object'],
    ];
    for (const [given, got] of cases)
      expect(problemsOf(() => ofTemplate({ tenants: given }))).toEqual([
        `resources[0].tenants: ${message}; got ${got}`,
      ]);
    expect(problemsOf(() => ofTemplate({ authorizationServers: [SERVER] }))).toEqual([
      'resources[0].authorizationServers: stands beside "tenants", which names the servers of each tenant; leave one of ' +
        'the two out',
    ]);
    expect(problemsOf(() => resolveOptions({ resources: { resource: 'https://api.example.com' } }))).toEqual([
      'resources[0].authorizationServers: must be a list; got undefined',
    ]);
  });

  verifies('TEN-21', 'cannot have what holds for one resource, or for callers without a tenant', () => {
    const signed = `e30.${Buffer.from('{"iss":"a"}').toString('base64url')}.e30`;
    const cases: [object, string][] = [
      [{ authorizationServerResolver: tenants }, 'authorizationServerResolver: stands beside "tenants"'],
      [{ audience: 'api://x' }, 'audience: would open all tenants to the tokens of each'],
      [{ audienceMatch: 'hierarchical' }, 'audienceMatch: cannot be "hierarchical" beside "tenants"'],
      [{ allowAnonymous: true }, 'allowAnonymous: cannot be true beside "tenants"'],
      [{ anonymousMethods: ['initialize'] }, 'anonymousMethods: cannot stand beside "tenants"'],
      [{ metadata: { signed_metadata: signed } }, 'metadata: "signed_metadata" names one resource'],
    ];
    for (const [given, message] of cases) {
      const [problem, ...others] = problemsOf(() => ofTemplate(given));
      expect([problem?.startsWith(`resources[0].${message}`), others]).toEqual([true, []]);
    }
    for (const [given, message] of [
      [
        { serveRootAlias: true },
        'serveRootAlias: stands for one resource, and a template has many; leave it out',
      ],
      [
        { legacyAuthorizationServerMetadata: true },
        'legacyAuthorizationServerMetadata: names one authorization server for the origin, and tenants have their own; leave it out',
      ],
      [
        { stdio: 'allow' },
        'stdio: must be "deny": a call over stdio has no path that names its tenant; leave it out',
      ],
    ] as const)
      expect(problemsOf(() => ofTemplate({}, given))).toEqual([message]);
    expect(problemsOf(() => ofTemplate({}, { stdio: 'deny', serveRootAlias: false }))).toEqual([]);
  });

  verifies('TEN-22', 'has no path in common with another template', () => {
    const of = (...resources: string[]) =>
      problemsOf(() => resolveOptions({ resources: resources.map((resource) => ({ resource, tenants })) }));
    const base = 'https://api.example.com';
    const message =
      'resources[1].resource: has paths that belong to resources[0] too; give the templates different paths';
    expect(of(TEMPLATE, `${base}/{tenant}/mcp/t`)).toEqual([]);
    expect(of(TEMPLATE, `${base}/t/{tenant}`, `${base}/t/{tenant}/api`)).toEqual([]);
    expect(of(TEMPLATE, `${base}/{tenant}/x/mcp`)).toEqual([message]);
    expect(of(TEMPLATE, 'https://other.example.com/T/{tenant}/mcp/')).toEqual([message]);
    const beside = [
      { resource: `${base}/t/admin/mcp`, authorizationServers: [SERVER] },
      { resource: TEMPLATE, tenants },
    ];
    expect(problemsOf(() => resolveOptions({ resources: beside }))).toEqual([]);
  });

  it('keeps a resolver that is an object open, and classes and functions as they are', () => {
    const resolver = { known: 'acme', resolve: (tenant: string) => `${resolver.known} ${tenant}` };
    const resolved = ofTemplate({ tenants: resolver }).resources[0]?.tenants as (tenant: string) => unknown;
    expect([resolved('a'), Object.isFrozen(resolver)]).toEqual(['acme a', false]);
    class Resolver {
      resolve(): undefined {
        return undefined;
      }
    }
    for (const each of [tenants, Resolver])
      expect(ofTemplate({ tenants: each }).resources[0]?.tenants).toBe(each);
  });
});

describe('what a resolver returns', () => {
  const [template] = ofTemplate({ requiredScopes: ['a'], metadata: { resource_name: 'All' } }).resources;
  const resolve = (given: unknown) => resolveTenant(given, 'acme', template!, { replicas: 'one' });

  it('makes the options of the tenant, beside those of the template', () => {
    const given = { authorizationServers: [SERVER] };
    const resolved = resolve(given);
    expect(resolved).toMatchObject({
      resource: 'https://api.example.com/t/acme/mcp',
      tenants: undefined,
      audiences: ['https://api.example.com/t/acme/mcp'],
      requiredScopes: ['a'],
      metadata: { resource_name: 'All' },
      authorizationServers: [{ issuer: SERVER, needsKeys: true }],
    });
    expect(resolved.allowedOrigins).toBe(template!.allowedOrigins);
    given.authorizationServers[0] = 'https://other.example';
    expect(resolved.authorizationServers[0]?.issuer).toBe(SERVER);
    expect(
      resolve({
        authorizationServers: [{ metadata: { issuer: SERVER } }],
        audience: ['api://acme', 'acme'],
        allowedOrigins: ['https://ACME.example'],
        metadata: { resource_name: 'Acme', resource_documentation: 'https://acme.example' },
      }),
    ).toMatchObject({
      audiences: ['api://acme', 'acme'],
      allowedOrigins: ['https://api.example.com', 'https://acme.example'],
      metadata: { resource_name: 'Acme', resource_documentation: 'https://acme.example' },
    });
  });

  verifies('TEN-35', 'is checked as options are', () => {
    const at = 'tenants.resolve("acme")';
    const signed = `e30.${Buffer.from(`{"iss":"a","resource":"${TEMPLATE}"}`).toString('base64url')}.e30`;
    const introspection = { clientId: 'c', clientSecret: 's' };
    const cases: [unknown, RegExp][] = [
      [true, /must be an object, or undefined/],
      [[], /must be an object, or undefined/],
      [{}, /authorizationServers: must be a list/],
      [{ authorizationServers: [] }, /authorizationServers: must not be empty/],
      [{ authorizationServers: SERVER }, /authorizationServers: must be a list/],
      [{ authorizationServers: [7] }, /authorizationServers\[0\]: must be an issuer/],
      [{ authorizationServers: ['http://as.example'] }, /authorizationServers\[0\].issuer: uses http/],
      [{ authorizationServers: [{ metadataUrl: SERVER }] }, /authorizationServers\[0\]: needs its "issuer"/],
      [{ authorizationServers: [SERVER], requiredScopes: ['b'] }, /requiredScopes: is not an option/],
      [{ authorizationServers: [SERVER], audience: [] }, /audience: must not be empty/],
      [{ authorizationServers: [SERVER], allowedOrigins: ['x'] }, /allowedOrigins: /],
      [{ authorizationServers: [SERVER], metadata: { resource: 'x' } }, /metadata: /],
      [
        { authorizationServers: [SERVER], metadata: { signed_metadata: signed } },
        /made for another "resource"/,
      ],
      [
        {
          authorizationServers: [
            { issuer: SERVER, introspection },
            { issuer: 'https://b.example', introspection },
          ],
        },
        /authorizationServers\[1\].introspection: is the second server/,
      ],
    ];
    for (const [given, message] of cases) {
      const [problem = ''] = problemsOf(() => resolve(given));
      expect(problem).toMatch(message);
      expect(problem.startsWith(at)).toBe(true);
    }
  });
});

describe('a TenantPath', () => {
  const path = new TenantPath('/t.x/{tenant}/mcp');

  verifies('TEN-27', 'finds a tenant of unreserved characters in exactly its path, and what is below', () => {
    for (const tenant of ['a', 'A.b_c~d-9', '...', '.a', 'x'.repeat(64)])
      expect(path.find(`/t.x/${tenant}/mcp`)).toEqual({ tenant, below: '' });
    expect(path.find('/t.x/a/mcp/b/c')).toEqual({ tenant: 'a', below: '/b/c' });
    for (const other of [
      '.',
      '..',
      '',
      'x'.repeat(65),
      'a%62',
      'a b',
      'é',
      'a/b',
      '{tenant}',
      'a;b',
      'a$',
      'a\n',
    ])
      expect(path.find(`/t.x/${other}/mcp`)).toBeUndefined();
    for (const other of [
      '/tax/a/mcp',
      '/t.x/a/mcpx',
      '/t.x/a',
      'x/t.x/a/mcp',
      '/t.x/a/mcp;y',
      '/t.x/a/mcp%2f',
      '/T.x/a/mcp',
    ])
      expect(path.find(other)).toBeUndefined();
  });
});
