import { createHmac } from 'node:crypto';
import {
  LIFECYCLE_METHODS,
  type McpAuthModuleOptions,
  type ProtectedResourceOptions,
  type ReplayStore,
  type TokenClaims,
  toolChallengeForOpenAi,
} from 'nestjs-mcp-auth';

// Each region is the example of the option that it names: test/tools/sync-options.mjs.

const ISSUER = 'https://auth.example.com';

const AUDIT_KEY = process.env['AUDIT_KEY'] ?? '';

/** Stands for the application's own records. */
export const revokedIds = new Set<string>();
export const failuresByAddress = new Map<string, number>();

export const notes: McpAuthModuleOptions = {
  //#region McpAuthModuleOptions.resources
  resources: {
    resource: 'https://api.example.com/notes',
    authorizationServers: ['https://auth.example.com'],
    requiredScopes: ['notes:read'],
  },
  //#endregion McpAuthModuleOptions.resources
  //#region McpAuthModuleOptions.tokenCache
  tokenCache: { maxEntries: 50_000, maxAgeSeconds: 30 },
  //#endregion McpAuthModuleOptions.tokenCache
  //#region McpAuthModuleOptions.sessionBinding
  sessionBinding: { maxSessions: 2000, maxIdleSeconds: 3600 },
  //#endregion McpAuthModuleOptions.sessionBinding
  //#region McpAuthModuleOptions.isRevoked
  isRevoked: ({ issuer, jti }) => jti !== undefined && revokedIds.has(`${issuer} ${jti}`),
  //#endregion McpAuthModuleOptions.isRevoked
  //#region McpAuthModuleOptions.replicas
  replicas: 'several',
  //#endregion McpAuthModuleOptions.replicas
  //#region McpAuthModuleOptions.onUnauthorized
  onUnauthorized: ({ remoteAddress = 'unknown', reason }) => {
    if (reason === 'missing_token') return;
    failuresByAddress.set(remoteAddress, (failuresByAddress.get(remoteAddress) ?? 0) + 1);
  },
  //#endregion McpAuthModuleOptions.onUnauthorized
  //#region McpAuthModuleOptions.scopeHierarchy
  scopeHierarchy: { 'notes:admin': ['notes:write'], 'notes:write': ['notes:read'] },
  //#endregion McpAuthModuleOptions.scopeHierarchy
  //#region McpAuthModuleOptions.toolChallenge
  toolChallenge: toolChallengeForOpenAi,
  //#endregion McpAuthModuleOptions.toolChallenge
  //#region McpAuthModuleOptions.stdio
  stdio: { subject: 'ada', scopes: ['notes:read'] },
  //#endregion McpAuthModuleOptions.stdio
  //#region McpAuthModuleOptions.requestUser
  requestUser: { toUser: ({ subject, scopes }) => ({ id: subject, roles: scopes }) },
  //#endregion McpAuthModuleOptions.requestUser
  //#region McpAuthModuleOptions.redact
  redact: {
    subject: (subject) => createHmac('sha256', AUDIT_KEY).update(subject).digest('base64url'),
    remoteAddress: () => undefined,
  },
  //#endregion McpAuthModuleOptions.redact
};

export const sealedSessions: McpAuthModuleOptions['sessionBinding'] = {
  //#region SessionBindingOptions.secrets
  secrets: [process.env['SESSION_SECRET'] ?? ''], // openssl rand -base64 32
  //#endregion SessionBindingOptions.secrets
};

/** Stands for the application's own keys. */
const findKey = (key: string): TokenClaims | null =>
  key === 'key-of-ada'
    ? { sub: 'ada', client_id: 'reporting-job', aud: 'https://api.example.com/notes' }
    : null;

export const withKeys: Pick<ProtectedResourceOptions, 'apiKeys' | 'allowedClients'> = {
  //#region ProtectedResourceOptions.apiKeys
  apiKeys: { header: 'x-api-key', verifier: (key) => findKey(key), issuer: 'urn:example:api-keys' },
  //#endregion ProtectedResourceOptions.apiKeys
  //#region ProtectedResourceOptions.allowedClients
  allowedClients: { clientIds: ['reporting-job'], origins: ['https://claude.ai'] },
  //#endregion ProtectedResourceOptions.allowedClients
};

export const resource = {
  resource: 'https://api.example.com/notes',
  authorizationServers: [ISSUER],
  requiredScopes: ['notes:read'],
  //#region ProtectedResourceOptions.challengeScopes
  challengeScopes: 'all',
  //#endregion ProtectedResourceOptions.challengeScopes
  //#region ProtectedResourceOptions.scopesSupported
  scopesSupported: ['notes:read', 'notes:write'],
  //#endregion ProtectedResourceOptions.scopesSupported
  //#region ProtectedResourceOptions.audience
  audience: ['https://api.example.com/notes', 'notes-api'],
  //#endregion ProtectedResourceOptions.audience
  //#region ProtectedResourceOptions.allowedOrigins
  allowedOrigins: ['https://app.example.com'],
  //#endregion ProtectedResourceOptions.allowedOrigins
  //#region ProtectedResourceOptions.allowedHosts
  allowedHosts: ['api.example.com'],
  //#endregion ProtectedResourceOptions.allowedHosts
  //#region ProtectedResourceOptions.anonymousMethods
  anonymousMethods: LIFECYCLE_METHODS,
  //#endregion ProtectedResourceOptions.anonymousMethods
  //#region ProtectedResourceOptions.metadata
  metadata: {
    resource_name: 'Notes',
    resource_documentation: 'https://example.com/docs',
  },
  //#endregion ProtectedResourceOptions.metadata
} satisfies McpAuthModuleOptions['resources'];

export const byKeys = {
  issuer: ISSUER,
  //#region AuthorizationServerBaseOptions.transpileData
  transpileData: (data: object) => ({ ...data, response_types_supported: ['code'] }),
  //#endregion AuthorizationServerBaseOptions.transpileData
  //#region AuthorizationServerBaseOptions.remoteJwkSet
  remoteJwkSet: { cooldownSeconds: 60, headers: { 'x-api-key': process.env['KEYS_API_KEY'] ?? '' } },
  //#endregion AuthorizationServerBaseOptions.remoteJwkSet
  //#region AuthorizationServerBaseOptions.algorithms
  algorithms: ['ES256'],
  //#endregion AuthorizationServerBaseOptions.algorithms
  //#region AuthorizationServerBaseOptions.requiredClaims
  requiredClaims: ['sub', 'tenant'],
  //#endregion AuthorizationServerBaseOptions.requiredClaims
  //#region AuthorizationServerBaseOptions.claimNames
  claimNames: { clientId: 'app', scopes: 'permissions' },
  //#endregion AuthorizationServerBaseOptions.claimNames
};

/** Stands for a store that all replicas share. */
export const replayStore: ReplayStore = { reserve: () => Promise.resolve(true) };

export const oneTime = {
  issuer: ISSUER,
  //#region AuthorizationServerBaseOptions.oneTimeTokens
  oneTimeTokens: { replayStore },
  //#endregion AuthorizationServerBaseOptions.oneTimeTokens
};

export const byExchange = {
  issuer: ISSUER,
  //#region AuthorizationServerBaseOptions.tokenExchange
  tokenExchange: {
    clientId: 'notes-api',
    clientSecret: () => process.env['CLIENT_SECRET'] ?? '',
  },
  //#endregion AuthorizationServerBaseOptions.tokenExchange
};

export const byIntrospection = {
  issuer: ISSUER,
  //#region AuthorizationServerBaseOptions.introspection
  introspection: {
    clientId: 'notes-api',
    clientSecret: () => process.env['INTROSPECTION_SECRET'] ?? '',
    cache: { maxAgeSeconds: 10 },
  },
  //#endregion AuthorizationServerBaseOptions.introspection
};
