import type { TokenClaims, VerifiedAuthInfo } from '../options/token.verifier.js';

/**
 * Returns the claims of a token that a verifier describes in the form of the MCP SDK's `AuthInfo`.
 *
 * `clientId` becomes `client_id`, `scopes` `scope`, `expiresAt` `exp`, `audience` (else `resource`) `aud`, `subject` `sub`,
 * and `issuer` `iss`. Members of `extra` become claims unchanged. They replace claims that are missing, except the scopes:
 * without `scopes` there are none. The token itself is left out. Checks nothing.
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
 * Whether a result is the SDK's `AuthInfo` and not claims. Claims of some servers have a `clientId` too.
 *
 * @internal
 */
export function isAuthInfo(result: object): result is VerifiedAuthInfo {
  const { clientId, scopes, token } = result as Partial<VerifiedAuthInfo>;
  if (typeof clientId !== 'string' || ['iss', 'aud', 'exp'].some((claim) => claim in result)) return false;
  return Array.isArray(scopes) || typeof token === 'string';
}
