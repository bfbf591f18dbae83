import { types } from 'node:util';
import { Transform, Type } from 'class-transformer';
import { ValidateNested } from 'class-validator';
import { SIGNATURE_ALGORITHMS } from './algorithms.js';
import { Check, CheckOptional } from './check.decorator.js';
import {
  isBoolean,
  isFunction,
  isListOf,
  isNames,
  isOneOf,
  isPlainObject,
  isString,
  isText,
  isWholeNumber,
  type Problem,
} from './value-rules.js';
import { type IntrospectionAuthMethod } from './introspection-options.interface.js';
import { identifierProblem, urlProblem } from './url-rules.js';

const isJwks: Problem = (value) =>
  typeof value === 'function' ||
  (isPlainObject(value) === undefined && Array.isArray((value as { keys?: unknown }).keys))
    ? undefined
    : 'must be a JWK Set, an object with a list "keys", or a function that gives one';

const isNamesOrFunction: Problem = (value) => (typeof value === 'function' ? undefined : isNames(value));

const isSecret: Problem = (value) =>
  typeof value === 'function' || (typeof value === 'string' && value !== '')
    ? undefined
    : 'must be a non-empty string or a function that gives one';

/** As it stands in a header; RFC 6750 section 2.1. */
const isBearerToken: Problem = (value) =>
  typeof value === 'function' || (typeof value === 'string' && /^[\w.~+/-]+=*$/.test(value))
    ? undefined
    : 'must be a bearer token or a function that gives one';

/** With these flags each test begins where the one before ended. */
const isStatelessRegExp: Problem = (value) =>
  types.isRegExp(value) && !value.global && !value.sticky
    ? undefined
    : 'must be a RegExp without the flags "g" and "y"';

const isHeaders: Problem = (value) =>
  isPlainObject(value) ??
  (Object.values(value as object).every((header) => typeof header === 'string')
    ? undefined
    : 'must have strings for values');

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
  @CheckOptional(isWholeNumber(0, 100_000, 'requests')) maxQueuedRequests?: number;

  /** As given: objects are copied, and the copy of a RegExp would be an empty one. */
  @Transform(({ obj }: { obj: IntrospectionDto }) => obj.opaqueTokenPattern)
  @CheckOptional(isStatelessRegExp)
  opaqueTokenPattern?: RegExp;

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
