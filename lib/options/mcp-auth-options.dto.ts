import { Type } from 'class-transformer';
import { IsOptional, ValidateNested } from 'class-validator';
import { SIGNATURE_ALGORITHMS } from './algorithms.js';
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
import { documentProblem } from './resource-document-rules.js';
import { identifierProblem, urlProblem } from './url-rules.js';

const isJwks: Problem = (value) =>
  typeof value === 'function' ||
  (isPlainObject(value) === undefined && Array.isArray((value as { keys?: unknown }).keys))
    ? undefined
    : 'must be a JWK Set, an object with a list "keys", or a function that gives one';

const isAudience: Problem = (value) =>
  typeof value === 'string' ? isText(value) : isListOf(isText, { nonEmpty: true })(value);

const isResourceDocument: Problem = (value) =>
  isPlainObject(value) ?? documentProblem(value as Record<string, unknown>);

/** The shape of an authorization server's options; see AuthorizationServerOptions for their meaning. @internal */
export class AuthorizationServerDto {
  @CheckOptional(isString(identifierProblem)) issuer?: string;
  @CheckOptional(isOneOf('auto', 'oauth', 'oidc')) type?: 'auto' | 'oauth' | 'oidc';
  @CheckOptional(isString(urlProblem)) metadataUrl?: string;
  @CheckOptional(isBoolean) trustDocumentIssuer?: boolean;
  @CheckOptional(isPlainObject) metadata?: Record<string, unknown>;
  @CheckOptional(isFunction) transpileData?: unknown;
  @CheckOptional(isJwks) jwks?: unknown;
  @CheckOptional(isListOf(isOneOf(...SIGNATURE_ALGORITHMS), { nonEmpty: true })) algorithms?: string[];
  @CheckOptional(isOneOf('warn', 'error', 'off')) mcpCompliance?: 'warn' | 'error' | 'off';
}

/** The shape of a resource's options; see ProtectedResourceOptions for their meaning. @internal */
export class ProtectedResourceDto {
  @Check(isString(identifierProblem)) resource!: string;
  @CheckOptional(isText) name?: string;

  @Check(isListOf(isPlainObject, { nonEmpty: true }))
  @ValidateNested({ each: true, message: 'must be issuers or objects' })
  @Type(() => AuthorizationServerDto)
  authorizationServers!: AuthorizationServerDto[];

  @CheckOptional(isListOf(isScopeToken, { nonEmpty: false })) requiredScopes?: string[];
  @CheckOptional(isListOf(isScopeToken, { nonEmpty: false })) scopesSupported?: string[];
  @CheckOptional(isAudience) audience?: string | string[];
  @CheckOptional(isResourceDocument) metadata?: Record<string, unknown>;
}

/** The shape of the module's options; see McpAuthModuleOptions for their meaning. @internal */
export class McpAuthModuleOptionsDto {
  @Check(isListOf(isPlainObject, { nonEmpty: true }))
  @ValidateNested({ each: true, message: 'must be an object or a list of objects' })
  @Type(() => ProtectedResourceDto)
  resources!: ProtectedResourceDto[];

  @CheckOptional(isWholeNumber(0, 300, 'seconds')) clockToleranceSeconds?: number;
  @CheckOptional(isWholeNumber(100, 120_000, 'milliseconds')) discoveryTimeoutMs?: number;
  @CheckOptional(isWholeNumber(0, 86_400, 'seconds')) metadataMaxAgeSeconds?: number;
  @CheckOptional(isBoolean) serveRootAlias?: boolean;
  @CheckOptional(isFunction) fetch?: typeof fetch;
  @CheckOptional(isFunction) now?: () => Date;
  /** Read by the module itself; it may stand among the options. */
  @IsOptional() isGlobal?: boolean;
}
