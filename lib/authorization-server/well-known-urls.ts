import type { AuthorizationServerType } from '../options/authorization-server-options.js';
import { splitUrl } from '../options/url-rules.js';

const OAUTH = '/.well-known/oauth-authorization-server';
const OIDC = '/.well-known/openid-configuration';

/**
 * Returns the URLs at which an issuer may serve its metadata, in the order to try.
 *
 * The URLs omit one slash at the end of the issuer. It stays part of the issuer.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3.1 | RFC 8414 section 3.1}
 * @internal
 */
export function metadataUrls(issuer: string, type: AuthorizationServerType): readonly string[] {
  const { origin, path } = splitUrl(issuer.replace(/\/$/, ''));
  const oauth = `${origin}${OAUTH}${path}`;
  const oidc = `${origin}${path}${OIDC}`;
  if (type === 'oauth') return [oauth];
  if (type === 'oidc') return [oidc];
  return path === '' ? [oauth, oidc] : [oauth, `${origin}${OIDC}${path}`, oidc];
}

/**
 * Returns the issuers whose metadata may be at this address: the issuer without and with a slash at its end. Empty if
 * the address does not have a well-known form.
 *
 * @internal
 */
export function issuersOf(metadataUrl: string, type: AuthorizationServerType): readonly string[] {
  const { origin, path } = splitUrl(metadataUrl);
  const bases = [
    ...(type === 'oidc' ? [] : [inserted(path, OAUTH)]),
    ...(type === 'oauth' ? [] : [appended(path, OIDC)]),
    ...(type === 'auto' ? [inserted(path, OIDC)] : []),
  ];
  const base = bases.find((candidate) => candidate !== undefined);
  return base === undefined ? [] : [`${origin}${base}`, `${origin}${base}/`];
}

function inserted(path: string, wellKnown: string): string | undefined {
  return path === wellKnown || path.startsWith(`${wellKnown}/`) ? path.slice(wellKnown.length) : undefined;
}

function appended(path: string, wellKnown: string): string | undefined {
  return path.endsWith(wellKnown) ? path.slice(0, -wellKnown.length) : undefined;
}
