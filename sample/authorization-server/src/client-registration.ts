import { type ClientMetadata, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';

const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '[::1]', 'localhost'];

/**
 * Rules for clients that register themselves (RFC 7591), on top of the checks of oidc-provider. The
 * validator runs once for each property named here.
 */
export const clientRegistrationRules: Required<NonNullable<Configuration['extraClientMetadata']>> = {
  properties: ['redirect_uris', 'token_endpoint_auth_method', 'scope'],
  validator: (ctx: KoaContextWithOIDC | undefined, key: string, value: unknown, metadata: ClientMetadata) => {
    // Without a request context the client comes from the configuration or was stored before.
    if (ctx === undefined) return;
    if (key === 'redirect_uris') checkRedirectUris(value);
    if (key === 'token_endpoint_auth_method') makePublic(value, metadata);
    // oidc-provider accepts only its own scopes here and reads them as a fixed limit for the client. The
    // scopes of a resource are decided at each authorization request instead (this is what makes step-up
    // possible), so `scope` is accepted and not registered; the registration response does not show it.
    if (key === 'scope') delete metadata.scope;
  },
};

function makePublic(method: unknown, metadata: ClientMetadata): void {
  if (method !== 'none') {
    throw new errors.InvalidClientMetadata(
      'token_endpoint_auth_method must be none, only public clients may register',
    );
  }
  // oidc-provider makes up a secret when the request names no method; no endpoint would check it.
  delete metadata.client_secret;
  delete metadata.client_secret_expires_at;
}

function checkRedirectUris(value: unknown): void {
  if (!Array.isArray(value)) return; // oidc-provider rejects it with its own message
  for (const uri of value as unknown[]) {
    if (typeof uri === 'string' && !isSafeRedirectUri(uri)) {
      throw new errors.InvalidClientMetadata('redirect_uris must use https, or http on a loopback host');
    }
  }
}

function isSafeRedirectUri(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname } = new URL(uri);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK_HOSTS.includes(hostname));
}
