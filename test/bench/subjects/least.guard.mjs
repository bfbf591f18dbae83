import { UnauthorizedException } from '@nestjs/common';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { hash } from 'node:crypto';
import { RESOURCE } from '../support/tokens.mjs';

const MAX_KEPT = 10_000;

/**
 * The least that a guard does which keeps verified tokens, by their hash and until they expire: what is left of a target
 * under it is left for all else that a guard should do.
 */
export function leastGuard({ issuer, jwksUri }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const expected = { issuer, audience: RESOURCE, algorithms: ['RS256'] };
  const kept = new Map();
  const verify = async (request, token, key) => {
    try {
      const { payload } = await jwtVerify(token, keys, expected);
      if (kept.size === MAX_KEPT) kept.clear();
      kept.set(key, payload);
      request.auth = payload;
      return true;
    } catch {
      throw new UnauthorizedException();
    }
  };
  return {
    canActivate: (context) => {
      const request = context.switchToHttp().getRequest();
      const { authorization } = request.headers;
      if (!authorization?.startsWith('Bearer ')) throw new UnauthorizedException();
      const token = authorization.slice('Bearer '.length);
      const key = hash('sha256', token, 'base64url');
      const known = kept.get(key);
      if (!known || known.exp <= Date.now() / 1000) return verify(request, token, key);
      request.auth = known;
      return true;
    },
  };
}
