import { leastVerifier, tokenOf } from './least.verifier.mjs';

/**
 * The least that a guard does which keeps verified tokens: what is left of a target under it is left for all else that a
 * guard should do.
 */
export function leastGuard(settings) {
  const verify = leastVerifier(settings);
  return {
    canActivate: (context) => {
      const request = context.switchToHttp().getRequest();
      const claims = verify(tokenOf(request));
      if (claims instanceof Promise) return claims.then((verified) => admit(request, verified));
      return admit(request, claims);
    },
  };
}

function admit(request, claims) {
  request.auth = claims;
  return true;
}
