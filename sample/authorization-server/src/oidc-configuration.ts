import { randomBytes } from 'node:crypto';
import type { Client, ClientMetadata, Configuration, JWKS, KoaContextWithOIDC } from 'oidc-provider';
import {
  type AuthorizationServerOptions,
  DEFAULT_ACCESS_TOKEN_LIFETIME_SECONDS,
} from './authorization-server-options.js';
import { clientRegistrationRules } from './client-registration.js';
import { errorPage, PAGE_HEADERS } from './pages.js';
import { OIDC_SCOPES, resourceIndicators } from './resources.js';
import { actorClaim, TOKEN_EXCHANGE } from './token-exchange.js';

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

/** Everything oidc-provider needs to know. */
export function oidcConfiguration(
  issuer: string,
  options: AuthorizationServerOptions,
  jwks: JWKS,
): Configuration {
  return {
    jwks,
    // RFC 6749 section 4.1.3: the token request repeats the redirect_uri.
    allowOmittingSingleRegisteredRedirectUri: false,
    cookies: cookies(issuer),
    clients: [...publicClients(options), ...confidentialClients(options)],
    clientDefaults: { token_endpoint_auth_method: 'none' },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    clientBasedCORS: isOriginOfPublicClient,
    extraClientMetadata: clientRegistrationRules,
    clockTolerance: 0,
    discovery: {
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
      revocation_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    },
    expiresWithSession: () => false,
    features: features(options),
    extraTokenClaims: actorClaim,
    findAccount: (_ctx, sub) =>
      sub === options.username ? { accountId: sub, claims: () => ({ sub }) } : undefined,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    // Clients of MCP do not ask for offline_access: the registered grant type decides.
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // A used refresh token that comes back revokes its whole grant.
    rotateRefreshToken: true,
    pkce: { required: () => true },
    renderError: (ctx, { error, error_description }) => {
      ctx.set(PAGE_HEADERS);
      ctx.body = errorPage(error, error_description);
    },
    responseTypes: ['code'],
    scopes: OIDC_SCOPES,
    ttl: lifetimes(options),
  };
}

/** Browsers do not separate cookies by port, so the port is in the names: several samples can run side by side. */
function cookies(issuer: string): NonNullable<Configuration['cookies']> {
  const prefix = `as_${new URL(issuer).port}`;
  return {
    keys: [randomBytes(32).toString('base64url')],
    names: {
      session: `${prefix}_session`,
      interaction: `${prefix}_interaction`,
      resume: `${prefix}_resume`,
    },
  };
}

function publicClients({ clients = [] }: AuthorizationServerOptions): ClientMetadata[] {
  return clients.map(({ clientId, clientName = clientId, redirectUris }) => ({
    client_id: clientId,
    client_name: clientName,
    redirect_uris: [...redirectUris],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
  }));
}

function confidentialClients({ introspectionClient, tokenExchangeClients = [] }: AuthorizationServerOptions) {
  const introspecting = introspectionClient === undefined ? [] : [confidential(introspectionClient, [])];
  return [...introspecting, ...tokenExchangeClients.map((each) => confidential(each, [TOKEN_EXCHANGE]))];
}

function confidential(
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
  grantTypes: string[],
): ClientMetadata {
  return {
    client_id: clientId,
    client_secret: clientSecret,
    token_endpoint_auth_method: 'client_secret_basic',
    redirect_uris: [],
    response_types: [],
    grant_types: grantTypes,
  };
}

function features(options: AuthorizationServerOptions): NonNullable<Configuration['features']> {
  const introspectionClientId = options.introspectionClient?.clientId;
  return {
    claimsParameter: { enabled: false },
    devInteractions: { enabled: false },
    // RFC 9449: a client that sends a proof gets a token that is bound to its key; any other gets a bearer token.
    dPoP: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client) => client.clientId === introspectionClientId,
    },
    pushedAuthorizationRequests: { enabled: false },
    registration: {
      enabled: options.registration ?? true,
      initialAccessToken: false,
      issueRegistrationAccessToken: false,
    },
    resourceIndicators: resourceIndicators(options),
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    rpInitiatedLogout: { enabled: false },
  };
}

function lifetimes(options: AuthorizationServerOptions): NonNullable<Configuration['ttl']> {
  return {
    AccessToken: options.accessTokenLifetimeSeconds ?? DEFAULT_ACCESS_TOKEN_LIFETIME_SECONDS,
    AuthorizationCode: MINUTE,
    Grant: 14 * DAY,
    IdToken: 60 * MINUTE,
    Interaction: 60 * MINUTE,
    RefreshToken: 14 * DAY,
    Session: DAY,
  };
}

/** CORS: a page may talk for a public client when one of the redirect URIs of that client is on its origin. */
function isOriginOfPublicClient(_ctx: KoaContextWithOIDC, origin: string, client: Client): boolean {
  if (client.clientAuthMethod !== 'none') return false;
  return (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin);
}
