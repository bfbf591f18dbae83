import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { SIGNATURE_ALGORITHMS } from './algorithms.js';
import { resolveOptions } from './resolve-options.js';

const RESOURCE = 'https://api.example.com/notes';
const ISSUER = 'https://auth.example.com';

function rejectionOf(options: unknown): McpAuthConfigError {
  try {
    resolveOptions(options);
  } catch (error) {
    if (error instanceof McpAuthConfigError) return error;
    throw error;
  }
  throw new Error('the options are accepted');
}

const messageOf = (options: unknown): string => rejectionOf(options).message;

const ofResource = (more: object): object => ({
  resources: { resource: RESOURCE, authorizationServers: [ISSUER], ...more },
});

const ofServer = (server: object): object =>
  ofResource({ authorizationServers: [{ issuer: ISSUER, ...server }] });

describe('resolveOptions', () => {
  it('fills in what is left out', () => {
    const { fetch, now, ...options } = resolveOptions(ofResource({}));
    expect(options).toEqual({
      resources: [
        {
          name: undefined,
          resource: RESOURCE,
          authorizationServers: [
            {
              issuer: ISSUER,
              type: 'auto',
              metadataUrl: undefined,
              trustDocumentIssuer: false,
              metadata: undefined,
              transpileData: undefined,
              jwks: undefined,
              remoteJwkSet: {
                timeoutMs: 5000,
                cooldownSeconds: 30,
                cacheMaxAgeSeconds: 600,
                staleMaxAgeSeconds: 3600,
                headers: {},
              },
              mode: 'jwt',
              introspection: undefined,
              needsKeys: true,
              algorithms: SIGNATURE_ALGORITHMS,
              profile: 'lenient',
              maxTokenAgeSeconds: undefined,
              requiredClaims: [],
              oneTimeTokens: undefined,
              claimNames: {
                clientId: ['client_id', 'azp', 'cid', 'appid'],
                scopes: ['scope', 'scp', 'scopes'],
              },
              mcpCompliance: 'warn',
            },
          ],
          requiredScopes: [],
          challengeScopes: 'required',
          scopesSupported: undefined,
          audiences: [RESOURCE],
          audienceMatch: 'exact',
          rejectMultipleAudiences: false,
          allowAnonymous: false,
          anonymousMethods: [],
          allowedOrigins: ['https://api.example.com'],
          allowedHosts: undefined,
          metadata: {},
          verifier: undefined,
          privateIssuers: [],
        },
      ],
      clockToleranceSeconds: 5,
      discoveryTimeoutMs: 15_000,
      discovery: 'bootstrap',
      onDiscoveryFailure: 'fail',
      replicas: 'one',
      metadataRefreshSeconds: 3600,
      verifierTimeoutMs: 10_000,
      earlyAuthentication: false,
      endStreamsAtExpiry: true,
      undeclaredTools: undefined,
      undecoratedTools: 'allow',
      requestUser: undefined,
      maxOperations: 100,
      scopeHierarchy: undefined,
      listPolicy: 'show',
      toolSecuritySchemes: true,
      toolChallenge: 'http',
      stdio: 'deny',
      tokenCache: { maxEntries: 10_000, maxAgeSeconds: 60 },
      sessionBinding: { maxSessions: 10_000, maxIdleSeconds: 86_400 },
      isRevoked: undefined,
      maxTokenLength: 8192,
      showErrorDetails: false,
      errorBody: 'oauth',
      errorUri: undefined,
      errorPage: undefined,
      metadataMaxAgeSeconds: 3600,
      serveRootAlias: false,
      legacyAuthorizationServerMetadata: false,
    });
    expect(Math.abs(now().getTime() - Date.now())).toBeLessThan(1000);
    expect(fetch).toBeInstanceOf(Function);
  });

  it('uses the global fetch by default, as it is when it is called', async () => {
    const { fetch } = resolveOptions(ofResource({}));
    const answer = await fetch('data:application/json,{}');
    expect(await answer.json()).toEqual({});
  });

  it('keeps what is given', () => {
    const now = (): Date => new Date(0);
    const server = {
      metadataUrl: `${ISSUER}/m`,
      trustDocumentIssuer: true,
      type: 'oidc',
      jwks: (): { keys: [] } => ({ keys: [] }),
      algorithms: ['ES256'],
      profile: 'rfc9068',
      maxTokenAgeSeconds: 600,
      mcpCompliance: 'off',
    };
    const given = {
      resources: [
        {
          resource: RESOURCE,
          name: 'notes',
          authorizationServers: [{ ...server }],
          requiredScopes: ['b', 'a', 'b'],
          scopesSupported: ['c', 'c'],
          audience: ['api://x', 'y'],
          audienceMatch: 'hierarchical',
          rejectMultipleAudiences: true,
          metadata: { resource_name: 'Notes' },
        },
      ],
      clockToleranceSeconds: 0,
      discoveryTimeoutMs: 100,
      metadataMaxAgeSeconds: 0,
      serveRootAlias: true,
      showErrorDetails: true,
      errorBody: 'json-rpc',
      errorUri: 'https://docs.example/e',
      isGlobal: false,
      fetch,
      now,
    };
    const options = resolveOptions(given);
    expect(options).toMatchObject({
      clockToleranceSeconds: 0,
      discoveryTimeoutMs: 100,
      metadataMaxAgeSeconds: 0,
      serveRootAlias: true,
      showErrorDetails: true,
      errorBody: 'json-rpc',
      errorUri: 'https://docs.example/e',
      fetch,
      now,
    });
    expect(options.resources[0]).toMatchObject({
      name: 'notes',
      requiredScopes: ['b', 'a'],
      scopesSupported: ['c'],
      audiences: ['api://x', 'y'],
      audienceMatch: 'hierarchical',
      rejectMultipleAudiences: true,
      metadata: { resource_name: 'Notes' },
    });
    expect(options.resources[0]?.authorizationServers[0]).toMatchObject({ issuer: undefined, ...server });
  });

  it('copies its input and freezes its result, all the way down', () => {
    const keys = [{ kty: 'RSA', n: 'n', e: 'AQAB' }];
    const metadata = { x_vendor: { list: ['a'] } };
    const given = ofResource({ authorizationServers: [{ issuer: ISSUER, jwks: { keys } }], metadata });
    const options = resolveOptions(given);
    metadata.x_vendor.list.push('b');
    keys.pop();
    const [resource] = options.resources;
    expect(resource?.metadata).toEqual({ x_vendor: { list: ['a'] } });
    expect(resource?.authorizationServers[0]?.jwks).toEqual({ keys: [{ kty: 'RSA', n: 'n', e: 'AQAB' }] });
    for (const part of [
      options,
      options.resources,
      resource,
      resource?.audiences,
      resource?.metadata['x_vendor'],
      resource?.authorizationServers[0]?.jwks,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Object.isFrozen(given)).toBe(false);
  });

  verifies(['CHL-23', 'F105', 'F107'], 'rejects settings of rejections that cannot be meant', () => {
    expect(
      messageOf({
        ...ofResource({}),
        showErrorDetails: 'true',
        errorBody: 'jsonrpc',
        errorUri: 'http://a.example/e',
      }),
    ).toBe(
      [
        'McpAuthModule has 3 problems:',
        '  - showErrorDetails: must be true or false; got "true"',
        '  - errorBody: must be one of oauth, json-rpc; got "jsonrpc"',
        '  - errorUri: uses http for another machine; use https; got "http://a.example/e"',
      ].join('\n'),
    );
    expect(messageOf({ ...ofResource({}), errorUri: 'http://127.0.0.1/e' })).toContain(
      'errorUri: must be https',
    );
  });

  verifies(['STD-01', 'F96'], 'takes a caller over stdio with scopes, or one of two words', () => {
    const scopes = ['notes:read', 'notes:write', 'notes:read'];
    expect(resolveOptions({ ...ofResource({}), stdio: { subject: 'ada', scopes } }).stdio).toEqual({
      subject: 'ada',
      clientId: '',
      scopes: ['notes:read', 'notes:write'],
    });
    expect(resolveOptions({ ...ofResource({}), stdio: { scopes: [] } }).stdio).toMatchObject({ scopes: [] });
    for (const stdio of ['deny', 'allow'] as const) {
      expect(resolveOptions({ ...ofResource({}), stdio }).stdio).toBe(stdio);
    }
    for (const stdio of [
      'Allow',
      true,
      null,
      [],
      [{ scopes: [] }],
      {},
      { subject: 'ada' },
      { scopes: 'notes:read' },
      { scopes: ['notes:read notes:write'] },
      { scopes: [1] },
      { scopes: [], subject: '' },
      { scopes: [], subject: 1 },
      { scopes: [], clientId: 1 },
      { scopes: [], scope: 'x' },
    ]) {
      expect(messageOf({ ...ofResource({}), stdio })).toMatch(/^McpAuthModule has 1 problem:\n {2}- stdio/);
    }
  });

  verifies('CHL-11', 'rejects names in which clients would read another parameter of the challenge', () => {
    const rule = 'which clients take for a parameter of the challenge; write it otherwise';
    expect(messageOf(ofResource({ requiredScopes: ['a', 'resource_metadata=b'] }))).toContain(
      `resources[0].requiredScopes: member 1 has "resource_metadata=", ${rule}`,
    );
    expect(messageOf(ofResource({ resource: `${RESOURCE}/scope=a` }))).toContain(
      `resources[0].resource: has "scope=", ${rule}`,
    );
    expect(resolveOptions(ofResource({ resource: `${RESOURCE}/scope` })).resources).toHaveLength(1);
  });

  verifies('OPS-09', 'lists all that is wrong, with path, problem and what was found', () => {
    const message = messageOf({
      resources: {
        resource: 'http://api.example.com/notes',
        authorizationServers: [ISSUER],
        requiredScope: ['notes:read'],
      },
      clockToleranceSeconds: '5',
    });
    expect(message).toBe(
      [
        'McpAuthModule has 3 problems:',
        '  - resources[0].requiredScope: is not an option. Did you mean "requiredScopes"?',
        '  - resources[0].resource: uses http for another machine; use https; got "http://api.example.com/notes"',
        '  - clockToleranceSeconds: must be a whole number of seconds from 0 to 300; got "5"',
      ].join('\n'),
    );
  });

  it('speaks of one problem where there is one', () => {
    expect(messageOf(ofServer({ typ: 'oidc' }))).toBe(
      'McpAuthModule has 1 problem:\n  - resources[0].authorizationServers[0].typ: is not an option. Did you mean "type"?',
    );
    expect(messageOf({ ...ofResource({}), xyzzy: 1 })).toBe(
      'McpAuthModule has 1 problem:\n  - xyzzy: is not an option.',
    );
  });

  it.each<[unknown, string]>([
    [undefined, 'options: must be an object; got undefined'],
    [null, 'options: must be an object; got null'],
    ['https://api.example.com', 'options: must be an object; got string'],
    [() => undefined, 'options: must be an object; got function'],
    [{}, 'resources: must be a list; got undefined'],
    [[], 'resources: must be a list; got undefined'],
    [{ resources: [] }, 'resources: must not be empty; got a list of 0'],
    [{ resources: 'x' }, 'resources[0]: must be an object or a list of objects; got "x"'],
    [{ resources: [null] }, 'resources[0]: must be an object or a list of objects; got null'],
    [{ resources: {} }, 'resources[0].authorizationServers: must be a list; got undefined'],
    [
      { resources: [{ resource: RESOURCE, authorizationServers: [] }] },
      'resources[0].authorizationServers: must not be empty; got a list of 0',
    ],
    [
      ofResource({ authorizationServers: ISSUER }),
      `resources[0].authorizationServers: must be a list; got "${ISSUER}"`,
    ],
    [
      ofResource({ authorizationServers: [7] }),
      'resources[0].authorizationServers[0]: must be an issuer; got 7',
    ],
    [
      ofResource({ authorizationServers: [[ISSUER]] }),
      'resources[0].authorizationServers[0]: must be an issuer; got a list of 1',
    ],
    [
      ofResource({ requiredScopes: ['a b'] }),
      'resources[0].requiredScopes: member 0 must be one scope: printable ASCII without space, quote and backslash; got a list of 1',
    ],
    [ofResource({ requiredScopes: null }), 'resources[0].requiredScopes: must be a list; got null'],
    [ofResource({ metadata: [] }), 'resources[0].metadata: must be an object; got a list of 0'],
    [
      ofResource({ name: Symbol('x') }),
      'resources[0].name: must be a non-empty string; got a value of type symbol',
    ],
    [
      ofServer({ type: 'OIDC' }),
      'resources[0].authorizationServers[0].type: must be one of auto, oauth, oidc; got "OIDC"',
    ],
    [
      ofServer({ algorithms: [] }),
      'resources[0].authorizationServers[0].algorithms: must not be empty; got a list of 0',
    ],
    [
      ofServer({ jwks: {} }),
      'resources[0].authorizationServers[0].jwks: must be a JWK Set, an object with a list "keys", or a function that gives one; got a value of type object',
    ],
    [{ ...ofResource({}), now: 0 }, 'now: must be a function; got 0'],
    [{ ...ofResource({}), onUnauthorized: true }, 'onUnauthorized: must be a function; got true'],
    [
      { ...ofResource({}), onUnauthorised: () => undefined },
      'onUnauthorised: is not an option. Did you mean "onUnauthorized"?',
    ],
    [{ ...ofResource({}), fetch: {} }, 'fetch: must be a function; got a value of type object'],
  ])('rejects %j', (options, line) => {
    expect(messageOf(options)).toContain(`\n  - ${line}`);
  });

  verifies('JWT-01', 'takes asymmetric algorithms only', () => {
    expect(resolveOptions(ofServer({ algorithms: ['EdDSA'] }))).toBeDefined();
    for (const algorithm of ['HS256', 'none', 'es256', 'RSA1_5']) {
      expect(messageOf(ofServer({ algorithms: ['ES256', algorithm] }))).toContain(
        'algorithms: member 1 must be one of RS256, ',
      );
    }
  });

  verifies(['JWT-27', 'F47'], 'bounds the clock tolerance', () => {
    for (const clockToleranceSeconds of [0, 300]) {
      expect(resolveOptions({ ...ofResource({}), clockToleranceSeconds })).toMatchObject({
        clockToleranceSeconds,
      });
    }
    for (const clockToleranceSeconds of [-1, 301, 0.5, NaN, Infinity, '60', null]) {
      expect(messageOf({ ...ofResource({}), clockToleranceSeconds })).toContain(
        'clockToleranceSeconds: must be a whole number of seconds from 0 to 300; got',
      );
    }
  });

  verifies('JWT-26', 'bounds the greatest age of a token', () => {
    const [least, most] = [1, 2_592_000];
    for (const maxTokenAgeSeconds of [least, most]) {
      expect(resolveOptions(ofServer({ maxTokenAgeSeconds }))).toBeDefined();
    }
    for (const maxTokenAgeSeconds of [least - 1, most + 1, 0.5, NaN, Infinity, '600', null]) {
      expect(messageOf(ofServer({ maxTokenAgeSeconds }))).toContain(
        'resources[0].authorizationServers[0].maxTokenAgeSeconds: must be a whole number of seconds from 1 to 2592000; got',
      );
    }
  });

  verifies(['JWT-07', 'F53', 'F54'], 'knows two profiles, of each authorization server', () => {
    for (const profile of ['lenient', 'rfc9068']) expect(resolveOptions(ofServer({ profile }))).toBeDefined();
    for (const profile of ['RFC9068', 'strict', '', true, null]) {
      expect(messageOf(ofServer({ profile }))).toContain(
        'resources[0].authorizationServers[0].profile: must be one of lenient, rfc9068; got',
      );
    }
    expect(messageOf(ofResource({ profile: 'rfc9068' }))).toContain(
      'resources[0].profile: is not an option.',
    );
  });

  verifies(['AUD-06', 'F61'], 'has no way to turn the audience off', () => {
    expect(resolveOptions(ofResource({})).resources[0]?.audiences).toEqual([RESOURCE]);
    expect(resolveOptions(ofResource({ audience: 'api://x' })).resources[0]?.audiences).toEqual(['api://x']);
    for (const [audience, problem] of [
      [[], 'must not be empty; got a list of 0'],
      ['', 'must be a non-empty string; got ""'],
      [false, 'must be a list; got false'],
      [null, 'must be a list; got null'],
      [[''], 'member 0 must be a non-empty string; got a list of 1'],
      [['api://x', null], 'member 1 must be a non-empty string; got a list of 2'],
    ] as const) {
      expect(messageOf(ofResource({ audience }))).toContain(`\n  - resources[0].audience: ${problem}`);
    }
  });

  verifies(['AUD-03', 'AUD-04'], 'compares audiences as it is told, in words that it knows', () => {
    for (const audienceMatch of ['exact', 'hierarchical']) {
      expect(resolveOptions(ofResource({ audienceMatch })).resources[0]).toMatchObject({ audienceMatch });
    }
    for (const audienceMatch of ['prefix', 'none', '', false, null]) {
      expect(messageOf(ofResource({ audienceMatch }))).toContain(
        'resources[0].audienceMatch: must be one of exact, hierarchical; got',
      );
    }
    for (const rejectMultipleAudiences of [0, 'true', null]) {
      expect(messageOf(ofResource({ rejectMultipleAudiences }))).toContain(
        'resources[0].rejectMultipleAudiences: must be true or false; got',
      );
    }
  });

  verifies('F53', 'leaves issuer and audience of the check to the server and the resource', () => {
    for (const option of ['audience', 'issuers', 'clockTolerance', 'typ', 'crit', 'subject', 'jwtVerify']) {
      expect(messageOf(ofServer({ [option]: 'x' }))).toContain(
        `resources[0].authorizationServers[0].${option}: is not an option.`,
      );
    }
    expect(resolveOptions(ofServer({ algorithms: ['ES256'], maxTokenAgeSeconds: 600 }))).toBeDefined();
  });

  verifies('F53', 'takes required claims by name', () => {
    const server = (more: object) => resolveOptions(ofServer(more)).resources[0]?.authorizationServers[0];
    expect(server({})).toMatchObject({ requiredClaims: [] });
    expect(server({ requiredClaims: ['tid', 'jti', 'tid'] })).toMatchObject({
      requiredClaims: ['tid', 'jti'],
    });
    for (const [requiredClaims, problem] of [
      ['tid', 'must be a list; got "tid"'],
      [['tid', ''], 'member 1 must be a non-empty string; got a list of 2'],
      [{ tid: 't' }, 'must be a list; got a value of type object'],
      [null, 'must be a list; got null'],
    ] as const) {
      expect(messageOf(ofServer({ requiredClaims }))).toContain(
        `\n  - resources[0].authorizationServers[0].requiredClaims: ${problem}`,
      );
    }
    expect(messageOf(ofServer({ requiredClaim: ['tid'] }))).toContain('Did you mean "requiredClaims"?');
  });

  verifies(['F57', 'F58'], 'takes names of claims for client and scopes, each with its usual ones', () => {
    const names = (claimNames?: object) =>
      resolveOptions(ofServer({ claimNames })).resources[0]?.authorizationServers[0]?.claimNames;
    const usual = { clientId: ['client_id', 'azp', 'cid', 'appid'], scopes: ['scope', 'scp', 'scopes'] };
    const scopes = (): string[] => [];
    expect(names()).toEqual(usual);
    expect(names({})).toEqual(usual);
    expect(names({ clientId: 'app' })).toEqual({ ...usual, clientId: ['app'] });
    expect(names({ scopes: ['permissions', 'scope'] })).toEqual({
      ...usual,
      scopes: ['permissions', 'scope'],
    });
    expect(names({ scopes })).toEqual({ ...usual, scopes });
    const at = 'resources[0].authorizationServers[0].claimNames';
    for (const [claimNames, problem] of [
      ['scope', ': must be an object'],
      [{ clientId: '' }, '.clientId: must be a non-empty string; got ""'],
      [{ clientId: () => 'app' }, '.clientId: must be a list; got a value of type function'],
      [{ scopes: [] }, '.scopes: must not be empty; got a list of 0'],
      [{ scopes: [7] }, '.scopes: member 0 must be a non-empty string; got a list of 1'],
      [{ scopes: null }, '.scopes: must be a list; got null'],
      [{ scope: 'permissions' }, '.scope: is not an option. Did you mean "scopes"?'],
    ] as const) {
      expect(messageOf(ofServer({ claimNames }))).toContain(`\n  - ${at}${problem}`);
    }
  });

  verifies('PRM-03', 'rejects a resource with a query', () => {
    expect(messageOf(ofResource({ resource: `${RESOURCE}?tenant=a` }))).toContain(
      `resources[0].resource: has a query; leave out "?" and what follows; got "${RESOURCE}?tenant=a"`,
    );
    expect(resolveOptions(ofResource({ resource: `${RESOURCE}/tenant=a` }))).toBeDefined();
  });

  verifies(['PRM-04', 'F34'], 'rejects a resource that is no plain https or loopback URL', () => {
    for (const resource of [
      'https://mcp.example.com/mcp',
      'http://localhost:3000/mcp',
      'http://127.0.0.1:3000/mcp',
    ]) {
      expect(resolveOptions(ofResource({ resource })).resources[0]?.resource).toBe(resource);
    }
    for (const resource of [
      ...[
        'mcp.example.com',
        '/mcp',
        'https://mcp.example.com#f',
        'https://u:p@h/',
        'https://@h/',
        'ftp://h/',
      ],
      ...[
        'http://mcp.example.com/mcp',
        'http://localhost.evil.com/',
        'https://h/a/../b',
        '',
        7,
        null,
        undefined,
      ],
    ]) {
      expect(messageOf(ofResource({ resource }))).toContain('resources[0].resource: ');
    }
  });

  verifies('ASM-05', 'rejects an issuer that is no plain https or loopback URL', () => {
    for (const issuer of [
      'https://as.example.com/t/',
      'http://localhost',
      'http://127.0.0.1',
      'http://[::1]',
      'http://0x7f.1',
    ]) {
      expect(
        resolveOptions(ofResource({ authorizationServers: [issuer] })).resources[0]?.authorizationServers[0]
          ?.issuer,
      ).toBe(issuer);
    }
    for (const issuer of [
      'http://as.example.com',
      'https://h?x=1',
      'https://h#f',
      'https://u@h',
      'http://localhost.evil.com',
      'http://127.0.0.1.evil.com',
      'as.example.com',
      '',
    ]) {
      expect(messageOf(ofResource({ authorizationServers: [issuer] }))).toContain(
        'resources[0].authorizationServers[0].issuer: ',
      );
    }
  });

  verifies('WAY-24', 'says which authorization server is missing, and nothing else', () => {
    const wrong = (...authorizationServers: unknown[]): string =>
      messageOf(ofResource({ authorizationServers }));
    const at = 'resources[0].authorizationServers';
    expect(wrong(undefined)).toBe(
      `McpAuthModule has 1 problem:\n  - ${at}[0]: must be an issuer; got undefined`,
    );
    expect(wrong(ISSUER, null, [ISSUER])).toBe(
      `McpAuthModule has 2 problems:\n  - ${at}[1]: must be an issuer; got null\n` +
        `  - ${at}[2]: must be an issuer; got a list of 1`,
    );
    // What else is wrong is found too.
    expect(wrong(undefined, { issuer: ISSUER, typ: 'oidc' })).toBe(
      `McpAuthModule has 2 problems:\n  - ${at}[0]: must be an issuer; got undefined\n` +
        `  - ${at}[1].typ: is not an option. Did you mean "type"?`,
    );
    expect(wrong('')).toContain(`${at}[0].issuer: must be a non-empty string; got ""`);
    expect(resolveOptions(ofResource({ authorizationServers: [ISSUER] }))).toBeDefined();
  });

  verifies('WAY-37', 'suggests what other libraries call otherwise, wherever it stands', () => {
    const module = { ...ofResource({}), leeway: 5, jwtVerify: {} };
    expect(messageOf(module)).toContain('leeway: is not an option. Did you mean "clockToleranceSeconds"?');
    expect(messageOf(module)).toContain('jwtVerify: is not an option. Set "clockToleranceSeconds" of the');
    expect(messageOf(ofServer({ clockTolerance: 5 }))).toContain(
      'authorizationServers[0].clockTolerance: is not an option. Did you mean "clockToleranceSeconds" of the module?',
    );
    expect(messageOf(ofServer({ remoteJwkSet: { timeoutDuration: 5 } }))).toContain(
      'remoteJwkSet.timeoutDuration: is not an option. Did you mean "timeoutMs"?',
    );
    expect(messageOf({ ...ofResource({}), scopeHierarchy: { a: ['b c'] } })).toMatch(
      /scopeHierarchy: "a" member 0 must be one scope: printable ASCII without space, quote and backslash$/,
    );
  });

  verifies('F32', 'rejects every method of sending a token but the header', () => {
    expect(resolveOptions(ofResource({ metadata: { bearer_methods_supported: ['header'] } }))).toBeDefined();
    for (const method of ['query', 'body']) {
      expect(messageOf(ofResource({ metadata: { bearer_methods_supported: ['header', method] } }))).toContain(
        'resources[0].metadata: "bearer_methods_supported" member 1 must be one of header',
      );
    }
  });

  verifies('PRM-28', 'checks the members of the document that the RFC names', () => {
    const metadata = { 'resource_name#de': 'Notizen', x_vendor: { a: [1] } };
    expect(resolveOptions(ofResource({ metadata })).resources[0]?.metadata).toEqual(metadata);
    expect(
      messageOf(ofResource({ metadata: { resource_signing_alg_values_supported: ['none'] } })),
    ).toContain('resources[0].metadata: "resource_signing_alg_values_supported" member 0 must not be "none"');
  });

  it('has nothing secret in its message, and little of a long text', () => {
    const error = rejectionOf({
      resources: {
        resource: 'https://user:s3cret@api.example.com/',
        authorizationServers: [
          { issuer: ISSUER, clientSecret: 's3cret', jwks: 's3cret' },
          { issuer: ISSUER, jwks: { keys: 's3cret' }, metadata: 's3cret'.split('') },
        ],
        metadata: { resource_name: { text: 's3cret' } },
        name: '',
      },
      fetch: `x${'y'.repeat(500)}`,
    });
    expect(error.problems).toHaveLength(8);
    expect(error.message).not.toContain('s3cret');
    expect(inspect(error)).not.toContain('s3cret');
    expect(error.message).toContain('got "https://…@api.example.com/"');
    expect(error.message).toContain(`got "x${'y'.repeat(79)}…"`);
  });

  it('keeps each problem on one line', () => {
    const message = messageOf(ofResource({ resource: 'https://a.example/\n  - resources: forged' }));
    expect(message.split('\n')).toHaveLength(2);
  });

  it('takes nothing from a prototype key', () => {
    const given = JSON.parse(
      `{"__proto__": {"serveRootAlias": true}, "resources": {"__proto__": {"resource": "${RESOURCE}"}, "resource": "${RESOURCE}", "authorizationServers": ["${ISSUER}"]}}`,
    ) as unknown;
    expect(resolveOptions(given)).toMatchObject({ serveRootAlias: false });
    expect(({} as Record<string, unknown>)['serveRootAlias']).toBeUndefined();
    const borrowed = JSON.parse(
      `{"resources": {"__proto__": {"resource": "${RESOURCE}"}, "authorizationServers": ["${ISSUER}"]}}`,
    ) as unknown;
    expect(messageOf(borrowed)).toContain('resources[0].resource: must be a non-empty string; got undefined');
  });
});
