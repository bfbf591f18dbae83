import { ValidateIf } from 'class-validator';
import { AllowedClientsOptions } from './allowed-clients-options.js';
import { isAnonymousMethods } from './anonymous-methods.js';
import { ApiKeyOptions } from './api-key-options.js';
import { isPolicies, type Policy } from './authorization-policy.js';
import {
  type AuthorizationServerOptions,
  AnyAuthorizationServerOptions,
} from './authorization-server-options.js';
import { type AuthorizationServerResolverOption, isResolver } from './authorization-server-resolver.js';
import { challengeTextProblem } from './challenge-text.js';
import { Check, CheckObjects, CheckOptional, CheckOptionalObject } from './check.decorator.js';
import { DpopOptions } from './dpop-options.js';
import { MutualTlsOptions } from './mutual-tls-options.js';
import { isAllowedHosts, isAllowedOrigins } from './origin-rules.js';
import { isPrivateIssuer } from './private-issuer.js';
import { isResourceDocument } from './resource-document-rules.js';
import { templateProblem, TENANT_VARIABLE, tenantResource } from './resource-template.js';
import { isTenantResolver, type TenantResolverOption } from './tenant-resolver.js';
import { identifierProblem } from './url-rules.js';
import type { TokenVerifierOption } from './token.verifier.js';
import {
  isBoolean,
  isListOf,
  isNames,
  isOneOf,
  isScopeToken,
  isString,
  isText,
  type Problem,
} from './value-rules.js';
import { isVerifier } from './verifier-option.js';

/**
 * Members of the RFC 9728 document that no other option sets, published as they are. Names keep their wire form; members that
 * the RFC does not name are kept too.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-2 | RFC 9728 section 2}
 * @publicApi
 */
export interface ProtectedResourceMetadataOptions {
  /** Where the resource's own public keys are. */
  readonly jwks_uri?: string;
  /** Only `['header']`: MCP accepts tokens only in the Authorization header. */
  readonly bearer_methods_supported?: readonly string[];
  /** Algorithms of the resource's signed responses; `none` is rejected. */
  readonly resource_signing_alg_values_supported?: readonly string[];
  /** A display name. Translations have a language tag after `#`, such as `resource_name#de`. */
  readonly resource_name?: string;
  /** A page for developers. */
  readonly resource_documentation?: string;
  /** A page that says how clients may use the data. */
  readonly resource_policy_uri?: string;
  /** A page with the terms of service. */
  readonly resource_tos_uri?: string;
  /** Published for clients; authorization details of tokens are in `claims`, and this package does not check them. */
  readonly authorization_details_types_supported?: readonly string[];
  /** A JWS in compact form that you sign; published unchanged and not verified. */
  readonly signed_metadata?: string;
  readonly [extension: string]: unknown;
}

/** The challenge contains it, within the URL of its metadata. */
const resourceProblem = (value: string): string | undefined =>
  identifierProblem(value) ?? challengeTextProblem(value);

const NO_TEMPLATE =
  'has "{tenant}", as only a template has it; set "tenants" beside it, or percent-encode the braces';

const isResource = isString(
  (value) => resourceProblem(value) ?? (value.includes(TENANT_VARIABLE) ? NO_TEMPLATE : undefined),
);

const isTemplate = isString(
  (value) => templateProblem(value) ?? resourceProblem(tenantResource(value, 'tenant')),
);

const isTemplated = (owner: object | undefined): boolean =>
  (owner as ProtectedResourceOptions | undefined)?.tenants !== undefined;

const isChallengeScopes: Problem = (value) => {
  if (value === 'required' || value === 'all') return undefined;
  return Array.isArray(value)
    ? isListOf(isScopeToken, { nonEmpty: false })(value)
    : 'must be required, all or a list of scopes';
};

/** One protected resource: an MCP endpoint or an API, as clients know it. @publicApi */
export class ProtectedResourceOptions {
  /**
   * The resource identifier: the URL that people type into their client. It is published exactly as written in the metadata.
   * The metadata's address, the challenge's `resource_metadata` and the audience that tokens must have are derived from it.
   * https (http on loopback), no query, no fragment.
   *
   * With `tenants` it is a template: `{tenant}` is one segment of the path, as in `https://api.example.com/t/{tenant}/mcp`. Each
   * tenant then has a resource of its own.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-1.2 | RFC 9728 section 1.2}
   */
  @Check((value, owner) => (isTemplated(owner) ? isTemplate : isResource)(value)) readonly resource!: string;

  /** A short name for `@ProtectedResource()`. Never published. @defaultValue none */
  @CheckOptional(isText) readonly name?: string;

  /**
   * The authorization servers whose tokens are accepted; at least one. A string is an issuer of type `auto`. Must be given, unless
   * `tenants` names the servers of each tenant.
   */
  @ValidateIf((owner: object) => !isTemplated(owner))
  @CheckObjects(() => AnyAuthorizationServerOptions, 'must be a list of issuers or objects')
  readonly authorizationServers?: readonly (string | AuthorizationServerOptions)[];

  /**
   * Finds the tenants of a resource whose identifier is a template: a {@link TenantResolver} among the providers of any module, an
   * object with its method, or a function. Metadata, challenge, audience, DPoP, sessions and cached tokens are those of the
   * tenant's own resource, so a token of one tenant is rejected at all others. A path of an unknown tenant is answered with 404
   * before any token is read.
   *
   * The tenant is read from the path as received. If a proxy or the application rewrites it, the resource is not found.
   *
   * A template cannot have `authorizationServerResolver`, `audience` (the resolver may return it), `audienceMatch: 'hierarchical'`,
   * `allowAnonymous`, `anonymousMethods` and `signed_metadata`, and the module cannot have `serveRootAlias`, `legacyAuthorizationServerMetadata` and
   * `stdio` beside one.
   *
   * @defaultValue none: `resource` is no template
   */
  @CheckOptional(isTenantResolver) readonly tenants?: TenantResolverOption;

  /**
   * Trusts further authorization servers, which are not known when the application starts. It is called with the issuer of a
   * token that none of `authorizationServers` issued, and returns the options of its server, or nothing. See
   * {@link AuthorizationServerResolver} for what it may return, and for how long that is remembered.
   *
   * The metadata of the resource lists only `authorizationServers`: clients never see the others. A resolved server is discovered
   * with its first token. A token that is not a JWT names no issuer, so only a server of the list can introspect it. If the
   * resource is no private address and not loopback, issuers at private addresses are rejected without a call.
   *
   * @defaultValue none: tokens of other issuers are rejected
   */
  @CheckOptional(isResolver) readonly authorizationServerResolver?: AuthorizationServerResolverOption;

  /** Scopes that every request needs, whatever its operation. @defaultValue none */
  @CheckOptional(isListOf(isScopeToken, { nonEmpty: false }))
  readonly requiredScopes?: readonly string[] = [];

  /**
   * The scopes that a 401 asks for. Many clients ask for scopes once, when they connect, and cannot get more later.
   *
   * - `required`: what the called operation needs, `requiredScopes` included. Scopes that functions return are not known
   *   without a caller. `requiredScopes` alone if the request has a bad token, calls several operations, or is rejected before
   *   its body is read: with `earlyAuthentication`, unless the resource has `allowAnonymous`.
   * - `all`: `requiredScopes` and all scopes that `@RequireScopes()` and `McpHandlerSource` name for this resource. Scopes that
   *   functions return, or that only a handler asks for, are not among them: write a list.
   * - a list: exactly these.
   *
   * Callers without a token thereby learn which scopes a tool needs, as they do from the metadata. Use a list if they must not.
   *
   * `offline_access` is left out. The 403 of a token that lacks scopes is not affected: it names what the operation needs.
   * Not checked: whether a token with these scopes has the `requiredScopes`.
   *
   * @defaultValue 'required'
   * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization | MCP authorization, scope selection}
   */
  @CheckOptional(isChallengeScopes)
  readonly challengeScopes?: 'required' | 'all' | readonly string[] = 'required';

  /**
   * The `scopes_supported` of the metadata. `offline_access` is left out.
   *
   * @defaultValue `requiredScopes` and all scopes that `@RequireScopes()` and `McpHandlerSource` name for this resource
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
   * How a token's `aud` is compared. `hierarchical` also accepts a URL above an accepted one, by whole path segments of the
   * same origin: `https://api.example.com` for `https://api.example.com/notes`. Such a token opens everything below it, on all
   * resources with this setting. Audiences that are not http(s) URLs are always compared exactly.
   *
   * @defaultValue 'exact'
   * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 | RFC 8707 section 2}
   */
  @CheckOptional(isOneOf('exact', 'hierarchical'))
  readonly audienceMatch?: 'exact' | 'hierarchical' = 'exact';

  /**
   * Whether a token whose `aud` has several members is rejected, because its scopes may be meant for another of them.
   *
   * @defaultValue false
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-3 | RFC 9068 section 3}
   */
  @CheckOptional(isBoolean) readonly rejectMultipleAudiences?: boolean = false;

  /**
   * Origins whose web pages may send requests here, in addition to the default ones. Requests from any other origin are
   * answered with 403, whatever their token. Write each as browsers send it: `https://app.example.com` or
   * `http://localhost:5173`; `http://localhost:*` is every port. A request without `Origin` passes this check: clients send
   * none, and browsers leave it out of some GET requests.
   *
   * `['*']` allows any origin of that form: every page in every browser may then send requests, and only the token is checked.
   * Use it only for resources whose tokens no page gets without its user. `null` cannot be allowed.
   *
   * @defaultValue the resource's own origin; if that is loopback also `localhost`, `127.0.0.1` and `[::1]` on every port, with
   * http and https
   * @see {@link https://www.rfc-editor.org/rfc/rfc6454#section-7 | RFC 6454 section 7}
   */
  @CheckOptional(isAllowedOrigins) readonly allowedOrigins?: readonly string[] = [];

  /**
   * Hosts (`Host`, or `:authority` in HTTP/2) that requests may name, in addition to the resource's own host. Others are
   * answered with 403. `api.example.com` is that host on every port, `api.example.com:8443` on one. An empty list allows only
   * the resource's own host. Forwarding headers are ignored: list what your proxy sends as Host.
   *
   * @defaultValue any host; if the resource is loopback its own host, `localhost`, `127.0.0.1` and `[::1]`, so that a page
   * whose name is made to point to this machine (DNS rebinding) is rejected
   * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.2 | RFC 9110 section 7.2}
   */
  @CheckOptional(isAllowedHosts) readonly allowedHosts?: readonly string[];

  /**
   * Whether tokens that are bound to a key by DPoP are accepted, with a proof that their sender has the key:
   *
   * - `off`: bound tokens are rejected, and proofs are ignored
   * - `allowed`: bound tokens need a proof, and bearer tokens are accepted too
   * - `required`: bearer tokens are rejected
   * - an object: one of the last two, with its details
   *
   * The `htu` of a proof must be the origin of `resource` and the path of the request: Host and forwarding headers do not count.
   * If a proxy changes the path, proofs do not match. Each proof is accepted once. Over stdio there are no proofs.
   *
   * @defaultValue 'off'
   * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 | RFC 9449 section 7}
   */
  @CheckOptionalObject(() => DpopOptions, 'must be off, allowed, required or an object')
  readonly dpop?: 'off' | 'allowed' | 'required' | DpopOptions;

  /**
   * Whether tokens that are bound to a TLS certificate are accepted from a client that uses the certificate. `true` for the
   * certificate of the TLS connection of this process. An object for a proxy that ends the connection, and to reject tokens
   * that are not bound.
   *
   * The package compares the certificate with the token and does not check its chain: a self-signed certificate is enough, as
   * RFC 8705 allows. Let the TLS server ask for certificates (`requestCert: true`).
   *
   * @defaultValue false: tokens that are bound to a certificate are rejected
   * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3 | RFC 8705 section 3}
   */
  @CheckOptionalObject(() => MutualTlsOptions, 'must be true, false or an object')
  readonly mutualTls?: boolean | MutualTlsOptions;

  /**
   * Verifies this resource's tokens in place of the keys and introspection endpoints of its authorization servers. Issuer,
   * audience, time and scopes of its result are still checked.
   *
   * Claims without `iss` belong to no authorization server: the caller's issuer is then `urn:nestjs-mcp-auth:verifier:` and
   * the resource identifier.
   *
   * @defaultValue the module's `verifier`
   */
  @CheckOptional(isVerifier) readonly verifier?: TokenVerifierOption;

  /**
   * Issuers that the resource's `verifier` may name as `iss`, besides those of `authorizationServers`. Examples are issuers of
   * API keys, or of tenants. Compared exactly. Clients never see them: they are not in the metadata. The package fetches
   * nothing from them and does not verify their tokens itself. None may be the issuer of an authorization server.
   *
   * @defaultValue none
   */
  @CheckOptional(isListOf(isPrivateIssuer, { nonEmpty: false }))
  readonly privateIssuers?: readonly string[] = [];

  /**
   * Accepts API keys beside tokens, in a header of their own. Scopes and everything else that is checked after a token hold for
   * keys too. Keys are bound to nothing, so the option cannot be combined with `dpop: 'required'` or `mutualTls` with `required`.
   *
   * A request with a key and an `Authorization` header is answered with 400. Clients learn nothing of keys: challenges and
   * metadata stay the same. Rejected keys are not limited in number: see the guide.
   *
   * @defaultValue none: the header means nothing
   */
  @CheckOptionalObject(() => ApiKeyOptions) readonly apiKeys?: ApiKeyOptions;

  /**
   * The clients that may use the resource. The client is that of `AuthInfo.clientId`: by default `client_id`, else `azp`, of the
   * token. Another client, and a token that names none, gets 403 `access_denied` without a challenge, whatever its scopes.
   *
   * The rule holds for callers with an API key, whose client is the `client_id` that the verifier of keys returns, and for the
   * caller of the option `stdio`. Callers without a token, where they are allowed, have no client: the rule does not apply.
   *
   * @defaultValue every client
   */
  @CheckOptionalObject(() => AllowedClientsOptions) readonly allowedClients?: AllowedClientsOptions;

  /**
   * Whether requests without an `Authorization` header are allowed for everything that needs no scopes of its own.
   * `@AuthInfo()` is then undefined. A token that is sent is still verified, and an invalid one is rejected with 401.
   *
   * `requiredScopes` apply only to callers with a token: a token that lacks them is rejected, although an anonymous request
   * would pass. Protect everything that must not be public with `@RequireScopes()`, or give it a resource of its own.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly allowAnonymous?: boolean = false;

  /**
   * Which MCP methods callers may send without an `Authorization` header, so that they connect and see the tools, and sign in
   * at the first protected one: {@link LIFECYCLE_METHODS}, or a list of your own. Names are compared exactly. Methods that run
   * handlers are rejected at bootstrap.
   *
   * Requests are open only at exactly the path of `resource`, which must be an MCP endpoint. If a proxy or the application
   * rewrites the path, none are.
   *
   * Everything else needs a token: tools, prompts and resources, except those with `@AllowAnonymous()` or a declaration with
   * `allowAnonymous`; messages with an unlisted method; a batch if one of its messages needs a token; bodies that are not
   * JSON-RPC or that no parser has read; routes without MCP. A stream (GET), responses to the server and the end of a session
   * (DELETE) are open for a session that was opened without a token. Without a session, a GET of an MCP client is answered with 405, so that the client
   * goes on without a stream.
   *
   * With `earlyAuthentication` and in `BearerAuthMiddleware`, the body of a request without a token is parsed before the
   * request is authorized. A token that is sent is still verified, and it needs the `requiredScopes`.
   *
   * @defaultValue none
   */
  @CheckOptional(isAnonymousMethods) readonly anonymousMethods?: readonly string[] = [];

  /**
   * Policies that run for every request to the resource, after scopes: on each MCP operation, and on each request that runs
   * none, such as a list, a stream or a route without MCP. All of them must return `true`; otherwise the caller gets 403
   * `access_denied` without a challenge. A class must be a provider in the default scope. `verifierTimeoutMs` limits their time.
   *
   * Every request needs a token then, also what `@AllowAnonymous()` opens. Guarded routes reject a body that no parser has read
   * before the guard, as with an `McpHandlerSource`.
   *
   * @defaultValue none
   */
  @CheckOptional(isPolicies) readonly policy?: Policy | readonly Policy[];

  /** Further members of the RFC 9728 document. @defaultValue none */
  @CheckOptional(isResourceDocument) readonly metadata?: ProtectedResourceMetadataOptions = {};
}
