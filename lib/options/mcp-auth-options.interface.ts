import {
  type InjectionToken,
  type ModuleMetadata,
  type OptionalFactoryDependency,
  type Type,
} from '@nestjs/common';
import { type CredentialsRefusal, type TokenRefusal } from '../errors/refusal.errors.js';
import { type AuthorizationServerOptions } from './authorization-server-options.interface.js';
// eslint-disable-next-line no-restricted-imports -- a type only: options name verifiers, which get options
import { type TokenVerifierOption } from '../verifier/token.verifier.js';

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
  /** Algorithms of the resource's signed responses; `none` is refused. */
  readonly resource_signing_alg_values_supported?: readonly string[];
  /** A name for people. Translations have a language tag behind `#`, such as `resource_name#de`. */
  readonly resource_name?: string;
  /** A page for developers. */
  readonly resource_documentation?: string;
  /** A page that says how clients may use what they get. */
  readonly resource_policy_uri?: string;
  /** A page with the terms of service. */
  readonly resource_tos_uri?: string;
  /** Printed for clients; such tokens have a `cnf`, and are refused. */
  readonly tls_client_certificate_bound_access_tokens?: boolean;
  /** Printed for clients; authorization details of tokens are in `claims`, and nothing here decides on them. */
  readonly authorization_details_types_supported?: readonly string[];
  /** Printed for clients; DPoP proofs are not verified. */
  readonly dpop_signing_alg_values_supported?: readonly string[];
  /** Printed for clients; tokens that are bound by DPoP have a `cnf`, and are refused. */
  readonly dpop_bound_access_tokens_required?: boolean;
  /** A JWS in compact form, made by you; printed unchanged and not verified. */
  readonly signed_metadata?: string;
  readonly [extension: string]: unknown;
}

/** One protected resource: an MCP endpoint or an API, as clients know it. @publicApi */
export interface ProtectedResourceOptions {
  /**
   * The resource identifier: the URL that people type into their client. It is printed to the letter in the
   * metadata, and gives the metadata's address, the challenge's `resource_metadata` and the audience
   * that tokens must have. https (http on loopback), no query, no fragment.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-1.2 | RFC 9728 section 1.2}
   */
  readonly resource: string;

  /** A short name for `@ProtectedResource()`. Never published. @defaultValue none */
  readonly name?: string;

  /** The authorization servers whose tokens are accepted; at least one. A string is an issuer of type `auto`. */
  readonly authorizationServers: readonly (string | AuthorizationServerOptions)[];

  /** Scopes that every request needs, whatever it asks for. @defaultValue none */
  readonly requiredScopes?: readonly string[];

  /**
   * What the metadata lists as `scopes_supported`. `offline_access` is left out.
   *
   * @defaultValue `requiredScopes` and all scopes that `@RequireScopes()` names on this resource's handlers
   */
  readonly scopesSupported?: readonly string[];

  /**
   * Audiences that are accepted in place of the resource, for authorization servers that cannot put the
   * resource into a token. Never empty.
   *
   * @defaultValue the resource
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 | RFC 9068 section 4}
   */
  readonly audience?: string | readonly string[];

  /**
   * How a token's `aud` is compared. `hierarchical` takes a URL above an accepted one as well, by whole path segments of
   * the same origin: `https://api.example.com` for `https://api.example.com/notes`. Such a token opens everything
   * below it, on all resources that are set so. Audiences that are no http(s) URLs are compared exactly in any case.
   *
   * @defaultValue 'exact'
   * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 | RFC 8707 section 2}
   */
  readonly audienceMatch?: 'exact' | 'hierarchical';

  /**
   * Whether a token whose `aud` has several members is refused, as its scopes may be meant for another of them.
   *
   * @defaultValue false
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-3 | RFC 9068 section 3}
   */
  readonly refuseMultipleAudiences?: boolean;

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
  readonly allowedOrigins?: readonly string[];

  /**
   * Names in `Host` (`:authority` in HTTP/2) that requests may be addressed to, beside the resource's own host; others
   * are answered 403. `api.example.com` is that host on every port, `api.example.com:8443` on one. An empty list
   * leaves the resource's own host. Forwarding headers never count: name what your proxy sends as Host.
   *
   * @defaultValue any host; where the resource is loopback its own host, `localhost`, `127.0.0.1` and `[::1]`, so
   * that a page whose name is made to point to this machine (DNS rebinding) is refused
   * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.2 | RFC 9110 section 7.2}
   */
  readonly allowedHosts?: readonly string[];

  /**
   * Verifies this resource's tokens in place of the keys and introspection endpoints of its authorization servers.
   * What it returns is decided on as ever: issuer, audience, time, scopes.
   *
   * Claims without `iss` are of no authorization server: the caller's issuer is then `urn:nestjs-mcp-auth:verifier:` and
   * the resource identifier.
   *
   * @defaultValue the module's `verifier`
   */
  readonly verifier?: TokenVerifierOption;

  /**
   * Issuers that the resource's `verifier` may name as `iss` beside those of `authorizationServers`: of API keys, or of
   * tenants. Compared exactly. Clients never see them: they are not in the metadata. The package fetches nothing from
   * them and verifies no tokens of theirs itself. None may be the issuer of an authorization server.
   *
   * @defaultValue none
   */
  readonly privateIssuers?: readonly string[];

  /**
   * Whether requests without an `Authorization` header are let in, to what needs no scopes of its own; `@AuthInfo()` is
   * then undefined. A token that is sent is verified all the same, and a bad one is refused with 401.
   *
   * `requiredScopes` hold for callers with a token only: one that lacks them is refused, where nobody would be let in. What
   * must not be open to anybody needs `@RequireScopes()`, or a resource of its own.
   *
   * @defaultValue false
   */
  readonly allowAnonymous?: boolean;

  /** Further members of the RFC 9728 document. @defaultValue none */
  readonly metadata?: ProtectedResourceMetadataOptions;
}

/** How long admitted tokens are remembered. @publicApi */
export interface TokenCacheOptions {
  /** The oldest tokens beyond this number are forgotten, for each resource. Range: 1 to 1000000. @defaultValue 10000 */
  readonly maxEntries?: number;
  /** Older ones are verified again. Unit: seconds. Range: 1 to 300. @defaultValue 60 */
  readonly maxAgeSeconds?: number;
}

/** How many sessions are kept bound to their callers, and for how long. @publicApi */
export interface SessionBindingOptions {
  /**
   * The longest unused sessions beyond this number are forgotten; a person (issuer and subject, by whichever clients)
   * with more than a tenth of them loses its own first. Range: 1 to 1000000.
   *
   * @defaultValue 10000
   */
  readonly maxSessions?: number;
  /** Sessions that were not used for so long are forgotten. Unit: seconds. Range: 1 to 2592000. @defaultValue 86400 */
  readonly maxIdleSeconds?: number;
}

/** What {@link McpAuthModuleOptions.isRevoked} is asked about: an admitted token, without the token. @publicApi */
export interface RevocationQuery {
  readonly issuer: string;
  /** The token's identifier, unique only together with `issuer`; undefined where it has none. */
  readonly jti: string | undefined;
  readonly subject: string | undefined;
  /** Empty where the token does not say. */
  readonly clientId: string;
  /** Unit: seconds since the epoch. */
  readonly issuedAt: number | undefined;
}

/** What {@link McpAuthModuleOptions.onUnauthorized} is told of a request: nothing of its token. @publicApi */
export interface UnauthorizedRequest {
  /**
   * Who sent it, as the HTTP platform says: behind a proxy that is the client only where the platform trusts the proxy
   * (`trust proxy` of Express). Undefined where it does not say.
   */
  readonly remoteAddress: string | undefined;
  /** The protected resource, as configured. */
  readonly resource: string;
  /** Why. `missing_token` is how every honest client begins. */
  readonly reason: CredentialsRefusal | TokenRefusal;
}

/** Who calls over stdio; what a token says of others. @publicApi */
export interface StdioCaller {
  /** The person; undefined for a program. */
  readonly subject?: string;
  /** The program that calls, such as the name of the MCP client. @defaultValue empty */
  readonly clientId?: string;
  /** What it may do. Empty for nothing that needs scopes. */
  readonly scopes: readonly string[];
}

/** Options of {@link McpAuthModule}. @publicApi */
export interface McpAuthModuleOptions {
  /** One protected resource or several. */
  readonly resources: ProtectedResourceOptions | readonly ProtectedResourceOptions[];

  /**
   * How far an authorization server's clock may be off when `exp`, `nbf` and `iat` are compared.
   *
   * Unit: seconds. Range: 0 to 300.
   *
   * @defaultValue 5
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4 | RFC 7519 section 4.1.4}
   */
  readonly clockToleranceSeconds?: number;

  /**
   * How long the discovery of all authorization servers at bootstrap may take in all.
   *
   * Unit: milliseconds. Range: 100 to 120000. Each single request has 5 seconds at most.
   *
   * @defaultValue 15000
   */
  readonly discoveryTimeoutMs?: number;

  /**
   * When authorization servers are asked for their metadata: at bootstrap, or when the first token of each is
   * there. `lazy` needs the issuer of each server in the options.
   *
   * @defaultValue 'bootstrap'
   */
  readonly discovery?: 'bootstrap' | 'lazy';

  /**
   * What a server that cannot be resolved at bootstrap means: `fail` stops the start; `retry` starts, answers
   * 503 to that server's tokens and asks it again in the background until it answers: after 5 seconds, then after up to
   * 75. `retry` needs the issuer of each server in the options.
   *
   * @defaultValue 'fail'
   */
  readonly onDiscoveryFailure?: 'fail' | 'retry';

  /**
   * How old metadata may grow before it is fetched anew. With requests coming, it is fetched behind the scenes at a random
   * moment in the last tenth of that time, so that no request waits and processes that started together do not ask
   * together. When it cannot be had, or is wrong, the old one serves for a day.
   *
   * Unit: seconds. Range: 60 to 86400.
   *
   * @defaultValue 3600
   */
  readonly metadataRefreshSeconds?: number;

  /**
   * How long a token may be; a longer one is refused before it is looked at. All headers of a request together are limited
   * by Node, to 16 KiB unless the process is started with `--max-http-header-size`.
   *
   * Unit: characters. Range: 1024 to 65536.
   *
   * @defaultValue 8192
   */
  readonly maxTokenLength?: number;

  /**
   * How long clients may keep the RFC 9728 document (`Cache-Control: max-age`).
   *
   * Unit: seconds. Range: 0 to 86400.
   *
   * @defaultValue 3600
   */
  readonly metadataMaxAgeSeconds?: number;

  /**
   * Serves the document of a resource with a path at `/.well-known/oauth-protected-resource` too, for clients
   * that look only there. Needs exactly one resource.
   *
   * @defaultValue false
   */
  readonly serveRootAlias?: boolean;

  /**
   * Serves a copy of an authorization server's metadata at `/.well-known/oauth-authorization-server` of the resource's
   * origin, for clients of MCP 2025-03-26, which look nowhere else: as it was fetched, after `transpileData`. True needs
   * exactly one authorization server; with several, write the issuer of the one to copy. A route of the application
   * at that path wins. Its endpoints are never proxied, and clients that compare the issuer refuse the copy, as they should.
   *
   * @defaultValue false
   */
  readonly legacyAuthorizationServerMetadata?: boolean | string;

  /**
   * Verifies the tokens of every resource without a `verifier` of its own: a class among the providers, an instance or a
   * function.
   *
   * @defaultValue by the keys and introspection endpoints of the authorization servers
   */
  readonly verifier?: TokenVerifierOption;

  /**
   * How long a verifier may take for one token; then the answer is 503. Holds for the package's own verifier too,
   * whatever the limits of its single requests.
   *
   * Unit: milliseconds. Range: 100 to 60000.
   *
   * @defaultValue 10000
   */
  readonly verifierTimeoutMs?: number;

  /**
   * Whether tokens that were verified by the keys of their issuer are remembered, so that a token in use costs one
   * signature check in a while. Time, scopes and `isRevoked` are decided on with every request all the same. Tokens
   * are kept as hashes, apart for each resource, and forgotten when the issuer's keys are renewed.
   *
   * @defaultValue see {@link TokenCacheOptions}
   */
  readonly tokenCache?: false | TokenCacheOptions;

  /**
   * Whether a session of MCP 2025-11-25 and before is bound to the caller that opened it: issuer, subject and client, and
   * the resource. For anybody else, and once it is forgotten, it is unknown, whatever the transport answers then.
   *
   * Sessions are known to the process that opened them, as they are to the transports. With `false` whoever has a token
   * for the resource and somebody else's session id may read that session and end it: for several processes that share
   * sessions, which then have to bind them by `principalKey()`.
   *
   * @defaultValue see {@link SessionBindingOptions}
   * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/basic/security_best_practices#session-hijacking | MCP security best practices, session hijacking}
   */
  readonly sessionBinding?: false | SessionBindingOptions;

  /**
   * Asked about every token that is otherwise good, with every request: true refuses it. Never asked by the
   * token itself, which can be spelled in several ways. When it throws, gives no boolean or takes longer than two
   * seconds, the answer is 503.
   *
   * @defaultValue none
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7 | RFC 7519 section 4.1.7}
   */
  readonly isRevoked?: (token: RevocationQuery) => boolean | Promise<boolean>;

  /**
   * Whether requests to a resource's path, and below it, are authenticated before anything else of the application sees
   * them: before their bodies are read, and on routes that a library mounts on the platform itself. Guards decide as ever,
   * on a token that is verified once. The path is that of the resource identifier, so that several resources need different
   * paths. Everything there then needs a token, also what `@SkipBearerAuth()` and `@AllowAnonymous()` open; not so where the
   * resource has `allowAnonymous`.
   *
   * On Express it comes before `app.enableCors()` too: pages that may read its answers are those of `allowedOrigins`.
   *
   * @defaultValue false
   */
  readonly earlyAuthentication?: boolean;

  /**
   * Whether an answer of the type `text/event-stream` that is still open when its token expires is ended then, the
   * tolerance for clocks included: the streams that clients of MCP before 2026-07-28 open with GET, `subscriptions/listen`,
   * and any other. A call that still waits for its answer gets a JSON-RPC error first. The client comes back with a new
   * token, or is told by a 401; a new token does not lengthen a stream that runs.
   *
   * A token that does not say until when it is valid has streams without an end, and revoking a token ends none.
   *
   * @defaultValue true
   */
  readonly endStreamsAtExpiry?: boolean;

  /**
   * Whether the body of a refusal says which rule it was: `reason` as in OPERATIONS.md, and for an outage the
   * `server` that cannot be had. Never a token, a claim or the text of an error. The challenge stays as it is.
   *
   * For development: whoever tries tokens learns what is wrong with each.
   *
   * @defaultValue false
   */
  readonly showErrorDetails?: boolean;

  /**
   * The form of a refusal's body: `oauth` is `{ "error", "error_description" }`; `json-rpc` is an error response of
   * JSON-RPC 2.0 with the request's `id`, the HTTP status for `code`, and the former in `data`. MCP clients go by status
   * and challenge alone.
   *
   * @defaultValue 'oauth'
   * @see {@link https://www.jsonrpc.org/specification#error_object | JSON-RPC 2.0 section 5.1}
   */
  readonly errorBody?: 'oauth' | 'json-rpc';

  /**
   * A page for people about errors: `error_uri` of every challenge that has an `error`, and of its body. An https URL
   * without fragment.
   *
   * @defaultValue none
   * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 | RFC 6750 section 3}
   */
  readonly errorUri?: string;

  /**
   * Called once for every request that the guard answers with 401, for an application that counts them by address and
   * turns an address away, by a middleware or guard that runs before, when it guesses tokens: each guess costs a
   * signature check or an introspection. Nobody waits for it; what it throws, now or later, is logged and changes
   * nothing.
   *
   * @defaultValue none
   */
  readonly onUnauthorized?: (request: UnauthorizedRequest) => unknown;

  /**
   * Which scopes a scope includes: `{ 'notes:admin': ['notes:write'], 'notes:write': ['notes:read'] }`. Who has the first
   * then passes where one of the others is needed. Clients are asked for what is needed, not for what includes it. Circles
   * are refused.
   *
   * @defaultValue none: scopes are compared to the letter
   */
  readonly scopeHierarchy?: Readonly<Record<string, readonly string[]>>;

  /**
   * What the lists of tools, prompts, resources and templates show of entries that the caller's scopes do not open. `hide`
   * leaves them out. `annotate` shows all, and says in `_meta` of each, under `nestjs-mcp-auth/scopes`, which scopes it needs
   * and whether they are granted: `{ "required": ["notes:read", { "anyOf": ["a", "b"] }], "granted": false }`, with
   * `"dependsOnArguments": true` where a function in `@RequireScopes()` has a say. Lists then say that they are for their
   * caller alone (`cacheScope: "private"`, MCP 2026-07-28).
   *
   * A list is no access control: what is called is decided on all the same. With `hide`, clients never call what needs more
   * scopes, so they are never asked to get them: no step-up. What nobody may know of does not belong on the server: lists
   * are rewritten as they are sent, and one that cannot be read is answered with an error.
   *
   * @defaultValue 'show'
   * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/server/tools | MCP, tools}
   */
  readonly listPolicy?: 'show' | 'hide' | 'annotate';

  /**
   * Who calls over stdio, where nobody sends a token: the process runs for one person, and whoever starts it says who that
   * is, such as by environment variables. Handlers behind the guard (`@RequireScopes()`) run for this caller as far as
   * the scopes go, `requiredScopes` included. `deny` answers their calls with a JSON-RPC error; `allow` runs them all,
   * without a caller. Handlers that no guard covers run in any case, and so do those that let anonymous callers in.
   *
   * The transport says that it is stdio (`StdioTransport` of `@rekog/mcp-nest`); a missing HTTP request is no proof. A
   * transport of your own that supplies an `authInfo` with its messages is taken at its word, whatever this option says: its
   * scopes, `expiresAt` and `resource` are decided on.
   *
   * @defaultValue 'deny'
   * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#protocol-requirements | MCP authorization, protocol requirements}
   */
  readonly stdio?: 'deny' | 'allow' | StdioCaller;

  /**
   * What becomes of a call of a tool that nothing declares, by a decorator or an `McpHandlerSource`: one that is registered
   * at run time, or none at all. `allow`: it needs the scopes of its resource, and goes on to the server. `deny`: 403 without
   * a challenge, as no scope would help; guarded routes then reject a body that no parser has read before: with 500 if it is
   * sent as `application/json`, with 415 if it has any other type or none. Uploads have to be parsed before the guard. The log
   * names each denied tool once.
   *
   * Once an `McpHandlerSource` declares anything, the default is `deny`, so that a typo in a declaration opens no tool.
   *
   * @defaultValue 'allow', or 'deny' where an `McpHandlerSource` declares handlers
   */
  readonly undeclaredTools?: 'allow' | 'deny';

  /**
   * Whether a tool of `@rekog/mcp-nest` may have neither `@RequireScopes()` nor `@NoFurtherScopes()`, on itself or its class.
   * `allow`: such a tool needs the scopes of its resource. `deny`: the application does not start.
   *
   * @defaultValue 'allow'
   */
  readonly undecoratedTools?: 'allow' | 'deny';

  /**
   * Most operations that the body of one request may ask for: messages of a batch that run a handler, and resources of a
   * subscription, each once. A request for more, or for URIs of more than 65,536 characters together, is answered with 400.
   * Range 1 to 10,000. Bodies are read for operations where handlers of an MCP server are known.
   *
   * @defaultValue 100
   */
  readonly maxOperations?: number;

  /** What is used in place of the global `fetch` for every request to an authorization server. @defaultValue fetch */
  readonly fetch?: typeof fetch;

  /** The clock that `exp`, `nbf` and `iat` are compared with. @defaultValue `() => new Date()` */
  readonly now?: () => Date;
}

/** Makes the options; for `useClass` and `useExisting` of {@link McpAuthModule.forRootAsync}. @publicApi */
export interface McpAuthOptionsFactory {
  /** Called once, at bootstrap. What it throws stops the start. */
  createMcpAuthOptions(): McpAuthModuleOptions | Promise<McpAuthModuleOptions>;
}

/** What `forRoot` and `forRootAsync` take beside the options. @publicApi */
export interface McpAuthModuleExtras {
  /** Makes guard and decorators usable in every module without a further import. @defaultValue true */
  readonly isGlobal?: boolean;
  /**
   * Decorators for the controllers of the well-known documents, such as one that exempts a route from a global guard of
   * the application. The documents are for everybody.
   *
   * @defaultValue none
   */
  readonly decorators?: readonly ClassDecorator[];
}

/** Options of {@link McpAuthModule.forRootAsync}: exactly one of the `use…` members. @publicApi */
export interface McpAuthModuleAsyncOptions extends McpAuthModuleExtras, Pick<ModuleMetadata, 'imports'> {
  /** Makes the options; its arguments are what `inject` lists. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments' types are the user's to name
  readonly useFactory?: (...args: any[]) => McpAuthModuleOptions | Promise<McpAuthModuleOptions>;
  /** Made by the module, then asked for the options. */
  readonly useClass?: Type<McpAuthOptionsFactory>;
  /** Found in the container, then asked for the options. */
  readonly useExisting?: Type<McpAuthOptionsFactory>;
  /** What `useFactory` gets, in this order. @defaultValue none */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
}
