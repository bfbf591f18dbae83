import type { TokenClaims, VerifiedAuthInfo } from '../options/token.verifier.js';

/**
 * The claims of a token that a verifier describes as the MCP SDK's `AuthInfo` does.
 *
 * `clientId` becomes `client_id`, `scopes` `scope`, `expiresAt` `exp`, `audience`, else `resource`, `aud`, `subject`
 * `sub` and `issuer` `iss`. What stands in `extra` is kept as it is, and fills in for those that are not there, but
 * for the scopes: without `scopes` there are none. The token itself is left out. Checks nothing.
 *
 * @publicApi
 */
export function claimsFromAuthInfo(info: VerifiedAuthInfo): TokenClaims {
  const named = {
    client_id: info.clientId,
    scope: info.scopes ?? [],
    exp: info.expiresAt,
    aud: audienceOf(info),
    sub: info.subject,
    iss: info.issuer,
  };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  return { ...info.extra, ...Object.fromEntries(given) };
}

function audienceOf({ audience, resource }: VerifiedAuthInfo): unknown {
  return audience ?? (resource instanceof URL ? resource.href : resource);
}

/**
 * Tells the SDK's shape from claims, in which some servers have a `clientId` too.
 *
 * @internal
 */
export function isAuthInfo(result: object): result is VerifiedAuthInfo {
  const { clientId, scopes, token } = result as Partial<VerifiedAuthInfo>;
  if (typeof clientId !== 'string' || ['iss', 'aud', 'exp'].some((claim) => claim in result)) return false;
  return Array.isArray(scopes) || typeof token === 'string';
}
