import type { TestMetadataLayout } from './test-authorization-server.interface.js';

const OAUTH = '/.well-known/oauth-authorization-server';
const OIDC = '/.well-known/openid-configuration';

/**
 * The paths at which an issuer with this path has its metadata. One slash at the end of the issuer is not part
 * of them.
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
