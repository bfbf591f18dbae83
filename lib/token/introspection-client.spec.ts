import { exportJWK, generateKeyPair, generateSecret, type JWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { ResolvedIntrospectionOptions } from '../options/trusted-authorization-server.interface.js';
import { clientAuthentication, privateKeyJwt } from './introspection-client.js';

const AS = { issuer: 'https://as.example' };

/** The form and headers that a request of the client "rs" gets. */
const proof = async (options: Partial<ResolvedIntrospectionOptions>) => {
  const prove = await clientAuthentication({ timeoutMs: 1000, ...options } as ResolvedIntrospectionOptions);
  const [form, headers] = [new URLSearchParams(), new Headers()];
  await prove(AS, { client_id: 'rs' }, form, headers);
  return { form: Object.fromEntries(form), headers: Object.fromEntries(headers) };
};

describe('clientAuthentication', () => {
  verifies('OPQ-02', 'puts the secret where the method says', async () => {
    const clientSecret = () => 'p:w d%';
    expect(await proof({ authMethod: 'client_secret_basic', clientSecret })).toEqual({
      form: {},
      headers: { authorization: `Basic ${Buffer.from('rs:p%3Aw+d%25').toString('base64')}` },
    });
    expect(await proof({ authMethod: 'client_secret_post', clientSecret })).toEqual({
      form: { client_id: 'rs', client_secret: 'p:w d%' },
      headers: {},
    });
    expect(await proof({ authMethod: 'none' })).toEqual({ form: { client_id: 'rs' }, headers: {} });
  });

  verifies('OPQ-02', 'puts a bearer token into the header, asked for with each request', async () => {
    const given = ['t-1', 't_2.~+/==', '', 'a b', 'a\r\nX-Evil: 1', 7, undefined];
    const bearerToken = () => given.shift() as string;
    const options = { authMethod: 'bearer', bearerToken, timeoutMs: 1000 };
    const prove = await clientAuthentication(options as ResolvedIntrospectionOptions);
    expect(given).toHaveLength(7);
    const asked = async () => {
      const [form, headers] = [new URLSearchParams(), new Headers()];
      await prove(AS, { client_id: 'rs' }, form, headers);
      return { form: Object.fromEntries(form), headers: Object.fromEntries(headers) };
    };
    expect(await asked()).toEqual({ form: {}, headers: { authorization: 'Bearer t-1' } });
    expect(await asked()).toEqual({ form: {}, headers: { authorization: 'Bearer t_2.~+/==' } });
    for (const what of ['secret', 'token', 'token', 'secret', 'secret'])
      await expect(asked()).rejects.toThrow(`the option "bearerToken" gave no ${what}`);
    expect(given).toEqual([]);
  });

  verifies('OPQ-02', 'signs an assertion with the algorithm and the id of the key', async () => {
    for (const alg of ['RS256', 'PS256', 'ES384', 'EdDSA', 'Ed25519']) {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      const jwk: JWK = { ...(await exportJWK(privateKey)), alg };
      for (const named of [jwk, { ...jwk, kid: 'k' }]) {
        const { form } = await proof({ authMethod: 'private_key_jwt', privateKey: named });
        const assertion = form['client_assertion'] ?? '';
        const { payload, protectedHeader } = await jwtVerify(assertion, publicKey);
        expect(payload).toMatchObject({ iss: 'rs', sub: 'rs', aud: AS.issuer });
        expect(protectedHeader).toEqual({ alg, ...(named.kid !== undefined && { kid: 'k' }) });
      }
    }
  });

  it('takes no key that does not sign', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const secret = await generateSecret('HS256', { extractable: true });
    const listed = /^has no "alg" of RS256, .*, Ed25519$/;
    await expect(privateKeyJwt(undefined)).rejects.toThrow(listed);
    await expect(privateKeyJwt(await exportJWK(privateKey))).rejects.toThrow(listed);
    await expect(privateKeyJwt({ ...(await exportJWK(secret)), alg: 'HS256' })).rejects.toThrow(listed);
    const none = 'is no private key for "ES256"';
    await expect(privateKeyJwt({ ...(await exportJWK(secret)), alg: 'ES256' })).rejects.toThrow(none);
    await expect(privateKeyJwt({ ...(await exportJWK(publicKey)), alg: 'ES256' })).rejects.toThrow(none);
    await expect(privateKeyJwt({ kty: 'EC', alg: 'ES256' })).rejects.toThrow(none);
    await expect(privateKeyJwt({ ...(await exportJWK(privateKey)), alg: 'ES256' })).resolves.toBeDefined();
  });
});
