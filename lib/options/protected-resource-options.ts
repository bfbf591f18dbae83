import { OWN_ISSUERS } from '../mcp-auth.constants.js';
import {
  type AuthorizationServerOptions,
  AnyAuthorizationServerOptions,
} from './authorization-server-options.js';
import { challengeTextProblem } from './challenge-text.js';
import { Check, CheckObjects, CheckOptional } from './check.decorator.js';
import { isAllowedHosts, isAllowedOrigins } from './origin-rules.js';
import { documentProblem } from './resource-document-rules.js';
import { identifierProblem } from './url-rules.js';
import type { TokenVerifierOption } from './token.verifier.js';
import {
  isBoolean,
  isListOf,
  isNames,
  isOneOf,
  isPlainObject,
  isScopeToken,
  isString,
  isText,
  type Problem,
} from './value-rules.js';
import { isVerifier } from './verifier-option.js';

/**
 * Members of the RFC 9728 document beyond those that other options give, printed as they are. Names keep
 * their wire form; members that the RFC does not name are kept too.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-2 | RFC 9728 section 2}
 * @publicApi
 */
export interface ProtectedResourceMetadataOptions {
  /** Where the resource's own public keys are. */
  readonly jwks_uri?: string;
  /** Only `['header']`: MCP takes tokens from the Authorization header and nowhere else. */
  readonly bearer_methods_supported?: readonly string[];
  /** Algorithms of the resource's signed responses; `none` is rejected. */
  readonly resource_signing_alg_values_supported?: readonly string[];
  /** A name for people. Translations have a language tag behind `#`, such as `resource_name#de`. */
  readonly resource_name?: string;
  /** A page for developers. */
  readonly resource_documentation?: string;
  /** A page that says how clients may use what they get. */
  readonly resource_policy_uri?: string;
  /** A page with the terms of service. */
  readonly resource_tos_uri?: string;
  /** Printed for clients; such tokens have a `cnf`, and are rejected. */
  readonly tls_client_certificate_bound_access_tokens?: boolean;
  /** Printed for clients; authorization details of tokens are in `claims`, and nothing here decides on them. */
  readonly authorization_details_types_supported?: readonly string[];
  /** Printed for clients; DPoP proofs are not verified. */
  readonly dpop_signing_alg_values_supported?: readonly string[];
  /** Printed for clients; tokens that are bound by DPoP have a `cnf`, and are rejected. */
  readonly dpop_bound_access_tokens_required?: boolean;
  /** A JWS in compact form, made by you; printed unchanged and not verified. */
  readonly signed_metadata?: string;
  readonly [extension: string]: unknown;
}

/** It stands in the challenge, within the address of its metadata. */
const resourceProblem = (value: string): string | undefined =>
  identifierProblem(value) ?? challengeTextProblem(value);

const isResourceDocument: Problem = (value) =>
  isPlainObject(value) ?? documentProblem(value as Record<string, unknown>);

const isPrivateIssuer = isString((value) =>
  value.startsWith(OWN_ISSUERS) ? `must not begin with "${OWN_ISSUERS}"` : undefined,
);

/** One protected resource: an MCP endpoint or an API, as clients know it. @publicApi */
export class ProtectedResourceOptions {
  /**
   * The resource identifier: the URL that people type into their client. It is printed to the letter in the
   * metadata, and gives the metadata's address, the challenge's `resource_metadata` and the audience
   * that tokens must have. https (http on loopback), no query, no fragment.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-1.2 | RFC 9728 section 1.2}
   */
  @Check(isString(resourceProblem)) readonly resource!: string;

  /** A short name for `@ProtectedResource()`. Never published. @defaultValue none */
  @CheckOptional(isText) readonly name?: string;

  /** The authorization servers whose tokens are accepted; at least one. A string is an issuer of type `auto`. */
  @CheckObjects(() => AnyAuthorizationServerOptions, 'must be a list of issuers or objects')
  readonly authorizationServers!: readonly (string | AuthorizationServerOptions)[];

  /** Scopes that every request needs, whatever it asks for. @defaultValue none */
  @CheckOptional(isListOf(isScopeToken, { nonEmpty: false }))
  readonly requiredScopes?: readonly string[] = [];

  /**
   * What the metadata lists as `scopes_supported`. `offline_access` is left out.
   *
   * @defaultValue `requiredScopes` and all scopes that `@RequireScopes()` names on this resource's handlers
   */
  @CheckOptional(isListOf(isScopeToken, { nonEmpty: false })) readonly scopesSupported?: readonly string[];

  /**
   * Audiences that are accepted in place of the resource, for authorization servers that cannot put the
   * resource into a token. Never empty.
   *
   * @defaultValue the resource
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 | RFC 9068 section 4}
   */
  @CheckOptional(isNames) readonly audience?: string | readonly string[];

  /**
   * How a token's `aud` is compared. `hierarchical` takes a URL above an accepted one as well, by whole path segments of
   * the same origin: `https://api.example.com` for `https://api.example.com/notes`. Such a token opens everything
   * below it, on all resources that are set so. Audiences that are no http(s) URLs are compared exactly in any case.
   *
   * @defaultValue 'exact'
   * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 | RFC 8707 section 2}
   */
  @CheckOptional(isOneOf('exact', 'hierarchical'))
  readonly audienceMatch?: 'exact' | 'hierarchical' = 'exact';

  /**
   * Whether a token whose `aud` has several members is rejected, as its scopes may be meant for another of them.
   *
   * @defaultValue false
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-3 | RFC 9068 section 3}
   */
  @CheckOptional(isBoolean) readonly rejectMultipleAudiences?: boolean = false;

  /**
   * Origins whose web pages may send requests here, beside the default ones; anything else is answered 403, whatever
   * token it has. Each is written as browsers send it, `https://app.example.com` or `http://localhost:5173`;
   * `http://localhost:*` is every port. A request without `Origin` is not from a browser and passes.
   *
   * `['*']` allows any origin of that form: every page in every browser may then ask, and the token alone decides.
   * Leave it to resources whose tokens no page gets without its user. `null` cannot be allowed.
   *
   * @defaultValue the resource's own origin; where that is loopback also `localhost`, `127.0.0.1` and `[::1]` on
   * every port, with http and https
   * @see {@link https://www.rfc-editor.org/rfc/rfc6454#section-7 | RFC 6454 section 7}
   */
  @CheckOptional(isAllowedOrigins) readonly allowedOrigins?: readonly string[] = [];

  /**
   * Names in `Host` (`:authority` in HTTP/2) that requests may be addressed to, beside the resource's own host; others
   * are answered 403. `api.example.com` is that host on every port, `api.example.com:8443` on one. An empty list
   * leaves the resource's own host. Forwarding headers never count: name what your proxy sends as Host.
   *
   * @defaultValue any host; where the resource is loopback its own host, `localhost`, `127.0.0.1` and `[::1]`, so
   * that a page whose name is made to point to this machine (DNS rebinding) is rejected
   * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.2 | RFC 9110 section 7.2}
   */
  @CheckOptional(isAllowedHosts) readonly allowedHosts?: readonly string[];

  /**
   * Verifies this resource's tokens in place of the keys and introspection endpoints of its authorization servers.
   * What it returns is decided on as ever: issuer, audience, time, scopes.
   *
   * Claims without `iss` are of no authorization server: the caller's issuer is then `urn:nestjs-mcp-auth:verifier:` and
   * the resource identifier.
   *
   * @defaultValue the module's `verifier`
   */
  @CheckOptional(isVerifier) readonly verifier?: TokenVerifierOption;

  /**
   * Issuers that the resource's `verifier` may name as `iss` beside those of `authorizationServers`: of API keys, or of
   * tenants. Compared exactly. Clients never see them: they are not in the metadata. The package fetches nothing from
   * them and verifies no tokens of theirs itself. None may be the issuer of an authorization server.
   *
   * @defaultValue none
   */
  @CheckOptional(isListOf(isPrivateIssuer, { nonEmpty: false }))
  readonly privateIssuers?: readonly string[] = [];

  /**
   * Whether requests without an `Authorization` header are let in, to what needs no scopes of its own; `@AuthInfo()` is
   * then undefined. A token that is sent is verified all the same, and a bad one is rejected with 401.
   *
   * `requiredScopes` hold for callers with a token only: one that lacks them is rejected, where nobody would be let in. What
   * must not be open to anybody needs `@RequireScopes()`, or a resource of its own.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly allowAnonymous?: boolean = false;

  /** Further members of the RFC 9728 document. @defaultValue none */
  @CheckOptional(isResourceDocument) readonly metadata?: ProtectedResourceMetadataOptions = {};
}
