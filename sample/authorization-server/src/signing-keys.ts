import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JSONWebKeySet } from 'jose';
import type { JWKS } from 'oidc-provider';

/** Made anew at each start: tokens do not survive a restart. */
export async function generateSigningKeys(): Promise<JWKS> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { keys: [{ ...jwk, kid: randomUUID(), alg: 'RS256', use: 'sig' }] };
}

/** What may be told of RSA keys. */
export function publicPart({ keys }: JWKS): JSONWebKeySet {
  return {
    keys: keys.map(({ kid = '', n = '', e = '' }) => ({ kty: 'RSA', alg: 'RS256', use: 'sig', kid, n, e })),
  };
}
