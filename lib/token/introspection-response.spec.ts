import { errors, type JWTPayload, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { makeKey, type SigningKey } from '../../test/fixtures/keys.js';
import { registriesOf } from '../../test/fixtures/registries.js';
import { verifies } from '../../test/verifies.js';
import { resolveOptions } from '../options/resolve-options.js';
import { toIntrospectionFailure } from './introspection-failure.js';
import { readAnswer, readSignedAnswer, toClaims } from './introspection-response.js';

const ISSUER = 'https://as.example';
const NOW = 1_700_000_000;

describe('readAnswer', () => {
  verifies('OPQ-03', 'reads an active token, frozen at every depth', () => {
    const answer = readAnswer('{"active":true,"org":{"ids":[1]}}');
    expect(answer).toEqual({ active: true, org: { ids: [1] } });
    const org = answer?.['org'] as { ids: number[] };
    expect([answer, org, org.ids].every(Object.isFrozen)).toBe(true);
  });

  it.each(['{"active":"true"}', '{"active":1}', '{}', '[]', 'null', 'true', '"active"', '[{"active":true}]'])(
    'takes %s for a token that is not active',
    (text) => {
      expect(readAnswer(text)).toBeNull();
    },
  );

  it('leaves out prototype keys wherever they stand', () => {
    const answer = readAnswer('{"active":true,"__proto__":{"sub":"a"},"x":[{"__proto__":{"y":1},"z":2}]}');
    expect(Object.keys(answer!)).toEqual(['active', 'x']);
    expect(JSON.stringify(answer)).toBe('{"active":true,"x":[{"z":2}]}');
    expect(Object.assign({}, answer)).not.toHaveProperty('sub');
    expect(readAnswer('{"__proto__":{"active":true}}')).toBeNull();
  });

  it.each([
    ['no JSON', '{"active":true,"sub":"user-7"'],
    ['nothing', ''],
    ['JSON that is nested without end', '['.repeat(32_000) + ']'.repeat(32_000)],
  ])('says that %s is no answer, and nothing of what it is', (_what, text) => {
    let failure: unknown;
    try {
      readAnswer(text);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ message: 'answered with something that is not JSON' });
    expect((failure as Error).cause).toBeUndefined();
  });
});

describe('readSignedAnswer', () => {
  const read = async (
    signer: SigningKey,
    published: SigningKey[],
    { kid, ...changes }: JWTPayload & { kid?: string } = {},
  ): Promise<unknown> => {
    const payload = {
      iss: ISSUER,
      aud: 'rs',
      iat: NOW,
      token_introspection: { active: true, sub: 'u' },
      ...changes,
    };
    const jwt = await new SignJWT(payload)
      .setProtectedHeader({ alg: signer.alg, typ: 'token-introspection+jwt', ...(kid && { kid }) })
      .sign(signer.privateKey);
    const jwks = { keys: published.map(({ publicJwk }) => publicJwk) };
    const options = resolveOptions({
      resources: { resource: 'https://a.example', authorizationServers: [{ issuer: ISSUER, jwks }] },
    });
    const { servers, keys } = registriesOf(options);
    const expectation = {
      algorithms: ['ES256'],
      issuer: ISSUER,
      clientId: 'rs',
      now: new Date(NOW * 1000),
      toleranceSeconds: 5,
    };
    return keys.of(servers.all()[0]!).verify((getKey) => readSignedAnswer(jwt, getKey, expectation));
  };

  verifies('OPQ-11', 'finds the key of an answer that names none', async () => {
    const [one, two, other] = [
      await makeKey('ES256', '1'),
      await makeKey('ES256', '2'),
      await makeKey('ES256'),
    ];
    expect(await read(two, [one, two])).toEqual({ active: true, sub: 'u' });
    expect(await read(two, [one, two], { kid: '2' })).toEqual({ active: true, sub: 'u' });
    await expect(read(other, [one, two])).rejects.toBeInstanceOf(errors.JWSSignatureVerificationFailed);
    await expect(read(two, [one, two], { kid: '1' })).rejects.toBeInstanceOf(
      errors.JWSSignatureVerificationFailed,
    );
    await expect(read(two, [one, two], { aud: 'x' })).rejects.toBeInstanceOf(errors.JWTClaimValidationFailed);
  });

  it('says no where the signed answer does', async () => {
    const key = await makeKey('ES256');
    expect(await read(key, [key], { token_introspection: { active: false } })).toBeNull();
    expect(await read(key, [key], { token_introspection: null })).toBeNull();
  });
});

describe('toClaims', () => {
  verifies('OPQ-12', 'are the members of the answer, and the server for their issuer', () => {
    expect(toClaims({ active: true, sub: 'u' }, ISSUER)).toEqual({ active: true, sub: 'u', iss: ISSUER });
    expect(toClaims({ iss: ISSUER, token_type: 'BEARER' }, ISSUER)).toEqual({
      iss: ISSUER,
      token_type: 'BEARER',
    });
    expect(() => toClaims({ iss: `${ISSUER}/` }, ISSUER)).toThrow('Access token rejected: issuer');
    expect(() => toClaims({ token_type: 'DPoP' }, ISSUER)).toThrow(
      'Access token rejected: sender_constrained',
    );
    expect(() => toClaims({ token_type: ['Bearer'] }, ISSUER)).toThrow('sender_constrained');
  });
});

describe('toIntrospectionFailure', () => {
  it.each([
    [new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }), 'the request failed (ECONNREFUSED)'],
    [new TypeError('secret', { cause: { code: 7 } }), 'the request failed (no reason given)'],
    [new Error('secret', { cause: null }), 'the request failed (no reason given)'],
    ['secret', 'the request failed (no reason given)'],
    [null, 'the request failed (no reason given)'],
    [undefined, 'the request failed (no reason given)'],
  ])('says of %s no more than a system code', (error, message) => {
    const failure = toIntrospectionFailure(error);
    expect([failure.message, failure.cause]).toEqual([message, undefined]);
  });
});
