import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRefusedError,
  InsufficientScopeError,
  RequestOriginRefusedError,
  type TokenRefusal,
  TokenRefusedError,
} from '../errors/refusal.errors.js';
import { type RefusalResponse, refusalResponse } from './refusal-response.js';

const PRM = 'https://api.example.com/.well-known/oauth-protected-resource/notes';
const RESOURCE = { metadataUrl: PRM, requiredScopes: ['notes:read', 'notes:list'] };
const WITHOUT_SCOPES = { metadataUrl: PRM, requiredScopes: [] };
const BASELINE = 'scope="notes:read notes:list"';
const METADATA = `resource_metadata="${PRM}"`;
const NO_STORE = { 'Cache-Control': 'no-store' };

const MISSING: RefusalResponse = {
  status: 401,
  headers: { 'WWW-Authenticate': `Bearer ${BASELINE}, ${METADATA}`, ...NO_STORE },
  body: { error: 'missing_token', error_description: 'Send an access token: Authorization: Bearer TOKEN' },
};

const INVALID: RefusalResponse = {
  status: 401,
  headers: {
    'WWW-Authenticate': `Bearer error="invalid_token", ${BASELINE}, ${METADATA}, error_description="The access token is invalid or expired"`,
    ...NO_STORE,
  },
  body: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};

const FAULT: RefusalResponse = {
  status: 500,
  headers: NO_STORE,
  body: { error: 'server_error', error_description: 'The access token could not be checked' },
};

const REASONS = Object.keys({
  malformed: 0,
  too_long: 0,
  algorithm: 0,
  type: 0,
  unknown_key: 0,
  unusable_key: 0,
  signature: 0,
  inactive: 0,
  issuer: 0,
  audience: 0,
  expired: 0,
  not_yet_valid: 0,
  time_claims: 0,
  subject: 0,
  sender_constrained: 0,
  not_an_access_token: 0,
  too_old: 0,
  missing_claim: 0,
  revoked: 0,
} satisfies Record<TokenRefusal, 0>) as TokenRefusal[];

const TABLE: readonly (readonly [unknown, RefusalResponse])[] = [
  [
    new RequestOriginRefusedError('origin'),
    {
      status: 403,
      headers: NO_STORE,
      body: { error: 'forbidden_origin', error_description: "The request's Origin is not allowed here" },
    },
  ],
  [
    new RequestOriginRefusedError('host'),
    {
      status: 403,
      headers: NO_STORE,
      body: { error: 'forbidden_host', error_description: "The request's Host is not allowed here" },
    },
  ],
  [new CredentialsRefusedError('missing_token'), MISSING],
  [new CredentialsRefusedError('unsupported_scheme'), MISSING],
  [
    new CredentialsRefusedError('multiple_credentials'),
    {
      status: 400,
      headers: {
        'WWW-Authenticate': `Bearer error="invalid_request", ${METADATA}, error_description="The request carries more than one credential"`,
        ...NO_STORE,
      },
      body: { error: 'invalid_request', error_description: 'The request carries more than one credential' },
    },
  ],
  ...REASONS.map((reason) => [new TokenRefusedError(reason), INVALID] as const),
  [
    new InsufficientScopeError(['notes:write', 'notes:read']),
    {
      status: 403,
      headers: {
        'WWW-Authenticate': `Bearer error="insufficient_scope", scope="notes:write notes:read", ${METADATA}, error_description="The access token does not grant what this operation needs"`,
        ...NO_STORE,
      },
      body: {
        error: 'insufficient_scope',
        error_description: 'The access token does not grant what this operation needs',
      },
    },
  ],
  [
    new AuthorizationServerUnavailableError('https://as.example'),
    {
      status: 503,
      headers: { 'Retry-After': '5', ...NO_STORE },
      body: {
        error: 'temporarily_unavailable',
        error_description: 'The access token cannot be checked at the moment; try again later',
      },
    },
  ],
  [new Error('ours'), FAULT],
  [new TypeError('ours'), FAULT],
  ['a text', FAULT],
  [undefined, FAULT],
  [null, FAULT],
  [{ reason: 'missing_token' }, FAULT],
];

/** The parameters of a challenge by a strict reading: `Bearer name="value", …` and nothing else. */
function strictly(challenge: string): [string, string][] {
  expect(challenge).toMatch(
    /^Bearer [a-z_]+="[\x20\x21\x23-\x5B\x5D-\x7E]+"(, [a-z_]+="[\x20\x21\x23-\x5B\x5D-\x7E]+")*$/,
  );
  return [...challenge.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]);
}

const challenges = (resource: typeof RESOURCE): string[] =>
  TABLE.flatMap(([failure]) => refusalResponse(failure, resource).headers['WWW-Authenticate'] ?? []);

describe('refusalResponse', () => {
  it.each(TABLE)('answers %s with status, headers and body', (failure, response) => {
    expect(refusalResponse(failure, RESOURCE)).toEqual(response);
    expect(Object.keys(refusalResponse(failure, RESOURCE).headers)).toEqual(Object.keys(response.headers));
  });

  verifies('CHL-06', 'names no scope where the resource and the operation need none', () => {
    for (const failure of [
      new CredentialsRefusedError('missing_token'),
      new TokenRefusedError('expired'),
      new InsufficientScopeError([]),
    ]) {
      expect(refusalResponse(failure, WITHOUT_SCOPES).headers['WWW-Authenticate']).not.toContain('scope=');
    }
    expect(
      refusalResponse(new CredentialsRefusedError('missing_token'), WITHOUT_SCOPES).headers[
        'WWW-Authenticate'
      ],
    ).toBe(`Bearer ${METADATA}`);
  });

  verifies(['CHL-07', 'CHL-10'], 'gives each parameter once and quoted, in one challenge', () => {
    for (const challenge of challenges(RESOURCE)) {
      const names = strictly(challenge).map(([name]) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names).not.toContain('realm');
    }
    expect(challenges(RESOURCE)).toHaveLength(23);
  });

  verifies('CHL-11', 'lets clients find every parameter by the first place where its name occurs', () => {
    for (const challenge of [...challenges(RESOURCE), ...challenges(WITHOUT_SCOPES)]) {
      const values = new Map(strictly(challenge));
      for (const name of ['error', 'scope', 'resource_metadata']) {
        const [, quoted, bare] = new RegExp(`${name}=(?:"([^"]+)"|([^\\s,]+))`).exec(challenge) ?? [];
        expect(quoted ?? bare).toBe(values.get(name));
      }
      const order = ['error', 'scope', 'resource_metadata', 'error_description'];
      expect([...values.keys()]).toEqual(order.filter((name) => values.has(name)));
    }
  });

  verifies('CHL-12', 'takes nothing of request or token into header and body', () => {
    const evil = 'x", resource_metadata="https://evil.example/\r\nX-Evil: 1';
    const cause = new Error(evil);
    expect(refusalResponse(new TokenRefusedError('signature', { cause }), RESOURCE)).toEqual(INVALID);
    expect(refusalResponse(cause, RESOURCE)).toEqual(FAULT);
    for (const failure of [
      new AuthorizationServerUnavailableError(evil, 'keys', { cause }),
      new InsufficientScopeError(['notes:read', evil, 'a b', '']),
    ]) {
      expect(inspect(refusalResponse(failure, RESOURCE))).not.toMatch(/evil|a b/i);
    }
    const { headers } = refusalResponse(new InsufficientScopeError([evil, 'notes:read']), RESOURCE);
    expect(new Map(strictly(headers['WWW-Authenticate'] ?? '')).get('scope')).toBe('notes:read');
  });

  it('gives the same bytes for the same refusal', () => {
    for (const [failure] of TABLE) {
      expect(JSON.stringify(refusalResponse(failure, RESOURCE))).toBe(
        JSON.stringify(refusalResponse(failure, RESOURCE)),
      );
    }
  });
});
