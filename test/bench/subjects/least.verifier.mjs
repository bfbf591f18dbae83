import { UnauthorizedException } from '@nestjs/common';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { hash } from 'node:crypto';
import { RESOURCE } from '../support/tokens.mjs';

const MAX_KEPT = 10_000;

/** Verifies tokens and keeps their claims by hash, until they expire. Returns no promise for a token that is kept. */
export function leastVerifier({ issuer, jwksUri }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const expected = { issuer, audience: RESOURCE, algorithms: ['RS256'] };
  const kept = new Map();
  const verify = async (token, key) => {
    try {
      const { payload } = await jwtVerify(token, keys, expected);
      if (kept.size === MAX_KEPT) kept.clear();
      kept.set(key, payload);
      return payload;
    } catch {
      throw new UnauthorizedException();
    }
  };
  return (token) => {
    const key = hash('sha256', token, 'base64url');
    const known = kept.get(key);
    return known && known.exp > Date.now() / 1000 ? known : verify(token, key);
  };
}

/** The token of a request under one scheme. */
export function tokenOf({ headers: { authorization } }, scheme = 'Bearer ') {
  if (!authorization?.startsWith(scheme)) throw new UnauthorizedException();
  return authorization.slice(scheme.length);
}
