import { describe, expect, it } from 'vitest';
import type { Json } from '../context.js';
import type { Finding } from '../finding.js';
import type { HttpAnswer, HttpFailure } from '../http.js';
import { judgeMetadata } from './authorization-server.js';
import { judgeAllowed, judgeDenied, judgeExposed, judgeForeign } from './browsers.js';
import { judgeRejection } from './calls.js';
import { judgeChallenge } from './challenge.js';
import { judgeKeys } from './key-set.js';
import { judgeFirst, judgeUrl, reachOf } from './reach.js';
import { judgeBadToken, judgeMethod, judgeQuery, judgeSession } from './requests.js';
import { judgeMembers, judgeResource } from './resource-document.js';
import { judgeToken, scopesOf } from './token.js';

const URL_ = 'https://api.example.com/mcp';
const TARGET = new URL(URL_);
const FAILED: HttpFailure = { kind: 'failure', reason: 'timed_out', message: 'late' };

function answer(status: number, ...headers: [string, string][]): HttpAnswer {
  return { kind: 'answer', status, headers, text: '', isCut: false };
}

/** Severity and ID of findings. */
function short(...findings: readonly (Finding | undefined)[]): string[] {
  return findings.flatMap((each) => (each ? [`${each.severity} ${each.id}`] : []));
}

describe('judgements of the first answer', () => {
  it('tell http on another machine from http on this one', () => {
    const of = (url: string): string[] => short(...judgeUrl({ url, target: new URL(url) }));
    expect(of('http://api.example.com/mcp')).toEqual(['error not_https']);
    expect(of('http://127.0.0.1:3000/mcp')).toEqual([]);
    expect(of(`${URL_}?tenant=1`)).toEqual(['warning url_has_query']);
  });

  it('tell whether further checks can say anything', () => {
    expect([FAILED, answer(404), answer(500), answer(301), answer(401), answer(200)].map(reachOf)).toEqual([
      ...['unreachable', 'unusable', 'unusable', 'unusable', 'usable', 'usable'],
    ]);
    expect(short(...judgeFirst(FAILED, { target: TARGET }))).toEqual(['error timed_out']);
    expect(judgeFirst(answer(302), { target: TARGET })[0]?.found).toBe('302 to nowhere');
    expect(judgeFirst(answer(401), { target: TARGET })[0]?.title).toBe('The server answers, by TLS');
  });
});

describe('judgements of a challenge', () => {
  const of = (...lines: string[]): string[] =>
    short(
      ...judgeChallenge(
        answer(401, ...lines.map((line): [string, string] => ['WWW-Authenticate', line])),
        TARGET,
      ).findings,
    );

  it('read several lines as one list', () => {
    const metadata = 'scope="a", resource_metadata="https://api.example.com/x"';
    expect(of('Basic realm="x"', `Bearer ${metadata}`)).toEqual([
      'ok challenge',
      'ok scope',
      'ok resource_metadata',
    ]);
    expect(of(`bearer ${metadata}`)).toEqual(['ok challenge', 'ok scope', 'ok resource_metadata']);
    expect(of(`Bearer ${metadata}, Bearer ${metadata}`)).toContain('warning challenge_repeated');
  });

  it('name a document at another origin', () => {
    expect(of('Bearer resource_metadata="https://api.example.com:8443/x"')).toEqual([
      ...['ok challenge', 'note scope_missing', 'warning resource_metadata_elsewhere'],
    ]);
  });
});

describe('judgements of the resource document', () => {
  it('compare the resource with the URL', () => {
    const of = (resource: unknown, url = URL_): string[] => short(...judgeResource({ resource }, { url }));
    expect(of(URL_)).toEqual(['ok resource']);
    expect(of(`${URL_}/`)).toEqual(['warning resource_spelling']);
    expect(of('HTTPS://API.example.com:443/mcp')).toEqual(['warning resource_spelling']);
    expect(of('https://api.example.com')).toEqual(['warning resource_is_parent']);
    expect(of('https://api.example.com/mc')).toEqual(['error resource_mismatch']);
    expect(of('https://api.example.com/MCP')).toEqual(['error resource_mismatch']);
    expect(of(`${URL_}/notes`)).toEqual(['error resource_mismatch']);
    expect(of([URL_])).toEqual(['error resource_missing']);
    expect(of('https://api.example.com', 'https://api.example.com/')).toEqual(['ok resource']);
    expect(of('https://api.example.com/', 'https://api.example.com')).toEqual(['ok resource']);
    expect(of('https://api.example.com', 'https://api.example.com/?')).toEqual([
      'warning resource_is_parent',
    ]);
  });

  it('look at the members that clients need', () => {
    const of = (document: Json): string[] => short(...judgeMembers(document));
    const right = { authorization_servers: ['https://as.example'], scopes_supported: ['a'] };
    expect(of(right)).toEqual([]);
    expect(of({ ...right, bearer_methods_supported: [] })).toEqual(['error header_not_supported']);
    expect(of({ ...right, authorization_servers: 'https://as.example' })).toEqual([
      'error authorization_servers_missing',
    ]);
    expect(of({ ...right, authorization_servers: ['https://as.example?x', 7] })).toEqual([
      ...['error authorization_server_malformed', 'error authorization_server_malformed'],
    ]);
  });
});

describe('judgements of an authorization server', () => {
  const ISSUER = 'https://as.example';
  const right = {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/a`,
    token_endpoint: `${ISSUER}/t`,
    registration_endpoint: `${ISSUER}/r`,
    client_id_metadata_document_supported: true,
    authorization_response_iss_parameter_supported: true,
    code_challenge_methods_supported: ['S256'],
    response_types_supported: ['code'],
  };
  const of = (overrides: Json): string[] =>
    short(
      ...judgeMetadata(
        ISSUER,
        { ...right, ...overrides },
        { url: URL_, facts: { document: { scopes_supported: ['a'] } } },
      ),
    ).filter((each) => !each.startsWith('ok'));

  it('find what is missing or of another kind', () => {
    expect(of({})).toEqual([]);
    expect(of({ issuer: undefined })).toEqual(['error issuer_mismatch']);
    expect(of({ issuer: `${ISSUER}/` })).toEqual(['error issuer_mismatch']);
    expect(of({ token_endpoint: 7 })).toEqual(['error endpoint_malformed']);
    expect(of({ grant_types_supported: ['authorization_code'] })).toEqual(['note refresh_missing']);
    expect(of({ client_id_metadata_document_supported: 'true' })).toEqual(['note client_documents_missing']);
    expect(of({ registration_endpoint: undefined })).toEqual(['note dynamic_registration_missing']);
    expect(of({ authorization_response_iss_parameter_supported: undefined })).toEqual([
      'note iss_parameter_missing',
    ]);
    expect(of({ protected_resources: ['https://other.example'] })).toEqual(['warning resource_not_listed']);
    expect(of({ protected_resources: [URL_] })).toEqual([]);
    expect(of({ authorization_endpoint: undefined, response_types_supported: undefined })).toEqual([
      ...['error authorization_endpoint_missing', 'error code_response_type_missing'],
    ]);
  });

  it('tell keys that verify signatures from others', () => {
    const rsa = { kty: 'RSA', n: Buffer.alloc(256, 1).toString('base64url'), e: 'AQAB', kid: '1' };
    const of = (...keys: unknown[]): string[] => short(...judgeKeys(ISSUER, keys).findings);
    expect(of(rsa)).toEqual(['ok keys']);
    expect(of(rsa, { kty: 'EC', use: 'enc' }, { kty: 'RSA', key_ops: ['encrypt'] }, 'x')).toEqual([
      'ok keys',
    ]);
    expect(of({ ...rsa, use: 'enc' })).toEqual(['error keys_missing']);
    expect(of({ kty: 'oct', k: 'x' })).toEqual(['error keys_secret', 'error keys_missing']);
    expect(of({ ...rsa, d: 'x' })).toEqual(['ok keys', 'error keys_secret']);
    expect(of(rsa, { kty: 'OKP', crv: 'Ed25519' })).toEqual(['ok keys', 'warning keys_without_id']);
    expect(of({ kty: 'OKP', crv: 'Ed25519' })).toEqual(['ok keys']);
  });
});

describe('judgements about browsers', () => {
  const CORS: [string, string][] = [
    ['Access-Control-Allow-Origin', 'https://app.example'],
    ['Access-Control-Allow-Methods', '*'],
  ];
  const NAMES = 'authorization, content-type, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name';

  it('weigh a foreign Origin by where the server is', () => {
    expect(short(judgeForeign(answer(200), TARGET))).toEqual(['note foreign_origin_accepted']);
    expect(short(judgeForeign(answer(200), new URL('http://localhost:3000')))).toEqual([
      'warning foreign_origin_accepted',
    ]);
    expect(short(judgeForeign(answer(403), TARGET))).toEqual(['ok origin']);
  });

  it('weigh a denied preflight by whether the origin is wanted', () => {
    expect(short(judgeDenied('403', undefined), judgeDenied('403', 'https://a.example'))).toEqual([
      ...['note preflight_denied', 'error preflight_denied'],
    ]);
    expect(short(judgeDenied('401', undefined), judgeDenied('401', 'https://a.example'))).toEqual([
      ...['warning preflight_needs_token', 'error preflight_needs_token'],
    ]);
  });

  it('know that a wildcard does not stand for Authorization', () => {
    const of = (names: string): string[] =>
      short(...judgeAllowed(answer(204, ...CORS, ['Access-Control-Allow-Headers', names]), undefined));
    expect(of(NAMES)).toEqual(['ok preflight']);
    expect(of('*, Authorization')).toEqual(['ok preflight']);
    expect(of('*')).toEqual(['ok preflight', 'warning preflight_headers_missing']);
    expect(of(NAMES.replace('mcp-session-id, ', ''))).toEqual([
      'ok preflight',
      'warning preflight_headers_missing',
    ]);
  });

  it('allow credentials for an origin that is wanted', () => {
    const preflight = answer(
      204,
      ...CORS,
      ['Access-Control-Allow-Headers', NAMES],
      ['Access-Control-Allow-Credentials', 'true'],
    );
    expect(short(...judgeAllowed(preflight, undefined))).toContain('warning credentials_for_all');
    expect(short(...judgeAllowed(preflight, 'https://app.example'))).toEqual(['ok preflight']);
  });

  it('look at exposed headers', () => {
    const of = (value: string): string[] =>
      short(...judgeExposed(answer(401, ['Access-Control-Expose-Headers', value])));
    expect(of('WWW-Authenticate, Mcp-Session-Id')).toEqual([]);
    expect(of('*')).toEqual([]);
    expect(of('WWW-Authenticate')).toEqual(['warning headers_not_exposed']);
  });
});

describe('judgements of requests', () => {
  const invalid = answer(401, ['www-authenticate', 'Bearer error="invalid_token"']);

  it('tell a rejection from a failure', () => {
    expect(short(judgeBadToken(invalid), judgeBadToken(answer(200)), judgeBadToken(FAILED))).toEqual([
      ...['ok bad_token', 'error bad_token_accepted', 'error bad_token_status'],
    ]);
    expect(short(judgeBadToken(answer(401, ['www-authenticate', 'Bearer a b'])))).toEqual([
      'warning bad_token_error_missing',
    ]);
    expect(
      short(judgeQuery(invalid), judgeQuery(answer(400)), judgeQuery(answer(200)), judgeQuery(FAILED)),
    ).toEqual([...['error query_token_read', 'ok query_token', 'error query_token_read', 'ok query_token']]);
    expect(short(judgeQuery(invalid, 'invalid_token'))).toEqual(['ok query_token']);
    expect(
      short(judgeMethod('PUT', FAILED), judgeMethod('GET', answer(404)), judgeMethod('GET', answer(304))),
    ).toEqual([...['warning method_fails', 'error method_open']]);
    expect(short(judgeSession(FAILED))).toEqual(['warning session_before_token']);
  });

  it('explain why a token was rejected', () => {
    const of = (status: number, challenge = ''): string[] =>
      short(
        judgeRejection(
          answer(status, ...(challenge === '' ? [] : [['www-authenticate', challenge] as [string, string]])),
        ),
      );
    expect(of(401)).toEqual(['error call_invalid_token']);
    expect(of(403, 'Bearer error="insufficient_scope", scope="a"')).toEqual([
      'error call_insufficient_scope',
    ]);
    expect(of(403)).toEqual(['error call_denied']);
    expect(of(503)).toEqual(['error call_unavailable']);
    expect(of(400)).toEqual(['error call_failed']);
    expect(short(judgeRejection(FAILED))).toEqual(['error call_failed']);
  });
});

describe('judgements of a token', () => {
  const NOW = 1_800_000_000;
  const EXPECTED = { resource: URL_, issuers: ['https://as.example'], scopes: ['a'], now: NOW };
  const RIGHT = { iss: 'https://as.example', aud: URL_, exp: NOW + 60, scope: 'a' };

  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwt = (header: object, claims: object): string => `${encode(header)}.${encode(claims)}.c2ln`;
  const of = (claims: object, header: object = {}): string[] =>
    short(...judgeToken(jwt({ alg: 'RS256', ...header }, { ...RIGHT, ...claims }), EXPECTED)).filter(
      (each) => !each.startsWith('ok'),
    );

  it('accept a right one', () => {
    expect(of({})).toEqual([]);
    expect(of({}, { typ: 'application/AT+JWT' })).toEqual([]);
    expect(of({ aud: ['https://other.example', `${URL_}/`] })).toEqual([]);
  });

  it('find each claim that is wrong', () => {
    expect(of({ iss: 'https://as.example/' })).toEqual(['error token_issuer']);
    expect(of({ iss: undefined })).toEqual(['error token_issuer']);
    expect(of({ aud: undefined })).toEqual(['error token_audience']);
    expect(of({ aud: `${URL_}s` })).toEqual(['error token_audience']);
    expect(of({ exp: NOW })).toEqual(['error token_expired']);
    expect(of({ exp: NOW + 1 })).toEqual([]);
    expect(of({ exp: '2030' })).toEqual(['error token_without_expiry']);
    expect(of({ nbf: NOW + 1 })).toEqual(['error token_not_yet_valid']);
    expect(of({ nbf: NOW })).toEqual([]);
    expect(of({ scope: 'b' })).toEqual(['warning token_scopes']);
    expect(of({ nonce: 'x' })).toEqual(['warning token_is_id_token']);
    expect(of({ cnf: { jkt: 'x' } })).toEqual(['error token_bound']);
  });

  it('find each header that is wrong', () => {
    for (const alg of ['none', 'HS256', 'None', 7])
      expect(of({}, { alg })).toEqual(['error token_algorithm']);
    for (const typ of ['id+jwt', 'dpop+jwt', 7]) expect(of({}, { typ })).toEqual(['error token_type']);
  });

  it('say what is not a JWT', () => {
    const only = (token: string): string[] => short(...judgeToken(token, EXPECTED));
    expect([only('opaque'), only('a.b.c.d.e'), only('a.b.c')]).toEqual([
      ...[['note token_opaque'], ['warning token_encrypted'], ['error token_malformed']],
    ]);
  });

  it('read scopes as the module does', () => {
    expect(scopesOf({ scope: 'a  b', scp: ['c'] })).toEqual(['a', 'b']);
    expect(scopesOf({ scp: ['c', 7] })).toEqual(['c']);
    expect(scopesOf({ scopes: ['d'] })).toEqual(['d']);
    expect(scopesOf({})).toEqual([]);
  });
});
