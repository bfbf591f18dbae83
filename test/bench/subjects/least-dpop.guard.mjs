import { Buffer } from 'node:buffer';
import { UnauthorizedException } from '@nestjs/common';
import { createPublicKey, hash, verify as verifySignature } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { PROOF_MAX_AGE_SECONDS } from '../support/proofs.mjs';
import { RESOURCE } from '../support/tokens.mjs';
import { leastVerifier, tokenOf } from './least.verifier.mjs';

const DIGESTS = { ES256: 'sha256', RS256: 'sha256', Ed25519: null };
const MAX_KEPT = 10_000;

/**
 * The least that a guard does for DPoP: it keeps tokens, and keys of proofs by the text of their header, checks one signature
 * without a change of threads, and the claims. It forgets used proofs only all at once.
 */
export function leastDpopGuard(settings) {
  const verifyToken = leastVerifier(settings);
  const keys = new Map();
  const used = new Set();

  const keyOf = async (header) => {
    const { alg, jwk } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const key = {
      alg,
      jkt: await calculateJwkThumbprint(jwk),
      key: { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    };
    if (keys.size === MAX_KEPT) keys.clear();
    keys.set(header, key);
    return key;
  };

  const admit = (request, token, claims, { alg, jkt, key }, [header, payload, signature]) => {
    const isSigned =
      claims.cnf.jkt === jkt &&
      verifySignature(
        DIGESTS[alg],
        Buffer.from(`${header}.${payload}`),
        key,
        Buffer.from(signature, 'base64url'),
      );
    if (!isSigned) throw new UnauthorizedException();
    const { htm, htu, iat, ath, jti } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const isGood =
      htm === request.method &&
      htu === RESOURCE &&
      Math.abs(Date.now() / 1000 - iat) <= PROOF_MAX_AGE_SECONDS &&
      ath === hash('sha256', token, 'base64url') &&
      !used.has(jti);
    if (!isGood) throw new UnauthorizedException();
    if (used.size === MAX_KEPT) used.clear();
    used.add(jti);
    request.auth = claims;
    return true;
  };

  return {
    canActivate: (context) => {
      const request = context.switchToHttp().getRequest();
      const token = tokenOf(request, 'DPoP ');
      const parts = request.headers.dpop.split('.');
      const claims = verifyToken(token);
      const key = keys.get(parts[0]) ?? keyOf(parts[0]);
      if (claims instanceof Promise || key instanceof Promise) {
        return Promise.all([claims, key]).then((known) => admit(request, token, ...known, parts));
      }
      return admit(request, token, claims, key, parts);
    },
  };
}
