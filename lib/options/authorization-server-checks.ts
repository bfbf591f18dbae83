import type { ConfigProblem } from '../errors/config.error.js';
import type { AnyAuthorizationServerOptions } from './authorization-server-options.js';
import type { IntrospectionOptions } from './introspection-options.js';
import type { TokenExchangeOptions } from './token-exchange-options.js';

type Rule<T> = readonly [message: string, isBroken: (subject: T) => boolean];

const LOCATION_RULES: readonly Rule<AnyAuthorizationServerOptions>[] = [
  [
    'has "metadata" beside "issuer" or "metadataUrl"; the metadata names its issuer itself',
    ({ metadata, issuer, metadataUrl }) =>
      metadata !== undefined && (issuer !== undefined || metadataUrl !== undefined),
  ],
  [
    'names no server; give "issuer", "metadataUrl" or "metadata"',
    ({ metadata, issuer, metadataUrl }) =>
      metadata === undefined && issuer === undefined && metadataUrl === undefined,
  ],
  [
    'has "trustDocumentIssuer", which goes with "metadataUrl" and without "issuer"',
    ({ trustDocumentIssuer, metadataUrl, issuer }) =>
      trustDocumentIssuer === true && (metadataUrl === undefined || issuer !== undefined),
  ],
];

const MODE_RULES: readonly Rule<AnyAuthorizationServerOptions>[] = [
  [
    'has a "mode" that introspects tokens, and no "introspection"; say how the server is asked',
    ({ mode, introspection }) => mode !== undefined && mode !== 'jwt' && introspection === undefined,
  ],
  [
    'has "introspection", which the mode "jwt" never uses; leave one of them out',
    ({ mode, introspection }) => mode === 'jwt' && introspection !== undefined,
  ],
  [
    'has "profile" or "maxTokenAgeSeconds", which are for JWTs; the mode "introspection" verifies none',
    ({ mode, profile, maxTokenAgeSeconds }) =>
      mode === 'introspection' && (profile === 'rfc9068' || maxTokenAgeSeconds !== undefined),
  ],
];

const INTROSPECTION_RULES: readonly Rule<IntrospectionOptions>[] = [
  [
    'has no "clientSecret", which its "authMethod" needs',
    ({ authMethod, clientSecret }) =>
      clientSecret === undefined && authMethod?.startsWith('client_secret_') === true,
  ],
  [
    'has no "privateKey", which the "authMethod" private_key_jwt needs',
    ({ authMethod, privateKey }) => authMethod === 'private_key_jwt' && privateKey === undefined,
  ],
  [
    'has no "bearerToken", which the "authMethod" bearer needs',
    ({ authMethod, bearerToken }) => authMethod === 'bearer' && bearerToken === undefined,
  ],
  [
    'has more than one of "clientSecret", "privateKey" and "bearerToken"; keep the one that "authMethod" needs',
    ({ clientSecret, privateKey, bearerToken }) =>
      [clientSecret, privateKey, bearerToken].filter((proof) => proof !== undefined).length > 1,
  ],
];

const TOKEN_EXCHANGE_RULES: readonly Rule<TokenExchangeOptions>[] = [
  [
    'has no "clientSecret" and no "privateKey"; for a client that its certificate authenticates, set "authMethod" to none',
    ({ authMethod, clientSecret, privateKey }) =>
      authMethod === undefined && clientSecret === undefined && privateKey === undefined,
  ],
  [
    'has no "clientSecret", which its "authMethod" needs',
    ({ authMethod, clientSecret }) =>
      authMethod?.startsWith('client_secret_') === true && clientSecret === undefined,
  ],
  [
    'has no "privateKey", which the "authMethod" private_key_jwt needs',
    ({ authMethod, privateKey }) => authMethod === 'private_key_jwt' && privateKey === undefined,
  ],
  [
    'has both "clientSecret" and "privateKey"; keep the one that "authMethod" needs',
    ({ clientSecret, privateKey }) => clientSecret !== undefined && privateKey !== undefined,
  ],
];

/** Returns the conflicts between the options of one authorization server. @internal */
export function authorizationServerProblems(
  server: AnyAuthorizationServerOptions,
  path: string,
  isDeferred: boolean,
): ConfigProblem[] {
  const location = broken(LOCATION_RULES, server, path).slice(0, 1);
  const unknownIssuer = server.metadataUrl !== undefined && server.issuer === undefined;
  const deferred =
    isDeferred && unknownIssuer
      ? [{ path, message: 'needs its "issuer": with lazy or retried discovery it must be known before' }]
      : [];
  const introspection = server.introspection
    ? broken(INTROSPECTION_RULES, server.introspection, `${path}.introspection`)
    : [];
  const exchange = server.tokenExchange
    ? broken(TOKEN_EXCHANGE_RULES, server.tokenExchange, `${path}.tokenExchange`)
    : [];
  return [...location, ...deferred, ...broken(MODE_RULES, server, path), ...introspection, ...exchange];
}

/**
 * Checks that at most one server of a resource has introspection. An opaque token does not name its server, and asking one
 * server about the tokens of another would disclose them.
 *
 * @internal
 */
export function ambiguousIntrospection(
  servers: readonly { readonly introspection?: unknown }[],
  path: string,
): ConfigProblem[] {
  const [, second] = servers.flatMap(({ introspection }, index) => (introspection ? [index] : []));
  if (second === undefined) return [];
  const message =
    'is the second server with "introspection": it cannot be told whom to ask about an opaque token';
  return [{ path: `${path}[${String(second)}].introspection`, message }];
}

function broken<T>(rules: readonly Rule<T>[], subject: T, path: string): ConfigProblem[] {
  return rules.filter(([, isBroken]) => isBroken(subject)).map(([message]) => ({ path, message }));
}
