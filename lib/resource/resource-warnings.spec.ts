import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { resolveOptions } from '../options/resolve-options.js';
import { resourceWarnings } from './resource-warnings.js';

const warningsFor = (resource: string, more: object = {}): readonly string[] =>
  resourceWarnings(
    resolveOptions({ resources: { resource, authorizationServers: ['https://as.example'], ...more } })
      .resources[0]!,
  );

describe('resourceWarnings', () => {
  verifies('PRM-06', 'advises against a slash at the end of a path', () => {
    expect(warningsFor('https://api.example.com/notes/')).toEqual([
      'leave out the slash at the end; clients reject a resource that differs from the URL that people type',
    ]);
    for (const good of [
      'https://api.example.com/notes',
      'https://api.example.com/',
      'https://api.example.com',
    ]) {
      expect(warningsFor(good)).toEqual([]);
    }
  });

  it('advises against upper case in scheme and host, not in the path', () => {
    expect(warningsFor('https://API.example.com/Notes')).toEqual([
      'write scheme and host in lower case; clients compare letter by letter',
    ]);
    expect(warningsFor('https://api.example.com/Notes')).toEqual([]);
  });

  verifies('PRM-25', 'says that offline_access is not advertised', () => {
    const expected = ['"offline_access" is not advertised; clients ask for it by themselves'];
    expect(warningsFor('https://a.example', { requiredScopes: ['offline_access'] })).toEqual(expected);
    expect(warningsFor('https://a.example', { scopesSupported: ['a', 'offline_access'] })).toEqual(expected);
    expect(warningsFor('https://a.example', { scopesSupported: ['a'] })).toEqual([]);
  });

  verifies('PRM-24', 'advises against scopes that cover everything', () => {
    expect(
      warningsFor('https://a.example', { requiredScopes: ['*'], scopesSupported: ['all', 'a'] }),
    ).toEqual(['the scope *, all covers everything; name what each operation needs']);
    expect(warningsFor('https://a.example', { requiredScopes: ['all:read'] })).toEqual([]);
  });

  verifies('AUD-06', 'says each time that tokens without an audience are accepted', () => {
    const server = (trustAnswerWithoutAudience: boolean): object => ({
      authorizationServers: [
        { issuer: 'https://as.example', introspection: { clientId: 'c', trustAnswerWithoutAudience } },
      ],
    });
    expect(warningsFor('https://a.example', server(true))).toEqual([
      '"trustAnswerWithoutAudience" is on: tokens without an audience are accepted when introspection calls them active',
    ]);
    expect(warningsFor('https://a.example', server(false))).toEqual([]);
  });
});
