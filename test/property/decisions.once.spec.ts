import fc from 'fast-check';
import {
  CredentialsRejectedError,
  DiscoveryError,
  InsufficientScopeError,
  McpAuthError,
  TokenRejectedError,
  VerifiedToken,
} from 'nestjs-mcp-auth';
import { describe, expect } from 'vitest';
import { toAuthInfo } from '../../lib/request/to-auth-info.js';
import { rejectionResponse } from '../../lib/rejection/rejection-response.js';
import { validateMetadata } from '../../lib/authorization-server/validate-metadata.js';
import { validateClaims } from '../../lib/policy/validate-claims.js';
import { namesAudience } from '../../lib/policy/audience.js';
import { operationsOf } from '../../lib/mcp/operations.js';
import type { ProtectedResource } from '../../lib/resource/protected-resource.registry.js';
import { credentialSources } from '../../lib/token/credential-sources.js';
import { assertTokenForm, extractToken } from '../../lib/token/extract-token.js';
import { IntrospectionFailure } from '../../lib/token/introspection-failure.js';
import { readAnswer, toClaims } from '../../lib/token/introspection-response.js';
import { decodeClaims } from '../../lib/token/decode-jws.js';
import { readVerificationResult } from '../../lib/token/verification-result.js';
import { ISSUER, NOTES, NOTES_METADATA } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';
import { anyJson, bounded, CHALLENGE, expectSamePrototypes, objectWith, outcomeOf } from './arbitraries.js';

const NOW = 1_800_000_000;
const clock = { nowSeconds: NOW, toleranceSeconds: 5 };
const challenged = {
  metadataUrl: NOTES_METADATA,
  challengeScopes: ['notes:read'],
  options: { requiredScopes: ['notes:read'], dpop: undefined },
  servers: new Map(),
};
const settings = {
  showErrorDetails: false,
  errorBody: 'oauth',
  errorUri: undefined,
  errorPage: undefined,
} as const;
const resource = {
  options: { resource: NOTES, audiences: [NOTES], privateIssuers: [] },
  metadataUrl: NOTES_METADATA,
  challengeScopes: ['notes:read'],
  servers: new Map([[ISSUER, { options: { requiredClaims: [] } }]]),
} as unknown as ProtectedResource;
const good = { iss: ISSUER, aud: NOTES, sub: 'u1', client_id: 'c1', scope: 'notes:read', exp: NOW + 300 };

/** Expects that a rejection can be written into a response. */
function expectWritable(failure: unknown): void {
  const { status, headers } = rejectionResponse(failure, challenged, settings);
  for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7E]*$/);
  const challenge = headers['WWW-Authenticate'];
  expect(challenge === undefined).toBe(status >= 500);
  if (challenge !== undefined) expect(challenge).toMatch(CHALLENGE);
}

const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }));
const claims = objectWith(
  ...['iss', 'aud', 'sub', 'client_id', 'azp', 'cid', 'appid', 'scope', 'scp', 'scopes', 'exp', 'nbf', 'iat'],
  ...['cnf', 'typ', 'token_use', 'nonce', 'events', 'htm', 'jti', 'act', 'token_type', 'active'],
);

describe('any Authorization header', () => {
  const header = fc
    .tuple(
      fc.constantFrom('Bearer', 'bearer', 'BEARER ', 'Basic', 'DPoP', 'Bearer\t', '', ' Bearer', 'Bearer,'),
      fc.constantFrom('', ' ', '   ', '\t', '\u00a0'),
      fc.oneof(
        anyText,
        fc.base64String(),
        fc.constantFrom('a.b.c', 'a==', 'a=b', 'a, Basic b', 'a,b c', '='),
      ),
      fc.constantFrom('', ' ', '\r\n', ', Bearer x', '='),
    )
    .map((parts) => parts.join(''));
  const target = fc.oneof(fc.constantFrom('/notes', '/?access_token=x', '/?Access_Token', '?'), anyText);

  verifies('OPS-02', 'gives a token of the right form, or a rejection that can be written', () => {
    const property = fc.property(fc.array(header, { maxLength: 2 }), target, (authorization, url) => {
      const outcome = outcomeOf(() => {
        const token = extractToken({ authorization, target: url });
        assertTokenForm(token, 8192);
        return token;
      });
      if (typeof outcome === 'string') {
        expect(outcome).toMatch(/^[A-Za-z0-9._~+/-]+=*$/);
        expect(authorization).toHaveLength(1);
        expect(authorization[0]?.trimEnd().endsWith(outcome)).toBe(true);
      } else {
        expect([TokenRejectedError, CredentialsRejectedError]).toContain(outcome.constructor);
        expectWritable(outcome);
      }
    });
    fc.assert(property, bounded(1000));
  });

  verifies('OPS-02', 'is found among any other headers, and only that', () => {
    const name = fc.constantFrom(
      'Authorization',
      'authorization',
      'AUTHORIZATION',
      'x',
      'proxy-authorization',
    );
    const property = fc.property(fc.array(fc.tuple(name, anyText), { maxLength: 6 }), (lines) => {
      const { authorization } = credentialSources({ headers: {}, rawHeaders: lines.flat(), url: '/' });
      const expected = lines.filter(([each]) => each.toLowerCase() === 'authorization');
      expect(authorization).toEqual(expected.map(([, value]) => value));
    });
    fc.assert(property, bounded(300));
  });
});

describe('any token', () => {
  const part = fc.oneof(
    anyJson.map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
    claims.map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    anyText,
  );
  const token = fc
    .array(part, { minLength: 1, maxLength: 5 })
    .map((parts) => (parts.length === 4 ? parts.slice(1) : parts).join('.'));

  verifies('OPS-02', 'decodes to an object, or is malformed', () => {
    const property = fc.property(token, (text) => {
      const outcome = outcomeOf(() => decodeClaims(text));
      if (outcome instanceof McpAuthError) expect(outcome).toMatchObject({ reason: 'malformed' });
      else expect(Object.getPrototypeOf(outcome)).toBe(Object.prototype);
    });
    fc.assert(property, bounded(1000));
  });
});

describe('any claims', () => {
  const answersFor = fc.record({ requiresExpiry: fc.boolean(), audienceVerified: fc.boolean() });

  verifies('OPS-02', 'are rejected, or admitted for what they say', () => {
    let admittedCount = 0;
    const mixed = fc.oneof(
      claims,
      claims.map((each) => ({ ...good, ...each })),
      fc
        .tuple(fc.constantFrom(...Object.keys(good), 'cnf', 'nbf', 'iat', 'act'), anyJson)
        .map(([name, value]) => ({ ...good, [name]: value })),
    );
    const property = fc.property(mixed, answersFor, (each, options) => {
      const outcome = outcomeOf(() => validateClaims(new VerifiedToken(each, options), resource, clock));
      if (outcome instanceof McpAuthError) {
        expect(outcome).toBeInstanceOf(TokenRejectedError);
        expectWritable(outcome);
        return;
      }
      admittedCount += 1;
      const auth = outcomeOf(() => toAuthInfo('a.b.c', outcome, resource));
      const issuer = each['iss'] === undefined ? `urn:nestjs-mcp-auth:verifier:${NOTES}` : ISSUER;
      expect(auth).toMatchObject({ issuer });
      expect(namesAudience(each['aud'], [NOTES]) || each['aud'] === undefined).toBe(true);
      expect((outcome.expiresAt ?? NOW) > NOW - 5 && Object.hasOwn(each, 'cnf')).toBe(false);
      expect([...outcome.scopes, ...outcome.audience].filter((text) => typeof text !== 'string')).toEqual([]);
      expect(typeof outcome.clientId).toBe('string');
      expectSamePrototypes();
    });
    fc.assert(property, bounded(1000));
    expect(admittedCount).toBeGreaterThan(50);
  });

  verifies('OPS-02', 'ask for scopes that can be written', () => {
    const property = fc.property(fc.array(anyText, { maxLength: 5 }), (scopes) => {
      expectWritable(new InsufficientScopeError(scopes));
    });
    fc.assert(property, bounded(500));
  });
});

describe('any audience', () => {
  const url = fc.oneof(
    fc.constantFrom(
      'https://h',
      'HTTPS://H/',
      'https://h:443',
      'http://h:80/a',
      'https://h/a/',
      'https://h/A',
    ),
    fc.webUrl({ withQueryParameters: true }),
    anyText,
  );

  verifies('OPS-02', 'names itself, and another exactly when that names it', () => {
    const property = fc.property(url, url, (one, two) => {
      expect(namesAudience(one, [one])).toBe(true);
      expect(namesAudience(one, [two])).toBe(namesAudience(two, [one]));
      expect(namesAudience([two, one], [one])).toBe(true);
      expect(namesAudience(one, [two, one])).toBe(true);
    });
    fc.assert(property, bounded(1000));
  });

  verifies('OPS-02', 'is not named by what is longer or shorter, except by one slash', () => {
    const property = fc.property(anyText, fc.nat(NOTES.length - 1), (suffix, length) => {
      expect(namesAudience(NOTES + suffix, [NOTES])).toBe(suffix === '' || suffix === '/');
      expect(namesAudience(NOTES.slice(0, length), [NOTES])).toBe(false);
    });
    fc.assert(property, bounded(500));
  });

  verifies('OPS-02', 'is a string or a list of them', () => {
    const property = fc.property(anyJson, (aud) => {
      const named = [aud].flat().some((each) => each === NOTES || each === `${NOTES}/`);
      expect(namesAudience(aud, [NOTES])).toBe(named);
    });
    fc.assert(property, bounded(500));
  });
});

describe('any metadata document', () => {
  const members = ['issuer', 'jwks_uri', 'introspection_endpoint', 'token_endpoint', 'scopes_supported'];
  const document: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
    objectWith(...members),
    objectWith(...members.slice(1)).map((each) => ({ issuer: ISSUER, ...each })),
    fc.webUrl().map((url) => ({ issuer: ISSUER, jwks_uri: url, introspection_endpoint: url })),
  );
  const expectation = fc.record({
    url: fc.constantFrom(undefined, `${ISSUER}/.well-known/openid-configuration`),
    issuers: fc.constantFrom(undefined, [ISSUER]),
    needsKeys: fc.boolean(),
    needsIntrospection: fc.boolean(),
    needsTokenEndpoint: fc.boolean(),
  });

  verifies('OPS-02', 'is taken as it is, or rejected by a discovery error', () => {
    const property = fc.property(document, expectation, (each, expected) => {
      const outcome = outcomeOf(() => validateMetadata(each, expected));
      if (outcome instanceof McpAuthError) {
        expect(outcome).toBeInstanceOf(DiscoveryError);
        return;
      }
      expect(outcome).toBe(each);
      if (expected.issuers) expect(each['issuer']).toBe(ISSUER);
      if (expected.needsKeys) expect(URL.canParse(String(each['jwks_uri']))).toBe(true);
    });
    fc.assert(property, bounded(1000));
  });
});

describe('any answer of introspection', () => {
  const text = fc.oneof(
    claims.map((each) => JSON.stringify({ active: true, ...good, ...each })),
    fc.oneof(anyJson, claims).map((each) => JSON.stringify(each)),
    anyText,
  );

  verifies('OPS-02', 'is active, not active, no answer, or about a token that is rejected', () => {
    const property = fc.property(text, (each) => {
      let answer;
      try {
        answer = readAnswer(each);
      } catch (error) {
        expect(error).toBeInstanceOf(IntrospectionFailure);
        return;
      }
      if (answer === null) return;
      const { active } = answer;
      expect(active).toBe(true);
      const outcome = outcomeOf(() => {
        const admitted = validateClaims(new VerifiedToken(toClaims(answer, ISSUER)), resource, clock);
        return toAuthInfo('opaque', admitted, resource);
      });
      if (outcome instanceof McpAuthError) expect(outcome).toBeInstanceOf(TokenRejectedError);
      expectSamePrototypes();
    });
    fc.assert(property, bounded(1000));
  });
});

describe('any result of a verifier', () => {
  const result = objectWith(
    'clientId',
    'scopes',
    'token',
    'expiresAt',
    'resource',
    'audience',
    'extra',
    'iss',
  );

  verifies('OPS-02', 'is decided on, or told to be none', () => {
    const property = fc.property(fc.oneof(result, claims), (each) => {
      const verified = readVerificationResult(each);
      if (!verified) return;
      const outcome = outcomeOf(() => validateClaims(verified, resource, clock));
      if (outcome instanceof McpAuthError) expect(outcome).toBeInstanceOf(TokenRejectedError);
    });
    fc.assert(property, bounded(500));
  });
});

describe('any JSON-RPC body', () => {
  const message = fc.oneof(
    objectWith('jsonrpc', 'id', 'method', 'params', 'result'),
    fc
      .tuple(
        fc.constantFrom('tools/call', 'tools/list', 'TOOLS/CALL'),
        objectWith('name', 'arguments', '_meta'),
      )
      .map(([method, params]) => ({ jsonrpc: '2.0', method, params })),
    anyJson,
  );

  verifies('OPS-02', 'gives the tool calls in it, wherever they stand', () => {
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'purge' } };
    const property = fc.property(fc.array(message, { maxLength: 5 }), fc.nat(5), (messages, at) => {
      const batch = [...messages.slice(0, at), call, ...messages.slice(at)];
      const operations = outcomeOf(() => operationsOf(batch));
      expect(operations).toContainEqual({ kind: 'tool', name: 'purge', method: 'tools/call', arguments: {} });
      expect(operations).toEqual(batch.flatMap((each) => (Array.isArray(each) ? [] : operationsOf(each))));
      for (const body of messages) {
        for (const { kind, name } of operationsOf(body))
          expect([kind, typeof name]).toEqual(['tool', 'string']);
      }
    });
    fc.assert(property, bounded(1000));
  });
});
