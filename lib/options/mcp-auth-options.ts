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
import { RedactOptions } from './redact-options.js';
import { RequestUserOptions } from './request-user-options.js';
import { isScopeHierarchy } from './scope-hierarchy.js';
import { isSecrets } from './secrets.js';
import type { TokenVerifierOption } from './token.verifier.js';
import type { ToolChallengeForm, ToolChallengeRequest } from './tool-challenge-options.js';
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

const isToolChallenge: Problem = (value) =>
  value === 'http' || value === 'result' || typeof value === 'function'
    ? undefined
    : 'must be http, result or a function';

/** How many verified tokens are cached, and for how long. @publicApi */
export class TokenCacheOptions {
  /**
   * The oldest tokens beyond this number are evicted, for each resource; the tenants of a resource share one number. Range: 1 to
   * 1000000.
   *
   * @defaultValue 10000
   */
  @CheckOptional(isWholeNumber(1, 1_000_000, 'entries')) readonly maxEntries?: number = 10_000;
  /** Older entries are verified again. Unit: seconds. Range: 1 to 300. @defaultValue 60 */
  @CheckOptional(isWholeNumber(1, 300, 'seconds')) readonly maxAgeSeconds?: number = 60;
}

/** How sessions are bound to their callers: in the process that opened them, or by a seal on the session id. @publicApi */
export class SessionBindingOptions {
  /**
   * The least recently used sessions beyond this number are evicted. A person (issuer and subject, over all clients) with more
   * than a tenth of them loses their own sessions first: when that person opens one, and before persons with fewer. All callers
   * without a token count as one person. Range: 1 to 1000000.
   *
   * @defaultValue 10000
   */
  @CheckOptional(isWholeNumber(1, 1_000_000, 'sessions')) readonly maxSessions?: number = 10_000;
  /** Sessions that are unused for this long are evicted. Unit: seconds. Range: 1 to 2592000. @defaultValue 86400 */
  @CheckOptional(isWholeNumber(1, 2_592_000, 'seconds')) readonly maxIdleSeconds?: number = 86_400;
  /**
   * Binds sessions by a seal on the session id, so that every process with the same secret knows whose session it is, also after
   * a restart. Clients get `ID.CODE`: the transport's id, and an HMAC-SHA-256 over id, resource and caller. The transport gets
   * its own id, or a fresh one if the seal does not fit. The process stores nothing: `maxSessions` and `maxIdleSeconds` have no
   * effect, and the transport decides how long a session lives.
   *
   * One secret, or two while one replaces the other: both open, the first seals. Text of at least 43 characters, such as 32
   * random bytes in base64url. It is never printed.
   *
   * The transport's ids must never repeat. A session that was opened without a token passes to no caller. Streams of MCP
   * 2024-11-05 are still bound in the process that opened them.
   *
   * @defaultValue none: sessions are bound in the process that opened them
   * @see {@link https://www.rfc-editor.org/rfc/rfc2104 | RFC 2104}
   */
  @CheckOptional(isSecrets) readonly secrets?: readonly [current: string, other?: string];
}

/** What {@link McpAuthModuleOptions.isRevoked} gets: a description of a verified token, without the token. @publicApi */
export interface RevocationQuery {
  readonly issuer: string;
  /** The token's identifier, unique only together with `issuer`; undefined if the token has none. */
  readonly jti: string | undefined;
  readonly subject: string | undefined;
  /** Empty if the token does not name a client. */
  readonly clientId: string;
  /** Unit: seconds since the epoch. */
  readonly issuedAt: number | undefined;
}

/** What {@link McpAuthModuleOptions.onUnauthorized} gets: a description of the request, without its token. @publicApi */
export interface UnauthorizedRequest {
  /**
   * The sender's address, as the HTTP platform reports it. Behind a proxy, it is the client's address only if the platform
   * trusts the proxy (`trust proxy` of Express). Undefined if the platform does not report it.
   */
  readonly remoteAddress: string | undefined;
  /** The protected resource, as configured. */
  readonly resource: string;
  /** Why it was rejected. Every honest client begins with `missing_token`. */
  readonly reason: CredentialsRejection | TokenRejection;
}

/** The caller over stdio, in place of the claims of a token. @publicApi */
export class StdioCaller {
  /** The person; undefined if the caller is a program. */
  @CheckOptional(isText) readonly subject?: string;
  /** The program that calls, such as the name of the MCP client. @defaultValue empty */
  @CheckOptional(isText) readonly clientId?: string;
  /** The caller's scopes. If empty, the caller can do nothing that needs scopes. */
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
   * When the metadata of authorization servers is fetched: at bootstrap, or when the first token of each server arrives.
   * `lazy` needs the issuer of each server in the options.
   *
   * @defaultValue 'bootstrap'
   */
  @CheckOptional(isOneOf('bootstrap', 'lazy')) readonly discovery?: 'bootstrap' | 'lazy' = 'bootstrap';

  /**
   * What to do if discovery fails at bootstrap. `fail` aborts startup. `retry` starts and answers 503 to that server's tokens.
   * It retries in the background until the server answers: after 5 seconds, then after up to 75. `retry` needs the issuer of
   * each server in the options.
   *
   * @defaultValue 'fail'
   */
  @CheckOptional(isOneOf('fail', 'retry')) readonly onDiscoveryFailure?: 'fail' | 'retry' = 'fail';

  /**
   * How old metadata can become before it is fetched again. While requests arrive, it is fetched in the background at a random
   * moment in the last tenth of that time. So no request waits, and processes that started together do not fetch together. If
   * the fetch fails, or the new metadata is invalid, the old metadata is used for a day.
   *
   * Unit: seconds. Range: 60 to 86400.
   *
   * @defaultValue 3600
   */
  @CheckOptional(isWholeNumber(60, 86_400, 'seconds')) readonly metadataRefreshSeconds?: number = 3600;

  /**
   * The maximum length of a token. A longer one is rejected before it is parsed. Node limits all headers of a request together
   * to 16 KiB, unless the process is started with `--max-http-header-size`.
   *
   * Unit: characters. Range: 1024 to 65536.
   *
   * @defaultValue 8192
   */
  @CheckOptional(isWholeNumber(1024, 65_536, 'characters')) readonly maxTokenLength?: number = 8192;

  /**
   * How long clients may cache the RFC 9728 document (`Cache-Control: max-age`).
   *
   * Unit: seconds. Range: 0 to 86400.
   *
   * @defaultValue 3600
   */
  @CheckOptional(isWholeNumber(0, 86_400, 'seconds')) readonly metadataMaxAgeSeconds?: number = 3600;

  /**
   * Also serves the metadata of a resource with a path at the root well-known path. That is
   * `/.well-known/oauth-protected-resource`, for clients that look only there. Needs exactly one resource.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly serveRootAlias?: boolean = false;

  /**
   * Serves a copy of an authorization server's metadata at `/.well-known/oauth-authorization-server` of the resource's origin.
   * Clients of MCP 2025-03-26 look only there. The copy is the fetched document, after `transpileData`. `true` needs exactly
   * one authorization server; with several, set the issuer of the one to copy. A route of the application at that path takes
   * precedence. The server's endpoints are never proxied. Clients that compare the issuer reject the copy, as they should.
   *
   * @defaultValue false
   */
  @CheckOptional(isBooleanOrIssuer) readonly legacyAuthorizationServerMetadata?: boolean | string = false;

  /**
   * Verifies the tokens of every resource that has no `verifier` of its own. A class among the providers, an instance or a
   * function.
   *
   * @defaultValue by the keys and introspection endpoints of the authorization servers
   */
  @CheckOptional(isVerifier) readonly verifier?: TokenVerifierOption;

  /**
   * How long a verifier may take for one token. After that, the answer is 503. The limit also holds for the package's own
   * verifier, whatever the limits of its single requests.
   *
   * Unit: milliseconds. Range: 100 to 60000.
   *
   * @defaultValue 10000
   */
  @CheckOptional(isWholeNumber(100, 60_000, 'milliseconds')) readonly verifierTimeoutMs?: number = 10_000;

  /**
   * Whether tokens that were verified with their issuer's keys are cached. A token in use then needs a signature check only
   * once in a while. Time, scopes and `isRevoked` are still checked with every request. Tokens are stored as hashes,
   * separately for each resource, and evicted when the issuer's keys are renewed.
   *
   * @defaultValue see {@link TokenCacheOptions}
   */
  @CheckOptionalObject(() => TokenCacheOptions, 'must be false or an object', [false])
  readonly tokenCache?: false | TokenCacheOptions = new TokenCacheOptions();

  /**
   * Whether a session of MCP 2025-11-25 and before is bound to the caller that opened it. The caller is issuer, subject and
   * client, and the resource. For any other caller, and after its eviction, the session is unknown. The transport chooses the
   * answer.
   *
   * Only the process that opened a session knows it, as with the transports. If several processes share sessions, or sessions
   * survive a restart, set `secrets`. With `false`, any caller who has a token for the resource and another caller's session id
   * can read that session and end it; the application must then bind sessions with `principalKey()`.
   *
   * @defaultValue see {@link SessionBindingOptions}
   * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/basic/security_best_practices#session-hijacking | MCP security best practices, session hijacking}
   */
  @CheckOptionalObject(() => SessionBindingOptions, 'must be false or an object', [false])
  readonly sessionBinding?: false | SessionBindingOptions = new SessionBindingOptions();

  /**
   * Whether other processes serve the same resources. With `several`, what must be known to all of them needs a store that they
   * share. If it is kept in the memory of one process, the application does not start in production (`NODE_ENV`).
   *
   * @defaultValue 'one'
   */
  @CheckOptional(isOneOf('one', 'several')) readonly replicas?: 'one' | 'several' = 'one';

  /**
   * Called for every token that is otherwise valid, with every request. If it returns true, the token is rejected. It does not
   * get the token itself, because one token can be spelled in several ways. If it throws, returns no boolean or takes longer
   * than two seconds, the answer is 503.
   *
   * @defaultValue none
   * @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7 | RFC 7519 section 4.1.7}
   */
  @CheckOptional(isFunction) readonly isRevoked?: (token: RevocationQuery) => boolean | Promise<boolean>;

  /**
   * Whether requests to a resource's path, and below it, are authenticated before any other part of the application handles
   * them. This is before their bodies are read, and also on routes that a library mounts on the platform itself. Guards still
   * authorize these requests, and the token is verified only once. The path is that of the resource identifier, so several
   * resources need different paths. Everything under the path then needs a token, also routes with `@SkipBearerAuth()` or
   * `@AllowAnonymous()`, unless the resource has `allowAnonymous`. With `anonymousMethods`, what that opens needs none.
   *
   * On Express it also runs before `app.enableCors()`. Then only pages of `allowedOrigins` can read its answers.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly earlyAuthentication?: boolean = false;

  /**
   * Whether an open answer of the type `text/event-stream` is ended when its token expires, plus the clock tolerance. This
   * holds for the streams that clients of MCP before 2026-07-28 open with GET, for `subscriptions/listen`, and for any other.
   * A call that still waits for its answer gets a JSON-RPC error first. The client then reconnects with a new token, or gets a
   * 401. A new token does not extend an open stream.
   *
   * A token without an expiry has streams without an end. {@link McpAuthStreams} ends those of a revoked token.
   *
   * @defaultValue true
   */
  @CheckOptional(isBoolean) readonly endStreamsAtExpiry?: boolean = true;

  /**
   * Whether the body of a rejection names the rule that failed. It then has the `reason`, and for an outage the `server` that
   * is unavailable. The body never contains a token, a claim or the text of an error. The challenge does not change.
   *
   * For development only: a caller who tries tokens learns why each one is rejected.
   *
   * @defaultValue false
   */
  @CheckOptional(isBoolean) readonly showErrorDetails?: boolean = false;

  /**
   * The form of a rejection's body. `oauth` is `{ "error", "error_description" }`. `json-rpc` is an error response of JSON-RPC
   * 2.0 with the request's `id`, the HTTP status as `code`, and the `oauth` body in `data`. MCP clients use only status and
   * challenge. A message that is wrong itself, such as a batch, gets `json-rpc` with either value, and a negative `code`.
   *
   * @defaultValue 'oauth'
   * @see {@link https://www.jsonrpc.org/specification#error_object | JSON-RPC 2.0 section 5.1}
   */
  @CheckOptional(isOneOf('oauth', 'json-rpc')) readonly errorBody?: 'oauth' | 'json-rpc' = 'oauth';

  /**
   * A page that explains errors to people: `error_uri` of every challenge that has an `error`, and of its body. An https URL
   * without fragment.
   *
   * With `NODE_ENV=development` the default is the section of this package's page on errors about the reason of the rejection.
   * So a challenge then says why a token was rejected, as `showErrorDetails` does in the body. With any other `NODE_ENV`, or
   * none, there is no default.
   *
   * @defaultValue none; in development the section about the reason
   * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 | RFC 6750 section 3}
   */
  @CheckOptional(isString(errorUriProblem)) readonly errorUri?: string;

  /**
   * Called once for every request that the guard answers with 401. An application can count these requests by address, and
   * block an address that guesses tokens by a middleware or guard that runs before. Each guess costs a signature check or an
   * introspection. The guard does not wait for it. Errors, synchronous or asynchronous, are logged and change nothing.
   *
   * @defaultValue none
   */
  @CheckOptional(isFunction) readonly onUnauthorized?: (request: UnauthorizedRequest) => unknown;

  /**
   * Which scopes a scope includes: `{ 'notes:admin': ['notes:write'], 'notes:write': ['notes:read'] }`. A caller with the
   * first scope is then authorized if one of the others is needed. Challenges name the scope that is needed, not the one that
   * includes it. Circles are rejected.
   *
   * @defaultValue none: scopes are compared exactly
   */
  @CheckOptional(isScopeHierarchy) readonly scopeHierarchy?: Readonly<Record<string, readonly string[]>>;

  /**
   * How lists of tools, prompts, resources and templates treat entries that the caller has no scopes for. `show` lists them.
   * `hide` leaves them out, and marks lists as private to their caller (`cacheScope: "private"`, MCP 2026-07-28).
   *
   * A list is not access control: calls are still authorized. With `hide`, clients never call what needs more scopes, so no
   * challenge asks them to get those scopes: no step-up. Do not put secret entries on the server: lists are rewritten as they
   * are sent, and a list that cannot be read is answered with an error.
   *
   * @defaultValue 'show'
   * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/server/tools | MCP, tools}
   */
  @CheckOptional(isOneOf('show', 'hide')) readonly listPolicy?: 'show' | 'hide' = 'show';

  /**
   * Whether each tool in a list says how its callers authenticate, for ChatGPT and Codex: `securitySchemes`, as a member of
   * the tool and in its `_meta`. The package makes it of the declared scopes, and replaces what the server has written.
   *
   * - `[{ "type": "oauth2", "scopes": ["notes:read", "notes:write"] }]`: the tool needs a token with these scopes, those of
   *   the resource included. The first of alternatives stands for all; scopes that functions return are not known.
   * - `[{ "type": "noauth" }]`: the tool needs no token. It has no scopes of its own, and the resource or the route allows
   *   anonymous callers.
   * - both: the same, for a tool with `@AllowAnonymous()`, or declared with `allowAnonymous`. Clients may offer sign-in.
   *
   * Only answers to `tools/list` are read and written anew. They are not compressed then. Does not change a list whose
   * request no parser has read before the guard, is encoded, or has more than 4 MiB.
   *
   * @defaultValue true
   * @see {@link https://developers.openai.com/plugins/build/auth | OpenAI, Authentication: triggering authentication UI}
   */
  @CheckOptional(isBoolean) readonly toolSecuritySchemes?: boolean = true;

  /**
   * How a tool call is answered that lacks a token or scopes. `http`: 401 or 403, as the MCP specification says. `result`:
   * 200 with a tool result, as ChatGPT needs it to offer sign-in. The result has `isError`, a short text for the model, and
   * the challenge in `_meta["mcp/www_authenticate"]`. A function chooses for each call; `toolChallengeForOpenAi` chooses
   * `result` for ChatGPT and Codex. If the function throws, or returns anything else, the form is `http`, and the log says so.
   *
   * These are always answered with `http`:
   *
   * - a token that is invalid or expired, and credentials other than a bearer token
   * - requests other than `tools/call`, batches and notifications
   * - requests other than POST, and all at another path than exactly that of `resource`: other callers, such as a proxy that
   *   asks whether to pass a request on, take status 200 for consent
   * - requests whose `Accept` does not name `application/json`, such as those of MCP 2024-11-05, whose clients read the answer
   *   to a call on another stream
   * - calls without a token that are rejected before their body is read: with `earlyAuthentication`, unless the resource has
   *   `allowAnonymous`
   *
   * Events and `onUnauthorized` report the call with status 401 or 403 in either form.
   *
   * @defaultValue 'http'
   * @see {@link https://developers.openai.com/plugins/build/auth | OpenAI, Authentication: triggering authentication UI}
   */
  @CheckOptional(isToolChallenge)
  readonly toolChallenge?: ToolChallengeForm | ((request: ToolChallengeRequest) => ToolChallengeForm) =
    'http';

  /**
   * The caller over stdio, where requests carry no token. The process runs for one person, and the user who starts it names
   * that person, such as by environment variables. Handlers behind the guard (`@RequireScopes()`) run for this caller if it
   * has the needed scopes, `requiredScopes` included. `deny` answers their calls with a JSON-RPC error. `allow` runs them all,
   * without a caller. Handlers that no guard covers always run, and so do handlers that allow anonymous callers.
   *
   * The transport declares itself as stdio (`StdioTransport` of `@rekog/mcp-nest`); a missing HTTP request does not prove it.
   * If a transport of your own supplies an `authInfo` with its messages, that is trusted whatever this option says: its
   * scopes, `expiresAt` and `resource` are checked.
   *
   * @defaultValue 'deny'
   * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#protocol-requirements | MCP authorization, protocol requirements}
   */
  @CheckOptionalObject(() => StdioCaller, 'must be deny, allow or an object', ['deny', 'allow'])
  readonly stdio?: 'deny' | 'allow' | StdioCaller = 'deny';

  /**
   * What to do with a call of a tool that no decorator and no `McpHandlerSource` declares. Such a tool is registered at run
   * time, or does not exist. `allow`: the call needs the scopes of its resource, and goes on to the server. `deny`: 403
   * without a challenge, because no scope would help. With `deny`, guarded routes reject a body that no parser has read
   * before: with 500 if it is sent as `application/json`, with 415 if it has any other type or none. Uploads must be parsed
   * before the guard. The log names each denied tool once.
   *
   * Once an `McpHandlerSource` declares anything, the default is `deny`, so that a typo in a declaration opens no tool.
   *
   * @defaultValue 'allow', or 'deny' if an `McpHandlerSource` declares handlers
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
   * The maximum number of operations in the body of one request. Operations are messages of a batch that run a handler, and
   * resources of a subscription, each once. A request for more, or for URIs of more than 65,536 characters together, is
   * answered with 400. Range 1 to 10,000. Bodies are read for operations if handlers of an MCP server are known.
   *
   * @defaultValue 100
   */
  @CheckOptional(isWholeNumber(1, 10_000, 'operations')) readonly maxOperations?: number = 100;

  /**
   * Stores the caller of a request on the request a second time, for code that reads `req.user`: code for Passport, and
   * `@ToolScopes()`, `@ToolRoles()` and the list filter of `@rekog/mcp-nest`. `{}` for `req.user` with the claims of the token.
   *
   * The property belongs to the package then, as `req.auth` does: it is undefined for anonymous callers and rejected requests,
   * and a value of other code is overwritten with a warning. Not set over stdio.
   *
   * @defaultValue none: only `req.auth` is set
   */
  @CheckOptionalObject(() => RequestUserOptions)
  readonly requestUser?: RequestUserOptions;

  /**
   * What events have in place of the subject and the address of a caller, which are personal data.
   *
   * @defaultValue none: events have them
   */
  @CheckOptionalObject(() => RedactOptions)
  readonly redact?: RedactOptions;

  /** Replaces the global `fetch` for every request to an authorization server. @defaultValue fetch */
  @CheckOptional(isFunction) readonly fetch?: typeof fetch;

  /** The clock that `exp`, `nbf` and `iat` are compared with. @defaultValue `() => new Date()` */
  @CheckOptional(isFunction) readonly now?: () => Date;
}

/** Creates the options; for `useClass` and `useExisting` of {@link McpAuthModule.forRootAsync}. @publicApi */
export interface McpAuthOptionsFactory {
  /** Called once, at bootstrap. If it throws, the application does not start. */
  createMcpAuthOptions(): McpAuthModuleOptions | Promise<McpAuthModuleOptions>;
}

/** What `forRoot` and `forRootAsync` take in addition to the options. @publicApi */
export interface McpAuthModuleExtras {
  /** Makes guard and decorators usable in every module without a further import. @defaultValue true */
  readonly isGlobal?: boolean;
  /**
   * Decorators for the controllers of the well-known documents. An example is one that exempts a route from a global guard of
   * the application. The documents are public.
   *
   * @defaultValue none
   */
  readonly decorators?: readonly ClassDecorator[];
}

/** Options of {@link McpAuthModule.forRootAsync}: exactly one of the `use…` members. @publicApi */
export interface McpAuthModuleAsyncOptions extends McpAuthModuleExtras, Pick<ModuleMetadata, 'imports'> {
  /** Returns the options; its arguments are what `inject` lists. */
  readonly useFactory?: FactoryProvider<McpAuthModuleOptions>['useFactory'];
  /** The module creates an instance, which then creates the options. */
  readonly useClass?: Type<McpAuthOptionsFactory>;
  /** The module looks up the instance in the container, which then creates the options. */
  readonly useExisting?: Type<McpAuthOptionsFactory>;
  /** What `useFactory` gets, in this order. @defaultValue none */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
}
