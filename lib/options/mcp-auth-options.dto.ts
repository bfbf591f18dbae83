import { Type } from 'class-transformer';
import { IsOptional, ValidateIf, ValidateNested } from 'class-validator';
import { OWN_ISSUERS } from '../mcp-auth.constants.js';
import { AuthorizationServerDto } from './authorization-server-options.dto.js';
import { challengeTextProblem, errorUriProblem } from './challenge-text.js';
import { Check, CheckOptional } from './check.decorator.js';
import {
  isBoolean,
  isFunction,
  isListOf,
  isNames,
  isOneOf,
  isPlainObject,
  isScopeToken,
  isString,
  isText,
  isWholeNumber,
  type Problem,
} from './value-rules.js';
import { isAllowedHosts, isAllowedOrigins } from './origin-rules.js';
import { documentProblem } from './resource-document-rules.js';
import { isScopeHierarchy } from './scope-hierarchy.js';
import { identifierProblem } from './url-rules.js';
import { isVerifier } from './verifier-option.js';

/** It stands in the challenge, within the address of its metadata. */
const resourceProblem = (value: string): string | undefined =>
  identifierProblem(value) ?? challengeTextProblem(value);

const isResourceDocument: Problem = (value) =>
  isPlainObject(value) ?? documentProblem(value as Record<string, unknown>);

const isBooleanOrIssuer: Problem = (value) =>
  typeof value === 'boolean' || (typeof value === 'string' && value !== '')
    ? undefined
    : 'must be true, false or the issuer of an authorization server';

const isPrivateIssuer = isString((value) =>
  value.startsWith(OWN_ISSUERS) ? `must not begin with "${OWN_ISSUERS}"` : undefined,
);

const isFalseOrObject: Problem = (value) =>
  isPlainObject(value) === undefined ? undefined : 'must be false or an object';

const STDIO_FORMS = 'must be deny, allow or an object';

const isStdio: Problem = (value) => (isPlainObject(value) === undefined ? undefined : STDIO_FORMS);

/** The shape of a resource's options; see ProtectedResourceOptions for their meaning. @internal */
export class ProtectedResourceDto {
  @Check(isString(resourceProblem)) resource!: string;
  @CheckOptional(isText) name?: string;

  @Check(isListOf(isPlainObject, { nonEmpty: true }))
  @ValidateNested({ each: true, message: 'must be a list of issuers or objects' })
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
  @CheckOptional(isListOf(isPrivateIssuer, { nonEmpty: false })) privateIssuers?: string[];
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
  @CheckOptional(isOneOf('allow', 'deny')) undecoratedTools?: 'allow' | 'deny';
  @CheckOptional(isWholeNumber(1, 10_000, 'operations')) maxOperations?: number;
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
