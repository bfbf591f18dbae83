import { beforeAll, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { registriesOf } from '../../test/fixtures/registries.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { resolveOptions } from '../options/resolve-options.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { VerifiedToken, type VerifiedTokenOptions } from '../options/token.verifier.js';
import { validateClaims } from './validate-claims.js';

const NOW = 1_800_000_000;
const R1 = 'https://api.example.com/notes';
const R2 = 'https://api.example.com/admin';
const AS1 = 'https://as.example';
const AS2 = 'https://as.example/tenant1';

const CLOCK = { nowSeconds: NOW, toleranceSeconds: 5 };
const GOOD = { iss: AS1, aud: R1, sub: 'u1', client_id: 'c1', scope: 'notes:read', iat: NOW, exp: NOW + 300 };

describe('admit', () => {
  let resource: ProtectedResource;
  let withAudience: ProtectedResource;
  let withTwoServers: ProtectedResource;
  let withOneAudience: ProtectedResource;
  let withAncestors: ProtectedResource;
  let withRequiredClaims: ProtectedResource;

  beforeAll(async () => {
    const server = (issuer: string): object => ({
      metadata: { issuer },
      jwks: { keys: [] },
      mcpCompliance: 'off',
    });
    const options = resolveOptions({
      resources: [
        { resource: R1, authorizationServers: [server(AS1)] },
        { resource: R2, authorizationServers: [server(AS2)], audience: ['api://admin', 'c1'] },
        { resource: `${R1}/2`, authorizationServers: [server(AS1), server(AS2)], audience: R1 },
        { resource: `${R1}/3`, authorizationServers: [server(AS1)], rejectMultipleAudiences: true },
        { resource: `${R1}/4`, authorizationServers: [server(AS1)], audienceMatch: 'hierarchical' },
        {
          resource: `${R1}/5`,
          authorizationServers: [{ ...server(AS1), requiredClaims: ['tid', 'jti'] }, server(AS2)],
          audience: R1,
        },
      ],
    });
    const servers = registriesOf(options).servers;
    await servers.discover();
    const resources = new ProtectedResourceRegistry(options, servers).all();
    [resource, withAudience, withTwoServers, withOneAudience, withAncestors, withRequiredClaims] =
      resources as [
        ...[ProtectedResource, ProtectedResource, ProtectedResource],
        ...[ProtectedResource, ProtectedResource, ProtectedResource],
      ];
  });

  /** Why claims, good except for these changes, are rejected; `authenticated` where they are not. */
  function outcome(
    changes: Record<string, unknown>,
    of = resource,
    answers: VerifiedTokenOptions = { requiresExpiry: true },
  ): string {
    try {
      validateClaims(new VerifiedToken({ ...GOOD, ...changes }, answers), of, CLOCK);
      return 'authenticated';
    } catch (error) {
      if (error instanceof TokenRejectedError) return error.reason;
      throw error;
    }
  }

  it('tells what good claims grant', () => {
    const claims = { ...GOOD, aud: ['x', R1, 7] };
    expect(validateClaims(new VerifiedToken(claims), resource, CLOCK)).toEqual({
      issuer: AS1,
      subject: 'u1',
      clientId: 'c1',
      scopes: ['notes:read'],
      expiresAt: NOW + 300,
      audience: ['x', R1],
      claims,
    });
  });

  verifies('JWT-20', 'takes exactly the issuers of this resource, whatever the verifier says', () => {
    expect(outcome({ iss: AS1 })).toBe('authenticated');
    for (const iss of [null, `${AS1}/`, 'HTTPS://as.example', 'https://as.example:443', [AS1], AS2, '', 7]) {
      expect(outcome({ iss })).toBe('issuer');
    }
    expect(outcome({ iss: AS2, aud: 'api://admin' }, withAudience)).toBe('authenticated');
    expect(outcome({ iss: AS1, aud: 'api://admin' }, withAudience)).toBe('issuer');
  });

  verifies(['JWT-20', 'F78', 'WAY-12'], 'takes claims without issuer for those of no server', () => {
    for (const of of [resource, withTwoServers]) {
      const { issuer } = validateClaims(new VerifiedToken({ ...GOOD, iss: undefined }), of, CLOCK);
      expect(issuer).toBe(`urn:nestjs-mcp-auth:verifier:${of.options.resource}`);
      expect(outcome({ iss: issuer }, of)).toBe('issuer');
      expect(outcome({ iss: null }, of)).toBe('issuer');
      expect(outcome({ iss: AS1 }, of)).toBe('authenticated');
    }
    expect(outcome({ iss: AS2 }, withTwoServers)).toBe('authenticated');
    // They are not asked for claims that a server is configured with.
    expect(outcome({ iss: undefined }, withRequiredClaims)).toBe('authenticated');
  });

  verifies('VER-03', 'takes claims without audience only from a verifier that answers for it', () => {
    const answers = { audienceVerified: true };
    expect(outcome({ aud: undefined }, resource, answers)).toBe('authenticated');
    expect(outcome({ aud: undefined }, resource, { audienceVerified: false })).toBe('audience');
    for (const aud of [null, R2, [], '', {}]) expect(outcome({ aud }, resource, answers)).toBe('audience');
  });

  verifies('AUD-01', 'rejects a token that does not name this resource', () => {
    expect(outcome({ aud: R1 })).toBe('authenticated');
    for (const aud of [undefined, null, R2, 'c1', [], {}, [[R1]], '', 7])
      expect(outcome({ aud })).toBe('audience');
  });

  verifies('AUD-05', 'takes configured audiences in place of the resource', () => {
    expect(outcome({ iss: AS2, aud: ['api://admin'] }, withAudience)).toBe('authenticated');
    expect(outcome({ iss: AS2, aud: R2 }, withAudience)).toBe('audience');
  });

  verifies(['JWT-24', 'JWT-25', 'JWT-26'], 'measures time by the clock that it is given', () => {
    expect(outcome({ exp: NOW - 4 })).toBe('authenticated');
    expect(outcome({ exp: NOW - 5 })).toBe('expired');
    expect(outcome({ exp: undefined })).toBe('time_claims');
    expect(outcome({ exp: undefined }, resource, {})).toBe('authenticated');
    expect(outcome({ nbf: NOW + 5 })).toBe('authenticated');
    expect(outcome({ nbf: NOW + 6 })).toBe('not_yet_valid');
    expect(outcome({ iat: NOW + 6 })).toBe('not_yet_valid');
  });

  verifies(['AUD-03', 'F62'], 'rejects a token for several audiences only where the resource says so', () => {
    const own = `${R1}/3`;
    for (const aud of [own, [own], [`${own}/`]]) {
      expect(outcome({ aud }, withOneAudience)).toBe('authenticated');
      expect(outcome({ aud: ['x'] }, withOneAudience)).toBe('audience');
    }
    for (const aud of [[own, 'x'], ['x', own], [own, own], [own, 7], []]) {
      expect(outcome({ aud }, withOneAudience)).toBe('audience');
    }
    expect(outcome({ aud: [R1, 'x'] })).toBe('authenticated');
  });

  verifies(['AUD-04', 'F64'], 'takes a URL above the resource only where the resource says so', () => {
    for (const aud of [`${R1}/4`, R1, ['x', 'https://api.example.com/']]) {
      expect(outcome({ aud }, withAncestors)).toBe('authenticated');
    }
    for (const aud of [`${R1}/3`, `${R1}/4/5`, R2]) expect(outcome({ aud }, withAncestors)).toBe('audience');
    expect(outcome({ aud: 'https://api.example.com' })).toBe('audience');
  });

  verifies(['JWT-26', 'JWT-28'], 'wants what the verifier says that it wants', () => {
    const answers = { requiredClaims: ['jti'], maxAgeSeconds: 600 };
    expect(outcome({ jti: 'j1' }, resource, answers)).toBe('authenticated');
    expect(outcome({}, resource, answers)).toBe('missing_claim');
    expect(outcome({ jti: 'j1', iat: NOW - 604 }, resource, answers)).toBe('authenticated');
    expect(outcome({ jti: 'j1', iat: NOW - 605 }, resource, answers)).toBe('too_old');
    expect(outcome({ jti: 'j1', iat: undefined }, resource, answers)).toBe('time_claims');
    expect(outcome({ iat: NOW - 606 })).toBe('authenticated');
  });

  verifies('F53', 'wants the claims that its issuer is configured with, whatever the verifier', () => {
    for (const answers of [{}, { requiresExpiry: true }, { requiredClaims: ['sub'] }]) {
      expect(outcome({ tid: 't', jti: 'j' }, withRequiredClaims, answers)).toBe('authenticated');
      expect(outcome({ jti: 'j' }, withRequiredClaims, answers)).toBe('missing_claim');
      expect(outcome({ tid: 't' }, withRequiredClaims, answers)).toBe('missing_claim');
      expect(outcome({ tid: 't', jti: '' }, withRequiredClaims, answers)).toBe('missing_claim');
      expect(outcome({ iss: AS2 }, withRequiredClaims, answers)).toBe('authenticated');
    }
  });

  verifies(['F57', 'F58'], 'reads client and scopes where the verifier says that they are', () => {
    const claims = { ...GOOD, roles: ['a'], app: 'c2' };
    const grants = (options: VerifiedTokenOptions): object => {
      const { clientId, scopes } = validateClaims(new VerifiedToken(claims, options), resource, CLOCK);
      return { clientId, scopes };
    };
    expect(grants({})).toEqual({ clientId: 'c1', scopes: ['notes:read'] });
    expect(grants({ claimNames: { clientId: ['app'], scopes: ['roles'] } })).toEqual({
      clientId: 'c2',
      scopes: ['a'],
    });
    expect(grants({ claimNames: { clientId: ['App'], scopes: ['role'] } })).toEqual({
      clientId: '',
      scopes: [],
    });
  });

  verifies('JWT-28', 'wants a principal', () => {
    expect(outcome({ sub: undefined })).toBe('authenticated');
    expect(outcome({ sub: undefined, client_id: undefined })).toBe('subject');
  });

  verifies(['POP-01', 'F59'], 'rejects a token that is bound to a DPoP key', () => {
    expect(outcome({ cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } })).toBe(
      'sender_constrained',
    );
    expect(outcome({ cnf: undefined })).toBe('authenticated');
  });

  verifies(['POP-02', 'F59'], 'rejects a token with any other confirmation claim', () => {
    for (const cnf of [{ 'x5t#S256': 'a' }, { foo: 1 }, {}, 'x', '', null, false, 0, []]) {
      expect(outcome({ cnf })).toBe('sender_constrained');
    }
  });

  verifies(['JWT-08', 'F55'], 'rejects an ID token, also one that names the resource', () => {
    const idToken = { nonce: 'n', at_hash: 'h', auth_time: NOW };
    expect(outcome({ ...idToken, aud: ['c1'] })).toBe('audience');
    expect(outcome({ ...idToken, aud: [R1] })).toBe('not_an_access_token');
    expect(outcome({ iss: AS2, aud: 'c1', nonce: 'n' }, withAudience)).toBe('not_an_access_token');
    expect(outcome({ auth_time: NOW })).toBe('authenticated');
  });

  it('does not decide about scopes', () => {
    expect(outcome({ scope: undefined })).toBe('authenticated');
  });

  it('takes nothing from a prototype key', () => {
    const text = JSON.stringify({ ...GOOD, aud: undefined }).replace('{', `{"__proto__":{"aud":"${R1}"},`);
    expect(() =>
      validateClaims(new VerifiedToken(JSON.parse(text) as Record<string, unknown>), resource, CLOCK),
    ).toThrow('Access token rejected: audience');
  });
});
