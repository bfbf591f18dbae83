import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from './catalogue.js';
import { examine, problemsOf } from '../fixtures/doctor.js';
import { deploy } from '../fixtures/doctor-deployment.js';
import { FAULTS } from '../fixtures/doctor-faults.js';
import { verifies } from '../verifies.js';
import { listedFindings, PAGE, readPage, writtenPage } from './findings-page.js';

/** What is found of each wrong deployment: severity, ID, and what was found there. */
const FOUND: Record<keyof typeof FAULTS, readonly string[]> = {
  'a self-signed certificate': ['error | tls_self_signed | self-signed certificate'],
  'a redirect to another path': ['error | redirected | 308 to https://api.example.com/mcp/'],
  'no endpoint at the path': ['error | endpoint_missing | 404'],
  'a failing server': ['error | server_fails | 502'],
  'no authentication at all': [
    'error | no_authentication | initialize: 200',
    'warning | foreign_origin_accepted | 200',
    'error | bad_token_accepted | 200',
  ],
  '403 in place of 401': ['error | status_without_token | 403', 'error | bad_token_status | 403'],
  'no challenge': [
    'error | challenge_missing | no such header',
    'warning | foreign_origin_accepted | 401',
    'warning | preflight_needs_token | 401',
    'warning | bad_token_error_missing | no error',
  ],
  'another scheme': [
    'error | challenge_not_bearer | Basic',
    'warning | foreign_origin_accepted | 401',
    'warning | preflight_needs_token | 401',
    'warning | bad_token_error_missing | no error',
  ],
  'a challenge without quotes': [
    'error | challenge_malformed | Bearer scope=notes:read, resource_metadata=RS/.well-known/oauth-protected-resource/mcp',
    'warning | bad_token_error_missing | no error',
  ],
  'a challenge twice': ['warning | challenge_repeated | 2'],
  'a parameter twice': ['error | challenge_parameter_repeated | scope'],
  'an error without a token': ['warning | challenge_error_without_token | invalid_token'],
  'a scope with two spaces': ['error | scope_malformed | notes:read  notes:write'],
  'no resource_metadata': ['warning | resource_metadata_missing'],
  'a relative resource_metadata': [
    'error | resource_metadata_malformed | /.well-known/oauth-protected-resource/mcp',
  ],
  'a document that the proxy does not pass on': [
    'error | document_unusable | RS/.well-known/oauth-protected-resource/mcp | 404',
  ],
  'no metadata at all': [
    'warning | resource_metadata_missing',
    'error | document_missing | RS/.well-known/oauth-protected-resource/mcp | 404',
  ],
  'a document at the root only': [
    'warning | resource_metadata_missing',
    'warning | document_not_at_path | RS/.well-known/oauth-protected-resource/mcp | 404',
  ],
  'a document at a path of its own only': [
    'warning | document_not_at_path | RS/.well-known/oauth-protected-resource/mcp | 404',
  ],
  'two documents that differ': [
    'warning | documents_disagree | RS/.well-known/oauth-protected-resource/mcp and RS/.well-known/oauth-protected-resource/other',
  ],
  'a document as text': [
    'warning | document_media_type | RS/.well-known/oauth-protected-resource/mcp | text/html',
  ],
  'a document that pages cannot read': ['note | document_without_cors | no such header'],
  'the resource of the internal network': ['error | resource_mismatch | http://notes.internal:8080/mcp'],
  'a resource with a slash at its end': ['warning | resource_spelling | RS/mcp/'],
  'the origin as resource': ['warning | resource_is_parent | RS'],
  'a document without resource': ['error | resource_missing'],
  'no authorization server': ['error | authorization_servers_missing'],
  'an issuer without scheme': ['error | authorization_server_malformed | "auth.example.com"'],
  'tokens in the query by the document': ['warning | query_supported | header query'],
  'no scopes_supported': ['note | scopes_supported_missing'],
  'no metadata of the authorization server': [
    'error | metadata_missing | AS | AS/.well-known/oauth-authorization-server: 404, AS/.well-known/openid-configuration: 404',
  ],
  'an issuer with a slash too much': ['error | issuer_mismatch | AS | AS/'],
  'endpoints of the internal network': [
    'error | endpoint_malformed | AS | token_endpoint: "http://auth.internal/token" uses http for another machine; use https',
  ],
  'no PKCE': ['error | pkce_missing | AS'],
  'plain PKCE': ['error | pkce_s256_missing | AS'],
  'no registration': ['warning | registration_missing | AS'],
  'confidential clients only': ['warning | public_clients_missing | AS'],
  'scopes that the server does not know': ['warning | scopes_not_offered | AS | notes:write'],
  'keys that cannot be fetched': ['error | keys_unreachable | AS | AS/jwks: 500'],
  'no address of keys': ['note | keys_not_announced | AS'],
  'an address of keys that is none': [
    'error | endpoint_malformed | AS | jwks_uri: "/jwks" is not an absolute URL; write it in full, such as https://api.example.com/mcp',
  ],
  'keys that are not in a set': ['error | keys_unreachable | AS | AS/jwks: 200 with no list of "keys"'],
  'a set without keys': ['error | keys_missing | AS | no keys'],
  'a secret in the key set': ['error | keys_secret | AS | 1: oct'],
  'a weak key': ['warning | keys_weak | AS | 1024 bits'],
  'a foreign Origin accepted': ['warning | foreign_origin_accepted | 401'],
  'a preflight that needs a token': ['warning | preflight_needs_token | 401'],
  'a preflight without Authorization': [
    'warning | preflight_headers_missing | without authorization',
    'warning | headers_not_exposed | without www-authenticate, mcp-session-id',
  ],
  'a preflight without DELETE': [
    'warning | preflight_methods_missing | get, post',
    'warning | headers_not_exposed | without www-authenticate, mcp-session-id',
  ],
  'cookies from everywhere': [
    'warning | credentials_for_all | https://origin.invalid',
    'warning | headers_not_exposed | without www-authenticate, mcp-session-id',
  ],
  'a guard that only decodes': ['error | bad_token_accepted | 200'],
  'a verifier that throws': ['error | bad_token_status | 500'],
  'tokens in the query': ['error | query_token_read | 401 invalid_token'],
  'an open stream': ['error | method_open | GET | 200'],
  'a method that fails': ['warning | method_fails | PUT | 500'],
  'a session for a token': ['error | session_opens | 200'],
  'sessions before tokens': ['warning | session_before_token | 404'],
  'versions before tokens': ['warning | version_before_token | 1999-01-01 | 400'],
};

/** The right deployment serves no browser clients. */
const OF_THE_RIGHT_ONE = 'preflight_denied';

describe('the doctor at deployments without Nest', () => {
  const listed = listedFindings();

  verifies('DOC-01', 'finds nothing wrong with a right deployment', async () => {
    const { url } = await deploy();
    const report = await examine(url);
    expect([report.exitCode, problemsOf(report).map(({ id }) => id)]).toEqual([0, [OF_THE_RIGHT_ONE]]);
  });

  describe.each(Object.entries(FAULTS))('with %s', (name, fault) => {
    verifies('DOC-02', 'finds that and nothing else, with the cure and the link of the page', async () => {
      const { url, origin, as } = await deploy(fault);
      const report = await examine(url);
      const problems = problemsOf(report).filter(({ id }) => id !== OF_THE_RIGHT_ONE);
      const shown = problems.map(({ severity, id, subject = '', found = '' }) =>
        [severity, id, subject, found]
          .filter((part) => part !== '')
          .join(' | ')
          .replaceAll(as.issuer, 'AS')
          .replaceAll(origin, 'RS'),
      );
      expect(shown).toEqual(FOUND[name as keyof typeof FAULTS]);
      for (const { id, cure, link } of problems) {
        expect({ id, cure, link }).toEqual({ id, cure: listed.get(id)?.cure, link: listed.get(id)?.link });
      }
      const hasErrors = problems.some(({ severity }) => severity === 'error');
      const isReached = !problems.some(({ id }) => id.startsWith('tls_'));
      expect(report.exitCode).toBe(isReached ? Number(hasErrors) : 2);
    });
  });

  verifies('DOC-03', 'has a section for each finding on the page, and no other', async () => {
    const written = await writtenPage();
    if (process.env['WRITE_PAGES'] === '1') writeFileSync(PAGE, written);
    expect(readPage()).toBe(written);
    const ids = Object.values(CATALOGUE).flatMap((findings) => Object.keys(findings));
    expect([...new Set(ids)]).toEqual(ids);
    expect([...listed.keys()]).toEqual(ids);
  });

  it('knows thirty wrong deployments and more', () => {
    expect(Object.keys(FAULTS).length).toBeGreaterThanOrEqual(30);
  });
});
