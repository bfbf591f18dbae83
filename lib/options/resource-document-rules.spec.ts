import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { documentProblem } from './resource-document-rules.js';

const jws = (payload: unknown): string =>
  ['{"alg":"ES256"}', JSON.stringify(payload), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

describe('documentProblem', () => {
  verifies(
    ['PRM-28'],
    'finds nothing wrong with the members of the RFC, their translations and others',
    () => {
      const problem = documentProblem({
        jwks_uri: 'https://api.example.com/jwks',
        bearer_methods_supported: ['header'],
        resource_signing_alg_values_supported: ['ES256'],
        resource_name: 'Notes',
        'resource_name#de': 'Notizen',
        resource_documentation: 'https://api.example.com/docs',
        'resource_documentation#de': 'https://api.example.com/de/docs',
        resource_policy_uri: 'https://api.example.com/policy?v=1',
        resource_tos_uri: 'http://127.0.0.1/tos',
        authorization_details_types_supported: ['notes'],
        signed_metadata: jws({ iss: 'https://api.example.com' }),
        x_vendor: { any: [null, ''] },
        x_empty_text: '',
      });
      expect(problem).toBeUndefined();
    },
  );

  const listOfHeader = '"bearer_methods_supported" member 0 must be one of header';
  it.each<[string, unknown, string]>([
    ['jwks_uri', 'http://api.example.com/jwks', '"jwks_uri" uses http for another machine; use https'],
    ['jwks_uri', 7, '"jwks_uri" must be a non-empty string'],
    ['resource_name', '', '"resource_name" must be a non-empty string'],
    ['resource_name#de', 7, '"resource_name#de" must be a non-empty string'],
    [
      'resource_tos_uri#de',
      '/tos',
      '"resource_tos_uri#de" is not an absolute URL; write it in full, such as https://api.example.com/mcp',
    ],
    ['bearer_methods_supported', ['body'], listOfHeader],
    [
      'tls_client_certificate_bound_access_tokens',
      true,
      '"tls_client_certificate_bound_access_tokens" is given by the option "mutualTls"; leave it out here',
    ],
    [
      'authorization_details_types_supported',
      'notes',
      '"authorization_details_types_supported" must be a list',
    ],
    [
      'resource_signing_alg_values_supported',
      ['ES256', 'none'],
      '"resource_signing_alg_values_supported" member 1 must not be "none"',
    ],
    [
      'resource_signing_alg_values_supported',
      [7],
      '"resource_signing_alg_values_supported" member 0 must be a non-empty string',
    ],
    [
      'dpop_signing_alg_values_supported',
      ['ES256'],
      '"dpop_signing_alg_values_supported" is given by the option "dpop"; leave it out here',
    ],
    [
      'dpop_bound_access_tokens_required',
      true,
      '"dpop_bound_access_tokens_required" is given by the option "dpop"; leave it out here',
    ],
    ['resource', 'https://a.example', '"resource" is given by the option "resource"; leave it out here'],
    [
      'authorization_servers',
      [],
      '"authorization_servers" is given by the option "authorizationServers"; leave it out here',
    ],
    [
      'scopes_supported',
      ['a'],
      '"scopes_supported" is given by the option "scopesSupported"; leave it out here',
    ],
  ])('says what is wrong with %s %j', (member, value, problem) => {
    expect(documentProblem({ resource_name: 'Notes', [member]: value })).toBe(problem);
  });

  verifies('PRM-27', 'wants members without a value left out, also those that the RFC does not name', () => {
    expect(documentProblem({ x_vendor: null })).toBe('"x_vendor" has no value; leave it out');
    expect(documentProblem({ x_vendor: undefined })).toBe('"x_vendor" has no value; leave it out');
    expect(documentProblem({ x_vendor: [] })).toBe('"x_vendor" is an empty list; leave it out');
    expect(documentProblem({ x_vendor: [null] })).toBeUndefined();
  });

  verifies(
    ['PRM-29', 'F43'],
    'wants signed_metadata to be a compact JWS whose payload names its issuer',
    () => {
      const noJws = '"signed_metadata" must be a JWS in compact form';
      const noIssuer = '"signed_metadata" must have an "iss" in its payload';
      expect(documentProblem({ signed_metadata: jws({ iss: 'https://a.example' }) })).toBeUndefined();
      expect(documentProblem({ signed_metadata: jws({ iss: 7 }) })).toBe(noIssuer);
      expect(documentProblem({ signed_metadata: jws({}) })).toBe(noIssuer);
      expect(documentProblem({ signed_metadata: jws(null) })).toBe(noIssuer);
      expect(documentProblem({ signed_metadata: 'a.b.c' })).toBe(noIssuer);
      expect(documentProblem({ signed_metadata: `${jws({ iss: 'a' })}.` })).toBe(noJws);
      expect(documentProblem({ signed_metadata: 'a.b' })).toBe(noJws);
      expect(documentProblem({ signed_metadata: { iss: 'a' } })).toBe(noJws);
    },
  );

  it('is not misled by names that every object has', () => {
    const members = JSON.parse(
      '{"constructor": "a", "toString": "b", "__proto__": {"resource": "c"}}',
    ) as object;
    expect(documentProblem({ ...members })).toBeUndefined();
  });
});
