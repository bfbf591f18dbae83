import { Type } from 'class-transformer';
import { IsOptional, ValidateIf, ValidateNested } from 'class-validator';
import { SIGNATURE_ALGORITHMS } from './algorithms.js';
import { challengeTextProblem, errorUriProblem } from './challenge-text.js';
import {
  Check,
  CheckOptional,
  isBoolean,
  isFunction,
  isListOf,
  isOneOf,
  isPlainObject,
  isScopeToken,
  isString,
  isText,
  isWholeNumber,
  type Problem,
} from './check.decorator.js';
import { isAllowedHosts, isAllowedOrigins } from './origin-rules.js';
import { type IntrospectionAuthMethod } from './introspection-options.interface.js';
import { documentProblem } from './resource-document-rules.js';
import { isScopeHierarchy } from './scope-hierarchy.js';
import { identifierProblem, urlProblem } from './url-rules.js';
import { isVerifier } from './verifier-option.js';

const isJwks: Problem = (value) =>
  typeof value === 'function' ||
  (isPlainObject(value) === undefined && Array.isArray((value as { keys?: unknown }).keys))
    ? undefined
    : 'must be a JWK Set, an object with a list "keys", or a function that gives one';

/** It stands in the challenge, within the address of its metadata. */
const resourceProblem = (value: string): string | undefined =>
  identifierProblem(value) ?? challengeTextProblem(value);

const isNames: Problem = (value) =>
  typeof value === 'string' ? isText(value) : isListOf(isText, { nonEmpty: true })(value);

const isNamesOrFunction: Problem = (value) => (typeof value === 'function' ? undefined : isNames(value));

const isResourceDocument: Problem = (value) =>
  isPlainObject(value) ?? documentProblem(value as Record<string, unknown>);

const isSecret: Problem = (value) =>
  typeof value === 'function' || (typeof value === 'string' && value !== '')
    ? undefined
    : 'must be a non-empty string or a function that gives one';

/** As it stands in a header; RFC 6750 section 2.1. */
const isBearerToken: Problem = (value) =>
  typeof value === 'function' || (typeof value === 'string' && /^[\w.~+/-]+=*$/.test(value))
    ? undefined
    : 'must be a bearer token or a function that gives one';

const isHeaders: Problem = (value) =>
  isPlainObject(value) ??
  (Object.values(value as object).every((header) => typeof header === 'string')
    ? undefined
    : 'must have strings for values');

const isBooleanOrIssuer: Problem = (value) =>
  typeof value === 'boolean' || (typeof value === 'string' && value !== '')
    ? undefined
    : 'must be true, false or the issuer of an authorization server';

const isFalseOrObject: Problem = (value) =>
  isPlainObject(value) === undefined ? undefined : 'must be false or an object';

const STDIO_FORMS = 'must be deny, allow or an object';

const isStdio: Problem = (value) => (isPlainObject(value) === undefined ? undefined : STDIO_FORMS);

/** The shape of RemoteJwkSetOptions. @internal */
export class RemoteJwkSetDto {
  @CheckOptional(isWholeNumber(100, 30_000, 'milliseconds')) timeoutMs?: number;
  @CheckOptional(isWholeNumber(1, 3600, 'seconds')) cooldownSeconds?: number;
  @CheckOptional(isWholeNumber(1, 86_400, 'seconds')) cacheMaxAgeSeconds?: number;
  @CheckOptional(isWholeNumber(1, 86_400, 'seconds')) staleMaxAgeSeconds?: number;
  @CheckOptional(isHeaders) headers?: Record<string, string>;
}

/** The shape of IntrospectionCacheOptions. @internal */
export class IntrospectionCacheDto {
  @CheckOptional(isWholeNumber(1, 60, 'seconds')) maxAgeSeconds?: number;
  @CheckOptional(isWholeNumber(0, 10, 'seconds')) negativeMaxAgeSeconds?: number;
  @CheckOptional(isWholeNumber(1, 1_000_000, 'entries')) maxEntries?: number;
}

/** The shape of IntrospectionOptions. @internal */
export class IntrospectionDto {
  @Check(isText) clientId!: string;
  @CheckOptional(isSecret) clientSecret?: string | (() => string | Promise<string>);
  @CheckOptional(isPlainObject) privateKey?: object;
  @CheckOptional(isBearerToken) bearerToken?: string | (() => string | Promise<string>);
  @CheckOptional(isOneOf('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'bearer', 'none'))
  authMethod?: IntrospectionAuthMethod;
  @CheckOptional(isString(urlProblem)) endpoint?: string;
  @CheckOptional(isBoolean) requireSignedResponse?: boolean;
  @CheckOptional(isBoolean) requireExpiry?: boolean;
  @CheckOptional(isBoolean) trustAnswerWithoutAudience?: boolean;
  @CheckOptional(isWholeNumber(100, 30_000, 'milliseconds')) timeoutMs?: number;
  @CheckOptional(isWholeNumber(1, 10_000, 'requests')) maxConcurrentRequests?: number;

  @CheckOptional(isPlainObject)
  @ValidateNested({ message: 'must be an object' })
  @Type(() => IntrospectionCacheDto)
  cache?: IntrospectionCacheDto;
}

/** The shape of ClaimNames. @internal */
export class ClaimNamesDto {
  @CheckOptional(isNames) clientId?: string | string[];
  @CheckOptional(isNamesOrFunction) scopes?: string | string[] | (() => string[]);
}

/** The shape of an authorization server's options; see AuthorizationServerOptions for their meaning. @internal */
export class AuthorizationServerDto {
  @CheckOptional(isString(identifierProblem)) issuer?: string;
  @CheckOptional(isOneOf('auto', 'oauth', 'oidc')) type?: 'auto' | 'oauth' | 'oidc';
  @CheckOptional(isString(urlProblem)) metadataUrl?: string;
  @CheckOptional(isBoolean) trustDocumentIssuer?: boolean;
  @CheckOptional(isPlainObject) metadata?: Record<string, unknown>;
  @CheckOptional(isFunction) transpileData?: unknown;
  @CheckOptional(isJwks) jwks?: unknown;
  @CheckOptional(isOneOf('jwt', 'introspection', 'auto')) mode?: 'jwt' | 'introspection' | 'auto';

  @CheckOptional(isPlainObject)
  @ValidateNested({ message: 'must be an object' })
  @Type(() => RemoteJwkSetDto)
  remoteJwkSet?: RemoteJwkSetDto;

  @CheckOptional(isPlainObject)
  @ValidateNested({ message: 'must be an object' })
  @Type(() => IntrospectionDto)
  introspection?: IntrospectionDto;

  @CheckOptional(isListOf(isOneOf(...SIGNATURE_ALGORITHMS), { nonEmpty: true })) algorithms?: string[];
  @CheckOptional(isOneOf('lenient', 'rfc9068')) profile?: 'lenient' | 'rfc9068';
  @CheckOptional(isWholeNumber(1, 2_592_000, 'seconds')) maxTokenAgeSeconds?: number;
  @CheckOptional(isListOf(isText, { nonEmpty: false })) requiredClaims?: string[];

  @CheckOptional(isPlainObject)
  @ValidateNested({ message: 'must be an object' })
  @Type(() => ClaimNamesDto)
  claimNames?: ClaimNamesDto;

  @CheckOptional(isOneOf('warn', 'error', 'off')) mcpCompliance?: 'warn' | 'error' | 'off';
}

/** The shape of a resource's options; see ProtectedResourceOptions for their meaning. @internal */
export class ProtectedResourceDto {
  @Check(isString(resourceProblem)) resource!: string;
  @CheckOptional(isText) name?: string;

  @Check(isListOf(isPlainObject, { nonEmpty: true }))
  @ValidateNested({ each: true, message: 'must be issuers or objects' })
  @Type(() => AuthorizationServerDto)
  authorizationServers!: AuthorizationServerDto[];

  @CheckOptional(isListOf(isScopeToken, { nonEmpty: false })) requiredScopes?: string[];
  @CheckOptional(isListOf(isScopeToken, { nonEmpty: false })) scopesSupported?: string[];
  @CheckOptional(isNames) audience?: string | string[];
  @CheckOptional(isOneOf('exact', 'hierarchical')) audienceMatch?: 'exact' | 'hierarchical';
  @CheckOptional(isBoolean) refuseMultipleAudiences?: boolean;
  @CheckOptional(isAllowedOrigins) allowedOrigins?: string[];
  @CheckOptional(isAllowedHosts) allowedHosts?: string[];
  @CheckOptional(isVerifier) verifier?: unknown;
  @CheckOptional(isBoolean) allowAnonymous?: boolean;
  @CheckOptional(isResourceDocument) metadata?: Record<string, unknown>;
}

/** The shape of TokenCacheOptions. @internal */
export class TokenCacheDto {
  @CheckOptional(isWholeNumber(1, 1_000_000, 'entries')) maxEntries?: number;
  @CheckOptional(isWholeNumber(1, 300, 'seconds')) maxAgeSeconds?: number;
}

/** The shape of SessionBindingOptions. @internal */
export class SessionBindingDto {
  @CheckOptional(isWholeNumber(1, 1_000_000, 'sessions')) maxSessions?: number;
  @CheckOptional(isWholeNumber(1, 2_592_000, 'seconds')) maxIdleSeconds?: number;
}

/** The shape of StdioCaller. @internal */
export class StdioCallerDto {
  @CheckOptional(isText) subject?: string;
  @CheckOptional(isText) clientId?: string;
  @Check(isListOf(isScopeToken, { nonEmpty: false })) scopes!: string[];
}

/** The shape of the module's options; see McpAuthModuleOptions for their meaning. @internal */
export class McpAuthModuleOptionsDto {
  @Check(isListOf(isPlainObject, { nonEmpty: true }))
  @ValidateNested({ each: true, message: 'must be an object or a list of objects' })
  @Type(() => ProtectedResourceDto)
  resources!: ProtectedResourceDto[];

  @CheckOptional(isWholeNumber(0, 300, 'seconds')) clockToleranceSeconds?: number;
  @CheckOptional(isWholeNumber(100, 120_000, 'milliseconds')) discoveryTimeoutMs?: number;
  @CheckOptional(isOneOf('bootstrap', 'lazy')) discovery?: 'bootstrap' | 'lazy';
  @CheckOptional(isOneOf('fail', 'retry')) onDiscoveryFailure?: 'fail' | 'retry';
  @CheckOptional(isWholeNumber(60, 86_400, 'seconds')) metadataRefreshSeconds?: number;
  @CheckOptional(isWholeNumber(1024, 65_536, 'characters')) maxTokenLength?: number;
  @CheckOptional(isWholeNumber(0, 86_400, 'seconds')) metadataMaxAgeSeconds?: number;
  @CheckOptional(isBoolean) serveRootAlias?: boolean;
  @CheckOptional(isBooleanOrIssuer) legacyAuthorizationServerMetadata?: boolean | string;
  @CheckOptional(isVerifier) verifier?: unknown;
  @CheckOptional(isWholeNumber(100, 60_000, 'milliseconds')) verifierTimeoutMs?: number;

  @ValidateIf((_: object, value: unknown) => value !== false)
  @CheckOptional(isFalseOrObject)
  @ValidateNested({ message: 'must be false or an object' })
  @Type(() => TokenCacheDto)
  tokenCache?: false | TokenCacheDto;

  @ValidateIf((_: object, value: unknown) => value !== false)
  @CheckOptional(isFalseOrObject)
  @ValidateNested({ message: 'must be false or an object' })
  @Type(() => SessionBindingDto)
  sessionBinding?: false | SessionBindingDto;

  @CheckOptional(isBoolean) earlyAuthentication?: boolean;
  @CheckOptional(isBoolean) endStreamsAtExpiry?: boolean;
  @CheckOptional(isScopeHierarchy) scopeHierarchy?: Record<string, string[]>;
  @CheckOptional(isOneOf('show', 'hide', 'annotate')) listPolicy?: 'show' | 'hide' | 'annotate';

  @ValidateIf((_: object, value: unknown) => value !== 'deny' && value !== 'allow')
  @CheckOptional(isStdio)
  @ValidateNested({ message: STDIO_FORMS })
  @Type(() => StdioCallerDto)
  stdio?: 'deny' | 'allow' | StdioCallerDto;

  @CheckOptional(isOneOf('allow', 'deny')) undeclaredTools?: 'allow' | 'deny';
  @CheckOptional(isFunction) isRevoked?: unknown;
  @CheckOptional(isBoolean) showErrorDetails?: boolean;
  @CheckOptional(isOneOf('oauth', 'json-rpc')) errorBody?: 'oauth' | 'json-rpc';
  @CheckOptional(isString(errorUriProblem)) errorUri?: string;
  @CheckOptional(isFunction) onUnauthorized?: unknown;
  @CheckOptional(isFunction) fetch?: typeof fetch;
  @CheckOptional(isFunction) now?: () => Date;
  /** Read by the module itself; they may stand among the options. */
  @IsOptional() isGlobal?: boolean;
  @IsOptional() decorators?: unknown;
}
