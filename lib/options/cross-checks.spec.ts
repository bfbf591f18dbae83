import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { resolveOptions } from './resolve-options.js';

const ISSUER = 'https://auth.example.com';

/** The problems as lines, or nothing where the options are right. */
function problemsOf(options: unknown): string[] {
  try {
    resolveOptions(options);
    return [];
  } catch (error) {
    if (!(error instanceof McpAuthConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

const resource = (id: string, more: object = {}): object => ({
  resource: id,
  authorizationServers: [ISSUER],
  ...more,
});

const withServers = (...authorizationServers: unknown[]): object => ({
  resources: resource('https://api.example.com/notes', { authorizationServers }),
});

describe('options that are each right', () => {
  verifies('CLI-30', 'open methods by one option, and not all methods beside it', () => {
    const withBoth = (more: object): object => ({
      resources: resource('https://api.example.com/notes', more),
    });
    expect(problemsOf(withBoth({ anonymousMethods: ['ping'], allowAnonymous: true }))).toEqual([
      'resources[0].anonymousMethods: has no effect with "allowAnonymous", which opens every method; leave one of the two out',
    ]);
    expect(problemsOf(withBoth({ anonymousMethods: ['ping'], allowAnonymous: false }))).toEqual([]);
    expect(problemsOf(withBoth({ anonymousMethods: [], allowAnonymous: true }))).toEqual([]);
  });

  verifies(['PRM-61', 'F33'], 'name each resource once, in canonical form', () => {
    expect(
      problemsOf({
        resources: [
          resource('https://api.example.com/notes'),
          resource('https://API.example.com:443/notes/'),
        ],
      }),
    ).toEqual(['resources[1].resource: is the same resource as resources[0]; keep one of them']);
    expect(
      problemsOf({ resources: [resource('https://api.example.com'), resource('https://api.example.com/')] }),
    ).toHaveLength(1);
    expect(
      problemsOf({
        resources: [resource('https://api.example.com/notes'), resource('https://api.example.com/Notes')],
      }),
    ).toEqual([]);
  });

  verifies(['PRM-61', 'F33'], 'name each issuer of a resource once; two resources may share one', () => {
    const same =
      'resources[0].authorizationServers[2].issuer: is the same issuer as resources[0].authorizationServers[0]; keep one of them';
    expect(problemsOf(withServers(ISSUER, `${ISSUER}/`, { issuer: ISSUER, type: 'oidc' }))).toEqual([same]);
    expect(
      problemsOf(withServers({ metadata: { issuer: ISSUER } }, 'https://other.example', ISSUER)),
    ).toEqual([same]);
    expect(problemsOf({ resources: [resource('https://a.example'), resource('https://b.example')] })).toEqual(
      [],
    );
  });

  it('give each name once, and need none', () => {
    const [a, b] = ['https://a.example', 'https://b.example'];
    expect(problemsOf({ resources: [resource(a, { name: 'x' }), resource(b, { name: 'y' })] })).toEqual([]);
    expect(problemsOf({ resources: [resource(a, { name: 'x' }), resource(b, { name: 'x' })] })).toEqual([
      'resources[1].name: is the same name as resources[0]; keep one of them',
    ]);
  });

  it('serve the root alias for one resource only', () => {
    const resources = [resource('https://a.example/a'), resource('https://b.example/b')];
    expect(problemsOf({ resources: resources[0], serveRootAlias: true })).toEqual([]);
    expect(problemsOf({ resources, serveRootAlias: false })).toEqual([]);
    expect(problemsOf({ resources, serveRootAlias: true })).toEqual([
      'serveRootAlias: needs exactly one resource; leave it out',
    ]);
  });

  const at = 'resources[0].authorizationServers[0]';
  const beside = `${at}: has "metadata" beside "issuer" or "metadataUrl"; the metadata names its issuer itself`;
  const trust = `${at}: has "trustDocumentIssuer", which goes with "metadataUrl" and without "issuer"`;
  const metadataUrl = 'https://auth.example.com/meta.json';
  it.each<[object, string[]]>([
    [{ metadataUrl, issuer: ISSUER }, []],
    [{ metadata: { issuer: ISSUER } }, []],
    [{ metadata: { issuer: ISSUER }, issuer: ISSUER }, [beside]],
    [{ metadata: { issuer: ISSUER }, metadataUrl }, [beside]],
    [{}, [`${at}: names no server; give "issuer", "metadataUrl" or "metadata"`]],
    [{ metadataUrl, trustDocumentIssuer: true }, []],
    [{ metadataUrl, issuer: ISSUER, trustDocumentIssuer: false }, []],
    [{ metadataUrl, issuer: ISSUER, trustDocumentIssuer: true }, [trust]],
    [{ issuer: ISSUER, trustDocumentIssuer: true }, [trust]],
    [{ metadata: { issuer: ISSUER }, trustDocumentIssuer: true }, [trust]],
  ])('name a server in one way: %j', (server, problems) => {
    expect(problemsOf(withServers(server))).toEqual(problems);
  });

  verifies('PRM-29', 'have signed_metadata made for this resource', () => {
    const signed = (claims: object): object => {
      const payload = Buffer.from(JSON.stringify({ iss: ISSUER, ...claims })).toString('base64url');
      const metadata = { signed_metadata: `e30.${payload}.c2ln` };
      return { resources: resource('https://api.example.com/notes', { metadata }) };
    };
    expect(problemsOf(signed({}))).toEqual([]);
    expect(problemsOf(signed({ resource: 'https://api.example.com/notes' }))).toEqual([]);
    expect(problemsOf(signed({ resource: 'https://api.example.com/notes/' }))).toEqual([
      'resources[0].metadata: "signed_metadata" is made for another "resource"; sign it anew for this one',
    ]);
  });
});
