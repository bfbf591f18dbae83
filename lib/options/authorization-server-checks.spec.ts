import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { resolveOptions } from './resolve-options.js';

const ISSUER = 'https://auth.example.com';
const AT = 'resources[0].authorizationServers';

/** What is wrong with these servers, as lines; nothing where they are right. */
function problemsOf(authorizationServers: readonly object[], more: object = {}): string[] {
  try {
    resolveOptions({ resources: { resource: 'https://api.example.com', authorizationServers }, ...more });
    return [];
  } catch (error) {
    if (!(error instanceof McpAuthConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe('an authorization server', () => {
  verifies('F18', 'has its issuer configured where it is met before its document', () => {
    const metadataUrl = `${ISSUER}/meta`;
    const needs = `${AT}[0]: needs its "issuer": with lazy or retried discovery it must be known before`;
    for (const policy of [{ discovery: 'lazy' }, { onDiscoveryFailure: 'retry' }]) {
      expect(problemsOf([{ metadataUrl }], policy)).toEqual([needs]);
      expect(problemsOf([{ metadataUrl, trustDocumentIssuer: true }], policy)).toEqual([needs]);
      expect(problemsOf([{ metadataUrl, issuer: ISSUER }], policy)).toEqual([]);
      expect(problemsOf([{ issuer: ISSUER }], policy)).toEqual([]);
      expect(problemsOf([{ metadata: { issuer: ISSUER }, jwks: { keys: [] } }], policy)).toEqual([]);
    }
    expect(problemsOf([{ metadataUrl }], { discovery: 'bootstrap', onDiscoveryFailure: 'fail' })).toEqual([]);
  });

  const asked = { clientId: 'notes' };
  const noIntrospection = `${AT}[0]: has a "mode" that introspects tokens, and no "introspection"; say how the server is asked`;
  const unused = `${AT}[0]: has "introspection", which the mode "jwt" never uses; leave one of them out`;
  const noJwt = `${AT}[0]: has "profile" or "maxTokenAgeSeconds", which are for JWTs; the mode "introspection" verifies none`;
  it.each<[object, string[]]>([
    [{}, []],
    [{ mode: 'jwt' }, []],
    [{ introspection: asked }, []],
    [{ mode: 'auto', introspection: asked }, []],
    [{ mode: 'introspection', introspection: asked }, []],
    [{ mode: 'introspection' }, [noIntrospection]],
    [{ mode: 'auto' }, [noIntrospection]],
    [{ mode: 'jwt', introspection: asked }, [unused]],
    [{ mode: 'auto', introspection: asked, profile: 'rfc9068', maxTokenAgeSeconds: 60 }, []],
    [{ mode: 'introspection', introspection: asked, profile: 'lenient' }, []],
    [{ mode: 'introspection', introspection: asked, profile: 'rfc9068' }, [noJwt]],
    [{ mode: 'introspection', introspection: asked, maxTokenAgeSeconds: 60 }, [noJwt]],
  ])('has a mode and the means for it: %j', (server, problems) => {
    expect(problemsOf([{ issuer: ISSUER, ...server }])).toEqual(problems);
  });

  const privateKey = { kty: 'EC', kid: 'k', alg: 'ES256' };
  const noSecret = `${AT}[0].introspection: has no "clientSecret", which its "authMethod" needs`;
  const noKey = `${AT}[0].introspection: has no "privateKey", which the "authMethod" private_key_jwt needs`;
  const noToken = `${AT}[0].introspection: has no "bearerToken", which the "authMethod" bearer needs`;
  const several = `${AT}[0].introspection: has more than one of "clientSecret", "privateKey" and "bearerToken"; keep the one that "authMethod" needs`;
  it.each<[object, string[]]>([
    [{ authMethod: 'none' }, []],
    [{ authMethod: 'client_secret_basic', clientSecret: 's' }, []],
    [{ authMethod: 'client_secret_post', clientSecret: () => 's' }, []],
    [{ authMethod: 'private_key_jwt', privateKey }, []],
    [{ clientSecret: 's' }, []],
    [{ authMethod: 'client_secret_basic' }, [noSecret]],
    [{ authMethod: 'client_secret_post', privateKey }, [noSecret]],
    [{ authMethod: 'private_key_jwt' }, [noKey]],
    [{ authMethod: 'private_key_jwt', clientSecret: 's' }, [noKey]],
    [{ clientSecret: 's', privateKey }, [several]],
    [{ authMethod: 'bearer', bearerToken: 't' }, []],
    [{ bearerToken: () => 't' }, []],
    [{ authMethod: 'bearer' }, [noToken]],
    [{ authMethod: 'bearer', clientSecret: 's' }, [noToken]],
    [{ authMethod: 'client_secret_basic', bearerToken: 't' }, [noSecret]],
    [{ bearerToken: 't', privateKey }, [several]],
    [{ bearerToken: 't', clientSecret: 's' }, [several]],
  ])('has what it is asked with: %j', (introspection, problems) => {
    expect(problemsOf([{ issuer: ISSUER, introspection: { ...asked, ...introspection } }])).toEqual(problems);
  });

  verifies('OPQ-02', 'proves who asks by what its credentials are for', () => {
    const method = (more: object): unknown => {
      const server = { issuer: ISSUER, introspection: { ...asked, ...more } };
      return resolveOptions({ resources: { resource: ISSUER, authorizationServers: [server] } }).resources[0]
        ?.authorizationServers[0]?.introspection?.authMethod;
    };
    expect(method({})).toBe('none');
    expect(method({ clientSecret: 's' })).toBe('client_secret_basic');
    expect(method({ privateKey })).toBe('private_key_jwt');
    expect(method({ bearerToken: 't' })).toBe('bearer');
  });

  verifies(['OPQ-02', 'OPQ-10'], 'has options of introspection in their range, and shows no secret', () => {
    const problems = (more: object): string[] =>
      problemsOf([{ issuer: ISSUER, introspection: { ...asked, ...more } }]);
    for (const good of [1, 10_000]) expect(problems({ maxConcurrentRequests: good })).toEqual([]);
    for (const bad of [0, 10_001, 1.5, Infinity, '100', null]) {
      expect(problems({ maxConcurrentRequests: bad })).toEqual([
        `${AT}[0].introspection.maxConcurrentRequests: must be a whole number of requests from 1 to 10000; got ${typeof bad === 'string' ? '"100"' : String(bad)}`,
      ]);
    }
    for (const good of ['t', 'a-b_c.d~e+f/g==']) expect(problems({ bearerToken: good })).toEqual([]);
    for (const bad of ['', 'hush hush', 'hush\r\n', '=hush', 'Bearer hush', {}, null]) {
      const [problem, ...rest] = problems({ bearerToken: bad });
      expect(problem).toMatch(
        /introspection\.bearerToken: must be a bearer token or a function that gives one; got/,
      );
      expect(problem).not.toContain('hush');
      expect(rest).toEqual([]);
    }
    for (const bad of ['true', 1, null]) {
      expect(problems({ trustAnswerWithoutAudience: bad })[0]).toContain(
        'introspection.trustAnswerWithoutAudience: must be true or false; got',
      );
    }
  });

  it('is the only one of its resource that is asked about opaque tokens', () => {
    const other = 'https://other.example.com';
    const first = { issuer: ISSUER, introspection: asked };
    expect(problemsOf([first, { issuer: other }])).toEqual([]);
    expect(problemsOf([first, { issuer: other, introspection: asked }])).toEqual([
      `${AT}[1].introspection: is the second server with "introspection": it cannot be told whom to ask about an opaque token`,
    ]);
  });

  const inRange = `${AT}[0].remoteJwkSet`;
  verifies('F49', 'has limits of its key set in their range', () => {
    const problems = (remoteJwkSet: object): string[] => problemsOf([{ issuer: ISSUER, remoteJwkSet }]);
    const ranges = {
      timeoutMs: [100, 30_000],
      cooldownSeconds: [1, 3600],
      cacheMaxAgeSeconds: [1, 86_400],
      staleMaxAgeSeconds: [1, 86_400],
    };
    for (const [name, [least = 0, most = 0]] of Object.entries(ranges)) {
      for (const good of [least, most]) expect(problems({ [name]: good })).toEqual([]);
      for (const bad of [least - 1, most + 1, NaN, Infinity, '30', null]) {
        const [problem, ...rest] = problems({ [name]: bad });
        expect(problem).toContain(`${inRange}.${name}: must be`);
        expect(rest).toEqual([]);
      }
    }
    expect(problems({ cooldown: 30 })).toHaveLength(1);
  });
});
