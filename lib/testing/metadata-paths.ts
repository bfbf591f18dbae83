import type { TestMetadataLayout } from './test-authorization-server.interface.js';

const OAUTH = '/.well-known/oauth-authorization-server';
const OIDC = '/.well-known/openid-configuration';

/**
 * Returns the paths at which an issuer with this path serves its metadata. They omit one slash at the end of the
 * issuer.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3.1 | RFC 8414 section 3.1}
 * @internal
 */
export function metadataPaths(issuerPath: string, layout: TestMetadataLayout): readonly string[] {
  const path = issuerPath.replace(/\/$/, '');
  const paths = { oauth: OAUTH + path, 'oidc-inserted': OIDC + path, oidc: path + OIDC };
  if (layout === 'none') return [];
  return layout === 'all' ? Object.values(paths) : [paths[layout]];
}
