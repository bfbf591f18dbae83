import { McpAuthConfigError } from '../errors/config.error.js';
import { ERROR_PAGE } from '../mcp-auth.constants.js';
import type {
  AnyAuthorizationServerOptions,
  ClaimNames,
  RemoteJwkSetOptions,
} from './authorization-server-options.js';
import { authorizationServerProblems } from './authorization-server-checks.js';
import type { ResolvedClaimNames } from './claim-names.js';
import { crossProblems } from './cross-checks.js';
import { resolveAllowedClients } from './allowed-clients-options.js';
import type { ApiKeyOptions } from './api-key-options.js';
import type { DpopOptions } from './dpop-options.js';
import type { IntrospectionAuthMethod, IntrospectionOptions } from './introspection-options.js';
import type { McpAuthModuleOptions, SessionBindingOptions, StdioCaller } from './mcp-auth-options.js';
import {
  type CheckedOptions,
  type CheckedResource,
  checkServerShape,
  checkShape,
} from './option-problems.js';
import type { ProtectedResourceOptions } from './protected-resource-options.js';
import { resolveAllowedHosts, resolveAllowedOrigins } from './resolve-origins.js';
import type {
  ResolvedApiKeyOptions,
  ResolvedDpopOptions,
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from './resolved-options.interface.js';
import type {
  ResolvedAuthorizationServerOptions,
  ResolvedIntrospectionOptions,
  ResolvedTokenExchangeOptions,
} from './trusted-authorization-server.interface.js';
import { fixedSecret } from './secrets.js';
import { closure } from './scope-hierarchy.js';
import type { TokenExchangeOptions } from './token-exchange-options.js';

/**
 * Checks the options of an application, fills in the defaults and freezes the result. The input is copied: later changes to it
 * have no effect.
 *
 * @throws {@link McpAuthConfigError} listing every problem with the option's path, what it got and the fix
 * @internal
 */
export function resolveOptions(given: unknown): ResolvedMcpAuthOptions {
  if (typeof given !== 'object' || given === null) {
    const found = given === null ? 'null' : typeof given;
    throw new McpAuthConfigError([{ path: 'options', message: `must be an object; got ${found}` }]);
  }
  const { options, problems } = checkShape(given as Record<string, unknown>);
  if (problems.length > 0) throw new McpAuthConfigError(problems);
  const crossed = crossProblems(options);
  if (crossed.length > 0) throw new McpAuthConfigError(crossed);
  return deepFreeze(resolveModule(options));
}

/**
 * Checks the options of one authorization server that became known at run time, as {@link resolveOptions} checks those known at
 * bootstrap. Its issuer must be known: by `issuer`, or by `metadata`.
 *
 * @param given - options, or an issuer
 * @param path - where they come from, for messages
 * @param needsKeys - whether the package verifies its tokens: the resource has no `verifier`
 * @throws {@link McpAuthConfigError} listing every problem
 * @internal
 */
export function resolveAuthorizationServer(
  given: unknown,
  path: string,
  needsKeys: boolean,
): ResolvedAuthorizationServerOptions {
  const { options, problems } = checkServerShape(given, path);
  if (problems.length > 0) throw new McpAuthConfigError(problems);
  const crossed = authorizationServerProblems(options, path, true);
  if (crossed.length > 0) throw new McpAuthConfigError(crossed);
  return deepFreeze(resolveServer(options, needsKeys));
}

function resolveModule({ verifier, ...options }: CheckedOptions): ResolvedMcpAuthOptions {
  return {
    ...(options as Required<McpAuthModuleOptions>),
    resources: options.resources.map((resource) => resolveResource(resource, verifier)),
    tokenCache: (options.tokenCache || undefined) as ResolvedMcpAuthOptions['tokenCache'],
    sessionBinding: options.sessionBinding ? resolveSessionBinding(options.sessionBinding) : undefined,
    requestUser: options.requestUser as ResolvedMcpAuthOptions['requestUser'],
    redact: options.redact,
    errorPage: options.errorUri === undefined && isDevelopment() ? ERROR_PAGE : undefined,
    scopeHierarchy: options.scopeHierarchy && closure(options.scopeHierarchy),
    stdio: typeof options.stdio === 'object' ? resolveCaller(options.stdio) : (options.stdio ?? 'deny'),
    fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)),
    now: options.now ?? (() => new Date()),
  };
}

/** Makes the secrets non-enumerable, so that inspecting the options does not show them. */
function resolveSessionBinding({
  secrets,
  ...others
}: SessionBindingOptions): ResolvedMcpAuthOptions['sessionBinding'] {
  const value = secrets && Object.freeze([...secrets]);
  return Object.defineProperty(others, 'secrets', { value }) as ResolvedMcpAuthOptions['sessionBinding'];
}

/** Whether the process says that it runs in development. Without a word, it counts as production: answers say less then. */
function isDevelopment(): boolean {
  return process.env['NODE_ENV'] === 'development';
}

function resolveCaller({ subject, clientId = '', scopes }: StdioCaller): ResolvedMcpAuthOptions['stdio'] {
  return { subject, clientId, scopes: unique(scopes) };
}

function resolveResource(
  { audience, ...options }: CheckedResource,
  shared: McpAuthModuleOptions['verifier'],
): ResolvedProtectedResourceOptions {
  const { resource, allowedOrigins, allowedHosts } = options;
  // Verifiers and resolvers that are objects have become functions.
  const verifier = (options.verifier ?? shared) as ResolvedProtectedResourceOptions['verifier'];
  return {
    ...(options as Required<Omit<ProtectedResourceOptions, 'audience'>>),
    authorizationServers: options.authorizationServers.map((server) =>
      resolveServer(server, verifier === undefined),
    ),
    // A resolver that is an object has become a function.
    authorizationServerResolver:
      options.authorizationServerResolver as ResolvedProtectedResourceOptions['authorizationServerResolver'],
    requiredScopes: unique(options.requiredScopes),
    challengeScopes: Array.isArray(options.challengeScopes)
      ? unique(options.challengeScopes)
      : (options.challengeScopes as 'required' | 'all'),
    scopesSupported: options.scopesSupported && unique(options.scopesSupported),
    audiences: [audience ?? resource].flat(),
    allowedOrigins: resolveAllowedOrigins(resource, allowedOrigins),
    allowedHosts: resolveAllowedHosts(resource, allowedHosts),
    verifier,
    tenants: options.tenants as ResolvedProtectedResourceOptions['tenants'],
    privateIssuers: unique(options.privateIssuers),
    anonymousMethods: unique(options.anonymousMethods),
    allowedClients: options.allowedClients && resolveAllowedClients(options.allowedClients),
    apiKeys: options.apiKeys && resolveApiKeys(options.apiKeys),
    // Its short forms have become objects.
    dpop: options.dpop && resolveDpop(options.dpop as DpopOptions),
    policy: options.policy && [...new Set([options.policy].flat())],
    mutualTls: options.mutualTls as ResolvedProtectedResourceOptions['mutualTls'],
  };
}

function resolveApiKeys({ header = '', verifier, issuer }: ApiKeyOptions): ResolvedApiKeyOptions {
  // A verifier that is an object has become a function.
  return { header: header.toLowerCase(), verifier: verifier as ResolvedApiKeyOptions['verifier'], issuer };
}

function resolveServer(
  options: AnyAuthorizationServerOptions,
  needsKeys: boolean,
): ResolvedAuthorizationServerOptions {
  return {
    ...(options as Required<AnyAuthorizationServerOptions>),
    mode: options.mode ?? (options.introspection ? 'auto' : 'jwt'),
    remoteJwkSet: options.remoteJwkSet as Required<RemoteJwkSetOptions>,
    introspection: options.introspection && resolveIntrospection(options.introspection),
    tokenExchange: options.tokenExchange && resolveTokenExchange(options.tokenExchange),
    requiredClaims: unique(options.requiredClaims),
    oneTimeTokens: resolveOneTimeTokens(options.oneTimeTokens),
    claimNames: resolveClaimNames(options.claimNames as Required<ClaimNames>),
    needsKeys,
  };
}

function resolveOneTimeTokens(
  given: AnyAuthorizationServerOptions['oneTimeTokens'],
): ResolvedAuthorizationServerOptions['oneTimeTokens'] {
  if (given === undefined || given === false) return undefined;
  return { replayStore: given === true ? undefined : given.replayStore };
}

function resolveClaimNames({ clientId, scopes }: Required<ClaimNames>): ResolvedClaimNames {
  return { clientId: [clientId].flat(), scopes: typeof scopes === 'function' ? scopes : [scopes].flat() };
}

/** Makes the secrets non-enumerable, so that inspecting the options does not show them. */
function resolveDpop({ nonce, ...options }: DpopOptions): ResolvedDpopOptions {
  const resolved = { ...options, algorithms: unique(options.algorithms), nonce: undefined };
  return Object.defineProperty(resolved, 'nonce', { value: nonce, enumerable: false }) as ResolvedDpopOptions;
}

/** Makes the secret and the key non-enumerable, so that inspecting the options does not show them. */
function resolveIntrospection(options: IntrospectionOptions): ResolvedIntrospectionOptions {
  const { clientSecret, privateKey, bearerToken, ...others } = options;
  const resolved = {
    ...others,
    authMethod: options.authMethod ?? defaultMethod(options),
    opaqueTokenPattern: options.opaqueTokenPattern && new RegExp(options.opaqueTokenPattern),
  };
  return Object.defineProperties(resolved, {
    clientSecret: { value: typeof clientSecret === 'string' ? fixedSecret(clientSecret) : clientSecret },
    bearerToken: { value: typeof bearerToken === 'string' ? fixedSecret(bearerToken) : bearerToken },
    privateKey: { value: privateKey },
  }) as ResolvedIntrospectionOptions;
}

/** Makes the secret and the key non-enumerable, as those of introspection. */
function resolveTokenExchange(options: TokenExchangeOptions): ResolvedTokenExchangeOptions {
  const { clientSecret, privateKey, ...others } = options;
  const usual = privateKey === undefined ? 'client_secret_basic' : 'private_key_jwt';
  return Object.defineProperties(
    { ...others, authMethod: options.authMethod ?? usual },
    {
      clientSecret: { value: typeof clientSecret === 'string' ? () => clientSecret : clientSecret },
      privateKey: { value: privateKey },
    },
  ) as ResolvedTokenExchangeOptions;
}

function defaultMethod({
  clientSecret,
  privateKey,
  bearerToken,
}: IntrospectionOptions): IntrospectionAuthMethod {
  if (privateKey !== undefined) return 'private_key_jwt';
  if (bearerToken !== undefined) return 'bearer';
  return clientSecret === undefined ? 'none' : 'client_secret_basic';
}

function unique(values: readonly string[] | undefined): readonly string[] {
  return [...new Set(values)];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
