import { inspect } from 'node:util';
import { extractWWWAuthenticateParams as readByV2 } from '@modelcontextprotocol/client';
import { extractWWWAuthenticateParams as readByV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { REJECTION_REFERENCE } from '../../test/tools/error-reference.js';
import {
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  MessageRejectedError,
  RequestOriginRejectedError,
  type ProofRejection,
  TenantRejectedError,
  type TokenRejection,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { rejectionReason } from '../errors/rejection-reason.js';
import type { ChallengedResource, RejectionSettings } from './rejection-answers.js';
import { type RejectionResponse, rejectionResponse } from './rejection-response.js';

const PRM = 'https://api.example.com/.well-known/oauth-protected-resource/notes';
const ISSUER = 'https://as.example';
const servers = new Map([
  [ISSUER, {}],
  ['https://as2.example', {}],
]);
const RESOURCE: ChallengedResource = {
  metadataUrl: PRM,
  challengeScopes: ['notes:read', 'notes:list'],
  servers,
};
const WITHOUT_SCOPES: ChallengedResource = { metadataUrl: PRM, challengeScopes: [], servers };
const PLAIN: RejectionSettings = {
  showErrorDetails: false,
  errorBody: 'oauth',
  errorUri: undefined,
  errorPage: undefined,
};
const DETAILED: RejectionSettings = { ...PLAIN, showErrorDetails: true };
const DOCUMENTED: RejectionSettings = { ...PLAIN, errorUri: 'https://docs.example/e' };
const DEVELOPED: RejectionSettings = { ...PLAIN, errorPage: 'https://docs.example/errors' };

const BASELINE = 'scope="notes:read notes:list"';
const METADATA = `resource_metadata="${PRM}"`;
const NO_STORE = { 'Cache-Control': 'no-store' };

const MISSING: RejectionResponse = {
  status: 401,
  headers: { 'WWW-Authenticate': `Bearer ${BASELINE}, ${METADATA}`, ...NO_STORE },
  body: { error: 'missing_token', error_description: 'Send an access token: Authorization: Bearer TOKEN' },
};

const SEVERAL: RejectionResponse = {
  status: 400,
  headers: {
    'WWW-Authenticate': `Bearer error="invalid_request", ${METADATA}, error_description="The request carries more than one credential"`,
    ...NO_STORE,
  },
  body: { error: 'invalid_request', error_description: 'The request carries more than one credential' },
};

const INVALID: RejectionResponse = {
  status: 401,
  headers: {
    'WWW-Authenticate': `Bearer error="invalid_token", ${BASELINE}, ${METADATA}, error_description="The access token is invalid or expired"`,
    ...NO_STORE,
  },
  body: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};

const INSUFFICIENT: RejectionResponse = {
  status: 403,
  headers: {
    'WWW-Authenticate': `Bearer error="insufficient_scope", scope="notes:write notes:read", ${METADATA}, error_description="The access token does not grant what this operation needs"`,
    ...NO_STORE,
  },
  body: {
    error: 'insufficient_scope',
    error_description: 'The access token does not grant what this operation needs',
  },
};

const WEAK: RejectionResponse = {
  status: 401,
  headers: {
    'WWW-Authenticate': `Bearer error="insufficient_user_authentication", scope="notes:write", ${METADATA}, acr_values="urn:a urn:b", max_age="300", error_description="This operation needs a stronger or more recent authentication of the user"`,
    ...NO_STORE,
  },
  body: {
    error: 'insufficient_user_authentication',
    error_description: 'This operation needs a stronger or more recent authentication of the user',
  },
};

const forbidden = (what: 'Origin' | 'Host'): RejectionResponse => ({
  status: 403,
  headers: NO_STORE,
  body: {
    error: `forbidden_${what.toLowerCase()}`,
    error_description: `The request's ${what} is not allowed here`,
  },
});

const SEVERAL_HOSTS: RejectionResponse = {
  status: 400,
  headers: NO_STORE,
  body: { error: 'invalid_request', error_description: 'The request has more than one Host' },
};

const BAD_TARGET: RejectionResponse = {
  status: 400,
  headers: NO_STORE,
  body: {
    error: 'invalid_request',
    error_description: 'The request target is neither a path nor a URL with a path',
  },
};

const UNKNOWN_TENANT: RejectionResponse = {
  status: 404,
  headers: NO_STORE,
  body: { error: 'not_found', error_description: 'No protected resource has this path' },
};

const TENANT_UNAVAILABLE: RejectionResponse = {
  status: 503,
  headers: { 'Retry-After': '5', ...NO_STORE },
  body: {
    error: 'temporarily_unavailable',
    error_description: 'The protected resource is not known at the moment; try again later',
  },
};

const UNAVAILABLE: RejectionResponse = {
  status: 503,
  headers: { 'Retry-After': '5', ...NO_STORE },
  body: {
    error: 'temporarily_unavailable',
    error_description: 'The access token cannot be checked at the moment; try again later',
  },
};

const FAULT: RejectionResponse = {
  status: 500,
  headers: NO_STORE,
  body: { error: 'server_error', error_description: 'The request could not be checked' },
};

const UNDECLARED: RejectionResponse = {
  status: 403,
  headers: NO_STORE,
  body: { error: 'forbidden_tool', error_description: 'This tool may not be called' },
};

const OTHER_RESOURCE: RejectionResponse = {
  status: 403,
  headers: NO_STORE,
  body: {
    error: 'forbidden_operation',
    error_description: 'This operation belongs to another protected resource',
  },
};

const NOT_JSON: RejectionResponse = {
  status: 415,
  headers: { Accept: 'application/json', ...NO_STORE },
  body: {
    error: 'unsupported_media_type',
    error_description: 'Send the message as JSON: Content-Type: application/json',
  },
};

const NO_STREAM: RejectionResponse = {
  status: 405,
  headers: { Allow: 'POST', ...NO_STORE },
  body: {
    error: 'method_not_allowed',
    error_description: 'A stream needs an access token, or a session that was opened without one',
  },
};

const denied = (error_description: string): RejectionResponse => ({
  status: 403,
  headers: NO_STORE,
  body: { error: 'access_denied', error_description },
});

const POLICY = denied('The caller is not allowed to do this');

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
  actor: 0,
  sender_constrained: 0,
  not_an_access_token: 0,
  too_old: 0,
  missing_claim: 0,
  not_bound: 0,
  certificate_missing: 0,
  certificate_malformed: 0,
  certificate_mismatch: 0,
  revoked: 0,
  replayed: 0,
} satisfies Record<Exclude<TokenRejection, ProofRejection>, 0>) as TokenRejection[];

/** Each decision, what it is answered with, and what the body has beside it with `showErrorDetails`. */
const TABLE: readonly (readonly [failure: unknown, answer: RejectionResponse, details: object])[] = [
  [new RequestOriginRejectedError('origin'), forbidden('Origin'), { reason: 'origin' }],
  [new RequestOriginRejectedError('host'), forbidden('Host'), { reason: 'host' }],
  [new RequestOriginRejectedError('duplicate_host'), SEVERAL_HOSTS, { reason: 'duplicate_host' }],
  [new RequestOriginRejectedError('request_target'), BAD_TARGET, { reason: 'request_target' }],
  [new TenantRejectedError('unknown_tenant'), UNKNOWN_TENANT, { reason: 'unknown_tenant' }],
  [new TenantRejectedError('tenant_unavailable'), TENANT_UNAVAILABLE, { reason: 'tenant_unavailable' }],
  [new CredentialsRejectedError('missing_token'), MISSING, { reason: 'missing_token' }],
  [new CredentialsRejectedError('unsupported_scheme'), MISSING, { reason: 'unsupported_scheme' }],
  [new CredentialsRejectedError('multiple_credentials'), SEVERAL, { reason: 'multiple_credentials' }],
  ...REASONS.map((reason) => [new TokenRejectedError(reason), INVALID, { reason }] as const),
  [new MessageRejectedError('undeclared_tool'), UNDECLARED, { reason: 'undeclared_tool' }],
  [new MessageRejectedError('other_resource'), OTHER_RESOURCE, { reason: 'other_resource' }],
  [new MessageRejectedError('media_type'), NOT_JSON, { reason: 'media_type' }],
  [new MessageRejectedError('no_stream'), NO_STREAM, { reason: 'no_stream' }],
  [new AccessDeniedError('policy'), POLICY, { reason: 'policy' }],
  [
    new AccessDeniedError('client'),
    denied('This client is not allowed to use this resource'),
    { reason: 'client' },
  ],
  [new InsufficientScopeError(['notes:write', 'notes:read']), INSUFFICIENT, { reason: 'insufficient_scope' }],
  [
    new InsufficientAuthenticationError({ acrValues: ['urn:a', 'urn:b'], maxAgeSeconds: 300 }, [
      'notes:write',
    ]),
    WEAK,
    { reason: 'insufficient_user_authentication' },
  ],
  [new AuthorizationServerUnavailableError(ISSUER), UNAVAILABLE, { reason: 'unavailable', server: ISSUER }],
  [
    new AuthorizationServerUnavailableError([...servers.keys()].join(', '), 'verification'),
    UNAVAILABLE,
    { reason: 'unavailable', server: 'https://as.example, https://as2.example' },
  ],
  [new Error('ours'), FAULT, { reason: 'fault' }],
  [new TypeError('ours'), FAULT, { reason: 'fault' }],
  ['a text', FAULT, { reason: 'fault' }],
  [undefined, FAULT, { reason: 'fault' }],
  [null, FAULT, { reason: 'fault' }],
  [{ reason: 'missing_token' }, FAULT, { reason: 'fault' }],
];

const answer = (failure: unknown, resource = RESOURCE, settings = PLAIN): RejectionResponse =>
  rejectionResponse(failure, resource, settings);

const challengeOf = (...args: Parameters<typeof answer>): string =>
  String(answer(...args).headers['WWW-Authenticate'] ?? '');

/** The parameters of a challenge by a strict reading: `Bearer name="value", …` and nothing else. */
function strictly(challenge: string): [string, string][] {
  expect(challenge).toMatch(
    /^Bearer [a-z_]+="[\x20\x21\x23-\x5B\x5D-\x7E]+"(, [a-z_]+="[\x20\x21\x23-\x5B\x5D-\x7E]+")*$/,
  );
  return [...challenge.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]);
}

/** All challenges of the table. */
const challenges = (resource = RESOURCE, settings = PLAIN): string[] =>
  TABLE.map(([failure]) => challengeOf(failure, resource, settings)).filter((challenge) => challenge !== '');

/** Free text that wants to be a parameter, a header or a line of its own. */
const EVIL = 'x", scope="admin", resource_metadata="https://evil.example/\r\nX-Evil: 1 \\ \u00e9';

describe('rejectionResponse', () => {
  it.each(TABLE)('answers %s with status, headers and body', (failure, response) => {
    expect(answer(failure)).toEqual(response);
    expect(Object.keys(answer(failure).headers)).toEqual(Object.keys(response.headers));
  });

  it('has every reason in its table, and the status that the reference says', () => {
    const reasons = TABLE.map(([, { status }, details]) => [
      (details as { reason: string }).reason,
      [status],
    ]);
    // Those that are no OAuth errors have a test of their own.
    const proofs = Object.keys(REJECTION_REFERENCE).filter((reason) => reason.startsWith('proof_'));
    const ownForm = {
      ...{ batch: [400], header_mismatch: [400], too_large: [400], not_a_message: [400] },
      ...Object.fromEntries(proofs.map((reason) => [reason, [401]])),
    };
    expect({ ...Object.fromEntries(reasons), ...ownForm }).toEqual(
      Object.fromEntries(
        Object.entries(REJECTION_REFERENCE).map(([reason, { statuses }]) => [reason, statuses]),
      ),
    );
  });

  verifies(['F98', 'CHL-02', 'CHL-05', 'CHL-08'], 'asks for a token without saying that one is bad', () => {
    for (const reason of ['missing_token', 'unsupported_scheme'] as const) {
      expect(challengeOf(new CredentialsRejectedError(reason))).toBe(
        `Bearer scope="notes:read notes:list", resource_metadata="${PRM}"`,
      );
    }
  });

  verifies(['F99', 'CHL-15'], 'says the same of every bad token, and no reason', () => {
    for (const reason of REASONS) {
      expect(answer(new TokenRejectedError(reason))).toEqual(INVALID);
    }
    expect(challengeOf(new TokenRejectedError('audience'))).toBe(
      `Bearer error="invalid_token", scope="notes:read notes:list", resource_metadata="${PRM}", error_description="The access token is invalid or expired"`,
    );
  });

  verifies(['F100', 'CHL-04', 'CHL-14'], 'asks for all scopes of the operation, in their order', () => {
    expect(answer(new InsufficientScopeError(['b', 'a']))).toMatchObject({
      status: 403,
      headers: {
        'WWW-Authenticate': `Bearer error="insufficient_scope", scope="b a", resource_metadata="${PRM}", error_description="The access token does not grant what this operation needs"`,
      },
    });
  });

  verifies(['F101', 'CHL-16'], 'answers several credentials with 400 and no scope', () => {
    expect(answer(new CredentialsRejectedError('multiple_credentials'))).toEqual(SEVERAL);
  });

  verifies(['F102', 'CHL-21'], "gives a fault that is not the client's no challenge", () => {
    for (const [failure, { status }] of TABLE.filter(([, expected]) => expected.status >= 500)) {
      const { headers } = answer(failure);
      expect(headers).not.toHaveProperty('WWW-Authenticate');
      expect(headers['Retry-After']).toBe(status === 503 ? '5' : undefined);
    }
  });

  verifies('ORG-01', 'gives a foreign Origin no challenge, whatever the resource needs', () => {
    for (const reason of ['origin', 'host'] as const) {
      const rejection = answer(new RequestOriginRejectedError(reason), RESOURCE, DOCUMENTED);
      expect([rejection.status, rejection.headers]).toEqual([403, { 'Cache-Control': 'no-store' }]);
    }
  });

  it('gives a caller that is denied neither a challenge nor a hint of scopes', () => {
    for (const reason of ['policy', 'client', EVIL as 'policy'] as const) {
      for (const settings of [DOCUMENTED, DETAILED, DEVELOPED]) {
        const { status, headers, body } = answer(new AccessDeniedError(reason), RESOURCE, settings);
        expect([status, headers]).toEqual([403, { 'Cache-Control': 'no-store' }]);
        expect(JSON.stringify(body)).not.toMatch(/scope|evil|error_uri/);
      }
    }
    expect(answer(new AccessDeniedError(EVIL as 'policy'))).toEqual(POLICY);
  });

  verifies('CHL-17', 'is never stored', () => {
    for (const [failure] of TABLE) expect(answer(failure).headers['Cache-Control']).toBe('no-store');
  });

  verifies('CHL-06', 'names no scope where the resource and the operation need none', () => {
    for (const failure of [
      new CredentialsRejectedError('missing_token'),
      new TokenRejectedError('expired'),
      new InsufficientScopeError([]),
    ]) {
      expect(challengeOf(failure, WITHOUT_SCOPES)).not.toContain('scope=');
    }
    expect(challengeOf(new CredentialsRejectedError('missing_token'), WITHOUT_SCOPES)).toBe(
      `Bearer ${METADATA}`,
    );
  });

  verifies(['CHL-07', 'CHL-10'], 'gives each parameter once and quoted, in one challenge', () => {
    for (const challenge of [...challenges(), ...challenges(RESOURCE, DOCUMENTED)]) {
      const names = strictly(challenge).map(([name]) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names).not.toContain('realm');
    }
    expect(challenges()).toHaveLength(30);
  });

  verifies('CHL-11', 'lets clients find every parameter by the first place where its name occurs', () => {
    for (const challenge of [
      ...challenges(),
      ...challenges(WITHOUT_SCOPES),
      ...challenges(RESOURCE, DOCUMENTED),
    ]) {
      const values = new Map(strictly(challenge));
      for (const name of ['error', 'scope', 'resource_metadata', 'acr_values', 'max_age']) {
        const [, quoted, bare] = new RegExp(`${name}=(?:"([^"]+)"|([^\\s,]+))`).exec(challenge) ?? [];
        expect(quoted ?? bare).toBe(values.get(name));
      }
      const needed = ['acr_values', 'max_age'];
      const order = ['error', 'scope', 'resource_metadata', ...needed, 'error_description', 'error_uri'];
      expect([...values.keys()]).toEqual(order.filter((name) => values.has(name)));
    }
  });

  verifies('CHL-23', 'has error_uri last, only beside error, and in the body too', () => {
    for (const [failure, { headers, body }] of TABLE) {
      const plain = headers['WWW-Authenticate'];
      const documented = answer(failure, RESOURCE, DOCUMENTED);
      if (plain?.includes(' error=')) {
        expect(documented.headers['WWW-Authenticate']).toBe(
          `${String(plain)}, error_uri="https://docs.example/e"`,
        );
        expect(documented.body).toEqual({ ...body, error_uri: 'https://docs.example/e' });
      } else {
        expect(documented).toEqual(answer(failure));
      }
    }
  });

  verifies('CHL-25', 'has the section about the reason as error_uri, if there is a page of reasons', () => {
    for (const [failure, { headers, body }] of TABLE) {
      const plain = headers['WWW-Authenticate'];
      const developed = answer(failure, RESOURCE, DEVELOPED);
      if (plain?.includes(' error=')) {
        const uri = `https://docs.example/errors#${rejectionReason(failure) ?? ''}`;
        expect(developed.headers['WWW-Authenticate']).toBe(`${String(plain)}, error_uri="${uri}"`);
        expect(developed.body).toEqual({ ...body, error_uri: uri });
      } else {
        expect(developed).toEqual(answer(failure));
      }
      // The option takes precedence.
      const both = { ...DOCUMENTED, errorPage: DEVELOPED.errorPage };
      expect(answer(failure, RESOURCE, both)).toEqual(answer(failure, RESOURCE, DOCUMENTED));
    }
  });

  verifies('CHL-25', 'writes nothing that a verifier put in place of a reason into the challenge', () => {
    const failure = new TokenRejectedError('"x" of mine' as 'expired');
    const { headers, body } = answer(failure, RESOURCE, DEVELOPED);
    expect(headers['WWW-Authenticate']).toMatch(/, error_uri="https:\/\/docs\.example\/errors"$/);
    expect(body).toMatchObject({ error_uri: 'https://docs.example/errors' });
  });

  verifies('CHL-13', 'gives the same bytes for the same rejection, whatever it gave in between', () => {
    const bytes = () => TABLE.map(([failure]) => JSON.stringify(answer(failure)));
    const before = bytes();
    challenges(WITHOUT_SCOPES);
    challenges(RESOURCE, DOCUMENTED);
    expect(bytes()).toEqual(before);
  });

  it('is not changed by what an application does to a body', () => {
    Object.assign(answer(new TokenRejectedError('expired')).body, { error: 'changed', path: '/notes' });
    expect(answer(new TokenRejectedError('expired'))).toEqual(INVALID);
    expect(() => Object.assign(answer(new TokenRejectedError('expired')).headers, { a: 'b' })).toThrow(
      TypeError,
    );
  });
});

describe('rejectionResponse, for what others have written', () => {
  verifies('CHL-12', 'takes nothing of request or token into header and body', () => {
    const cause = new Error(EVIL);
    for (const settings of [PLAIN, DETAILED]) {
      expect(answer(new TokenRejectedError('signature', { cause }), RESOURCE, settings).headers).toEqual(
        INVALID.headers,
      );
      for (const failure of [
        cause,
        new TokenRejectedError('signature', { cause }),
        new AuthorizationServerUnavailableError(EVIL, 'keys', { cause }),
        new InsufficientScopeError(['notes:read', EVIL, 'a b', '']),
        new InsufficientAuthenticationError({ acrValues: [EVIL, 'a b', ''], maxAgeSeconds: EVIL as never }, [
          EVIL,
        ]),
        new TokenRejectedError(EVIL as TokenRejection),
        new CredentialsRejectedError(EVIL as 'missing_token'),
        new RequestOriginRejectedError(EVIL as 'host'),
      ]) {
        expect(inspect(answer(failure, RESOURCE, settings))).not.toMatch(/evil|admin|a b/i);
      }
    }
    const scopes = new Map(strictly(challengeOf(new InsufficientScopeError([EVIL, 'notes:read']))));
    expect(scopes.get('scope')).toBe('notes:read');
  });

  verifies('F103', 'is read by the clients in use as it is meant, whatever the texts around it', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(EVIL, 'scope=evil now', 'error="x"', 'resource_metadata=https://evil.example/ y'),
    );
    const failures = texts.chain((text) =>
      fc.constantFrom(
        new TokenRejectedError('signature', { cause: new Error(text) }),
        new TokenRejectedError(text as TokenRejection),
        new CredentialsRejectedError(text as 'missing_token'),
        new InsufficientScopeError([text, 'notes:write', text]),
        new InsufficientScopeError(text.split(' ')),
      ),
    );
    const settings = fc.constantFrom(PLAIN, DETAILED, DOCUMENTED);
    const check = fc.property(
      failures,
      fc.constantFrom(RESOURCE, WITHOUT_SCOPES),
      settings,
      (failure, resource, how) => {
        const { status, headers } = answer(failure, resource, how);
        const values = new Map(strictly(String(headers['WWW-Authenticate'] ?? '')));
        for (const read of [readByV1, readByV2]) {
          const { resourceMetadataUrl, scope, error } = read(
            new Response(null, { status, headers: headers as Record<string, string> }),
          );
          expect(resourceMetadataUrl?.href).toBe(PRM);
          expect([scope, error]).toEqual([values.get('scope'), values.get('error')]);
        }
      },
    );
    fc.assert(check, { numRuns: 1000 });
  });
});

describe('rejectionResponse with showErrorDetails', () => {
  verifies(['F105', 'CHL-15'], 'adds the reason to the body, and changes no header', () => {
    for (const [failure, plain, details] of TABLE) {
      const detailed = answer(failure, RESOURCE, DETAILED);
      expect(detailed).toEqual({ ...plain, body: { ...plain.body, ...details } });
    }
  });

  it('names only servers of the configuration', () => {
    for (const issuer of ['https://as.example/', 'https://as2.example, https://as.example', 'eyJ.a.b', '']) {
      const failure = new AuthorizationServerUnavailableError(issuer);
      const { body } = answer(failure, RESOURCE, DETAILED);
      expect(body).toEqual({ ...UNAVAILABLE.body, reason: 'unavailable' });
    }
  });

  it.each(['constructor', '__proto__', 'Expired', ''])(
    'leaves out the reason %j, which is none of ours',
    (reason) => {
      const failure = new TokenRejectedError(reason as TokenRejection);
      expect(answer(failure, RESOURCE, DETAILED)).toEqual(INVALID);
    },
  );
});

describe('rejectionResponse with a JSON-RPC body', () => {
  const settings = { ...DETAILED, errorBody: 'json-rpc' } as const;

  verifies(['F107', 'CHL-24'], 'puts the OAuth body into an error with the id of the request', () => {
    for (const [failure, { status, headers, body }, details] of TABLE) {
      for (const id of ['a', '', 0, -1, null]) {
        const response = rejectionResponse(failure, RESOURCE, settings, id);
        expect(response).toEqual({
          status,
          headers,
          body: {
            jsonrpc: '2.0',
            id,
            error: {
              code: status,
              message: (body as { error_description: string }).error_description,
              data: { ...body, ...details },
            },
          },
        });
        // Free for applications: JSON-RPC 2.0 keeps -32768 to -32000.
        expect(status < -32768 || status > -32000).toBe(true);
      }
      expect(rejectionResponse(failure, RESOURCE, settings).body).toMatchObject({ id: null });
    }
  });

  it('has an id nowhere else', () => {
    expect(rejectionResponse(new TokenRejectedError('type'), RESOURCE, PLAIN, EVIL)).toEqual(INVALID);
    const { headers } = rejectionResponse(new TokenRejectedError('type'), RESOURCE, settings, EVIL);
    expect(headers).toEqual(INVALID.headers);
  });
});

describe('rejectionResponse for a message that is wrong itself', () => {
  const KINDS = [
    ['batch', -32600, 'This protocol version has no batches; send one message in each request'],
    ['header_mismatch', -32020, 'The headers of the request do not say the same as its body'],
    ['too_large', -32600, 'The request asks for too many operations at once'],
    ['not_a_message', -32600, 'Send a JSON-RPC message, which is a JSON object'],
  ] as const;

  verifies(
    ['SCP-10', 'SCP-13'],
    'is a JSON-RPC error with its own code, whatever the form of other bodies',
    () => {
      for (const [reason, code, description] of KINDS) {
        for (const settings of [PLAIN, { ...PLAIN, errorBody: 'json-rpc' } as const]) {
          expect(rejectionResponse(new MessageRejectedError(reason), RESOURCE, settings, 7)).toEqual({
            status: 400,
            headers: NO_STORE,
            body: {
              jsonrpc: '2.0',
              id: 7,
              error: {
                code,
                message: description,
                data: { error: 'invalid_request', error_description: description },
              },
            },
          });
        }
      }
    },
  );
});
