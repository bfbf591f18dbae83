import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { RESOURCE, sign } from './tokens.mjs';

/** Proofs are made before the measurement, and are good for so long. Unit: seconds. */
export const PROOF_MAX_AGE_SECONDS = 3_600;

/**
 * A client of DPoP: one token that is bound to its key, and so many fresh proofs for calls with it.
 *
 * @param {object} server - the authorization server
 * @param {{ alg: string, count: number, claims: object }} client
 */
export async function provingClient(server, { alg, count, claims }) {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  const token = await sign(server, { ...claims, cnf: { jkt: await calculateJwkThumbprint(jwk) } });
  const ath = createHash('sha256').update(token).digest('base64url');
  const iat = Math.floor(Date.now() / 1000);
  const make = () =>
    new SignJWT({ jti: randomUUID(), htm: 'POST', htu: RESOURCE, iat, ath })
      .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk })
      .sign(privateKey);
  const proofs = [];
  while (proofs.length < count)
    proofs.push(...(await Promise.all(Array.from({ length: Math.min(100, count - proofs.length) }, make))));
  return { token, proofs };
}
