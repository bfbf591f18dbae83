import { UnauthorizedException } from '@nestjs/common';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { RESOURCE } from '../support/tokens.mjs';

/**
 * The guard that people write by hand: `jwtVerify` for every request, and nothing else. It takes a token under the scheme DPoP
 * too, and looks at no proof.
 */
export function naiveGuard({ issuer, jwksUri }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  return {
    canActivate: async (context) => {
      const request = context.switchToHttp().getRequest();
      const [scheme, token] = request.headers.authorization?.split(' ') ?? [];
      if (!['Bearer', 'DPoP'].includes(scheme) || token === undefined) throw new UnauthorizedException();
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience: RESOURCE,
          algorithms: ['RS256'],
        });
        request.auth = payload;
        return true;
      } catch {
        throw new UnauthorizedException();
      }
    },
  };
}
