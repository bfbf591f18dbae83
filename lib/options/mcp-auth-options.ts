import type {
  FactoryProvider,
  InjectionToken,
  ModuleMetadata,
  OptionalFactoryDependency,
  Type,
} from '@nestjs/common';
import type { CredentialsRejection, TokenRejection } from '../errors/rejection.errors.js';
import { errorUriProblem } from './challenge-text.js';
import { Check, CheckObjects, CheckOptional, CheckOptionalObject } from './check.decorator.js';
import { ProtectedResourceOptions } from './protected-resource-options.js';
import { isScopeHierarchy } from './scope-hierarchy.js';
import type { TokenVerifierOption } from './token.verifier.js';
import {
  isBoolean,
  isFunction,
  isListOf,
  isOneOf,
  isScopeToken,
  isString,
  isText,
  isWholeNumber,
  type Problem,
} from './value-rules.js';
import { isVerifier } from './verifier-option.js';

const isBooleanOrIssuer: Problem = (value) =>
  typeof value === 'boolean' || (typeof value === 'string' && value !== '')
    ? undefined
    : 'must be true, false or the issuer of an authorization server';

/** How long admitted tokens are remembered. @publicApi */
export class TokenCacheOptions {
  /** The oldest tokens beyond this number are forgotten, for each resource. Range: 1 to 1000000. @defaultValue 10000 */
  @CheckOptional(isWholeNumber(1, 1_000_000, 'entries')) readonly maxEntries?: number = 10_000;
  /** Older ones are verified again. Unit: seconds. Range: 1 to 300. @defaultValue 60 */
  @CheckOptional(isWholeNumber(1, 300, 'seconds')) readonly maxAgeSeconds?: number = 60;
}

/** How many sessions are kept bound to their callers, and for how long. @publicApi */
export class SessionBindingOptions {
  /**
   * The longest unused sessions beyond this number are forgotten; a person (issuer and subject, by whichever clients)
   * with more than a tenth of them loses its own first. Range: 1 to 1000000.
   *
   * @defaultValue 10000
   */
  @CheckOptional(isWholeNumber(1, 1_000_000, 'sessions')) readonly maxSessions?: number = 10_000;
  /** Sessions that were not used for so long are forgotten. Unit: seconds. Range: 1 to 2592000. @defaultValue 86400 */
  @CheckOptional(isWholeNumber(1, 2_592_000, 'seconds')) readonly maxIdleSeconds?: number = 86_400;
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
  readonly reason: CredentialsRejection | TokenRejection;
}

/** Who calls over stdio; what a token says of others. @publicApi */
export class StdioCaller {
  /** The person; undefined for a program. */
  @CheckOptional(isText) readonly subject?: string;
  /** The program that calls, such as the name of the MCP client. @defaultValue empty */
  @CheckOptional(isText) readonly clientId?: string;
  /** What it may do. Empty for nothing that needs scopes. */
  @Check(isListOf(isScopeToken, { nonEmpty: false })) readonly scopes!: readonly string[];
}

/** Options of {@link McpAuthModule}. @publicApi */
export class McpAuthModuleOptions {
  /** One protected resource or several. */
  @CheckObjects(() => ProtectedResourceOptions, 'must be an object or a list of objects')
  readonly resources!: ProtectedResourceOptions | readonly ProtectedResourceOptions[];

  /**
   * How far an authorization server's clock may be off when `exp`, `nbf` and `iat` are compared.
   *
   * Unit: seconds. Range: 0 to 300.
   *
   * @defaultValue 5
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4 | RFC 7519 section 4.1.4}
   */
  @CheckOptional(isWholeNumber(0, 300, 'seconds')) readonly clockToleranceSeconds?: number = 5;

  /**
   * How long the discovery of all authorization servers at bootstrap may take in all.
   *
   * Unit: milliseconds. Range: 100 to 120000. Each single request has 5 seconds at most.
   *
   * @defaultValue 15000
   */
  @CheckOptional(isWholeNumber(100, 120_000, 'milliseconds')) readonly discoveryTimeoutMs?: number = 15_000;

  /**
   * When authorization servers are asked for their metadata: at bootstrap, or when the first token of each is
   * there. `lazy` needs the issuer of each server in the options.
   *
   * @defaultValue 'bootstrap'
   */
  @CheckOptional(isOneOf('bootstrap', 'lazy')) readonly discovery?: 'bootstrap' | 'lazy' = 'bootstrap';

  /**
   * What a server that cannot be resolved at bootstrap means: `fail` stops the start; `retry` starts, answers
   * 503 to that server's tokens and asks it again in the background until it answers: after 5 seconds, then after up to
   * 75. `retry` needs the issuer of each server in the options.
   *
   * @defaultValue 'fail'
   */
  @CheckOptional(isOneOf('fail', 'retry')) readonly onDiscoveryFailure?: 'fail' | 'retry' = 'fail';

  /**
   * How old metadata may grow before it is fetched anew. With requests coming, it is fetched behind the scenes at a random
   * moment in the last tenth of that time, so that no request waits and processes that started together do not ask
   * together. When it cannot be had, or is wrong, the old one serves for a day.
   *
   * Unit: seconds. Range: 60 to 86400.
   *
   * @defaultValue 3600
   */
  @CheckOptional(isWholeNumber(60, 86_400, 'seconds')) readonly metadataRefreshSeconds?: number = 3600;

  /**
   * How long a token may be; a longer one is rejected before it is looked at. All headers of a request together are limited
   * by Node, to 16 KiB unless the process is started with `--max-http-header-size`.
   *
   * Unit: characters. Range: 1024 to 65536.
   *
   * @defaultValue 8192
   */
  @CheckOptional(isWholeNumber(1024, 65_536, 'characters')) readonly maxTokenLength?: number = 8192;

  /**
   * How long clients may keep the RFC 9728 document (`Cache-Control: max-age`).
   *
   * Unit: seconds. Range: 0 to 86400.
   *
   * @defaultValue 3600
   */
  @CheckOptional(isWholeNumber(0, 86_400, 'seconds')) readonly metadataMaxAgeSeconds?: number = 3600;

  /**
   * Serves the document of a resource with a path at `/.well-known/oauth-protected-resource` too, for clients
   * that look only there. Needs exactly one resource.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly serveRootAlias?: boolean = false;

  /**
   * Serves a copy of an authorization server's metadata at `/.well-known/oauth-authorization-server` of the resource's
   * origin, for clients of MCP 2025-03-26, which look nowhere else: as it was fetched, after `transpileData`. True needs
   * exactly one authorization server; with several, write the issuer of the one to copy. A route of the application
   * at that path wins. Its endpoints are never proxied, and clients that compare the issuer reject the copy, as they should.
   *
   * @defaultValue false
   */
  @CheckOptional(isBooleanOrIssuer) readonly legacyAuthorizationServerMetadata?: boolean | string = false;

  /**
   * Verifies the tokens of every resource without a `verifier` of its own: a class among the providers, an instance or a
   * function.
   *
   * @defaultValue by the keys and introspection endpoints of the authorization servers
   */
  @CheckOptional(isVerifier) readonly verifier?: TokenVerifierOption;

  /**
   * How long a verifier may take for one token; then the answer is 503. Holds for the package's own verifier too,
   * whatever the limits of its single requests.
   *
   * Unit: milliseconds. Range: 100 to 60000.
   *
   * @defaultValue 10000
   */
  @CheckOptional(isWholeNumber(100, 60_000, 'milliseconds')) readonly verifierTimeoutMs?: number = 10_000;

  /**
   * Whether tokens that were verified by the keys of their issuer are remembered, so that a token in use costs one
   * signature check in a while. Time, scopes and `isRevoked` are decided on with every request all the same. Tokens
   * are kept as hashes, apart for each resource, and forgotten when the issuer's keys are renewed.
   *
   * @defaultValue see {@link TokenCacheOptions}
   */
  @CheckOptionalObject(() => TokenCacheOptions, 'must be false or an object', [false])
  readonly tokenCache?: false | TokenCacheOptions = new TokenCacheOptions();

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
  @CheckOptionalObject(() => SessionBindingOptions, 'must be false or an object', [false])
  readonly sessionBinding?: false | SessionBindingOptions = new SessionBindingOptions();

  /**
   * Asked about every token that is otherwise good, with every request: true rejects it. Never asked by the
   * token itself, which can be spelled in several ways. When it throws, gives no boolean or takes longer than two
   * seconds, the answer is 503.
   *
   * @defaultValue none
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7 | RFC 7519 section 4.1.7}
   */
  @CheckOptional(isFunction) readonly isRevoked?: (token: RevocationQuery) => boolean | Promise<boolean>;

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
  @CheckOptional(isBoolean) readonly earlyAuthentication?: boolean = false;

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
  @CheckOptional(isBoolean) readonly endStreamsAtExpiry?: boolean = true;

  /**
   * Whether the body of a rejection says which rule it was: `reason` as in OPERATIONS.md, and for an outage the
   * `server` that cannot be had. Never a token, a claim or the text of an error. The challenge stays as it is.
   *
   * For development: whoever tries tokens learns what is wrong with each.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly showErrorDetails?: boolean = false;

  /**
   * The form of a rejection's body: `oauth` is `{ "error", "error_description" }`; `json-rpc` is an error response of
   * JSON-RPC 2.0 with the request's `id`, the HTTP status for `code`, and the former in `data`. MCP clients go by status
   * and challenge alone.
   *
   * @defaultValue 'oauth'
   * @see {@link https://www.jsonrpc.org/specification#error_object | JSON-RPC 2.0 section 5.1}
   */
  @CheckOptional(isOneOf('oauth', 'json-rpc')) readonly errorBody?: 'oauth' | 'json-rpc' = 'oauth';

  /**
   * A page for people about errors: `error_uri` of every challenge that has an `error`, and of its body. An https URL
   * without fragment.
   *
   * @defaultValue none
   * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 | RFC 6750 section 3}
   */
  @CheckOptional(isString(errorUriProblem)) readonly errorUri?: string;

  /**
   * Called once for every request that the guard answers with 401, for an application that counts them by address and
   * turns an address away, by a middleware or guard that runs before, when it guesses tokens: each guess costs a
   * signature check or an introspection. Nobody waits for it; what it throws, now or later, is logged and changes
   * nothing.
   *
   * @defaultValue none
   */
  @CheckOptional(isFunction) readonly onUnauthorized?: (request: UnauthorizedRequest) => unknown;

  /**
   * Which scopes a scope includes: `{ 'notes:admin': ['notes:write'], 'notes:write': ['notes:read'] }`. Who has the first
   * then passes where one of the others is needed. Clients are asked for what is needed, not for what includes it. Circles
   * are rejected.
   *
   * @defaultValue none: scopes are compared to the letter
   */
  @CheckOptional(isScopeHierarchy) readonly scopeHierarchy?: Readonly<Record<string, readonly string[]>>;

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
  @CheckOptional(isOneOf('show', 'hide', 'annotate'))
  readonly listPolicy?: 'show' | 'hide' | 'annotate' = 'show';

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
  @CheckOptionalObject(() => StdioCaller, 'must be deny, allow or an object', ['deny', 'allow'])
  readonly stdio?: 'deny' | 'allow' | StdioCaller = 'deny';

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
  @CheckOptional(isOneOf('allow', 'deny')) readonly undeclaredTools?: 'allow' | 'deny';

  /**
   * Whether a tool of `@rekog/mcp-nest` may have neither `@RequireScopes()` nor `@NoFurtherScopes()`, on itself or its class.
   * `allow`: such a tool needs the scopes of its resource. `deny`: the application does not start.
   *
   * @defaultValue 'allow'
   */
  @CheckOptional(isOneOf('allow', 'deny')) readonly undecoratedTools?: 'allow' | 'deny' = 'allow';

  /**
   * Most operations that the body of one request may ask for: messages of a batch that run a handler, and resources of a
   * subscription, each once. A request for more, or for URIs of more than 65,536 characters together, is answered with 400.
   * Range 1 to 10,000. Bodies are read for operations where handlers of an MCP server are known.
   *
   * @defaultValue 100
   */
  @CheckOptional(isWholeNumber(1, 10_000, 'operations')) readonly maxOperations?: number = 100;

  /** What is used in place of the global `fetch` for every request to an authorization server. @defaultValue fetch */
  @CheckOptional(isFunction) readonly fetch?: typeof fetch;

  /** The clock that `exp`, `nbf` and `iat` are compared with. @defaultValue `() => new Date()` */
  @CheckOptional(isFunction) readonly now?: () => Date;
}

/** Makes the options; for `useClass` and `useExisting` of {@link McpAuthModule.forRootAsync}. @publicApi */
export interface McpAuthOptionsFactory {
  /** Called once, at bootstrap. If it throws, the application does not start. */
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
  readonly useFactory?: FactoryProvider<McpAuthModuleOptions>['useFactory'];
  /** Made by the module, then asked for the options. */
  readonly useClass?: Type<McpAuthOptionsFactory>;
  /** Found in the container, then asked for the options. */
  readonly useExisting?: Type<McpAuthOptionsFactory>;
  /** What `useFactory` gets, in this order. @defaultValue none */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
}
