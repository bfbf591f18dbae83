import type { Policy, ToolHints } from '../options/authorization-policy.js';
import type { AuthenticationRequirement } from './authentication-requirement.js';
import type { McpOperationKind } from './operations.js';
import type { ScopeRequirement } from './scope-requirement.js';

/** A handler of an MCP server, and the scopes that its callers need. @publicApi */
export interface McpDeclaration {
  /** The kind of handler. Resource templates are `resource` too. */
  readonly kind: McpOperationKind;
  /** The name of the tool or prompt; the URI of the resource, or its template (RFC 6570). */
  readonly name: string;
  /** All are required, in addition to those of the protected resource. Empty if a valid token is enough. */
  readonly requirements: readonly ScopeRequirement[];
  /**
   * How the user must have authenticated, as `@RequireAuthentication()` says of handlers in Nest.
   *
   * @defaultValue in any way
   */
  readonly authentication?: AuthenticationRequirement | undefined;
  /**
   * The policies of the handler, as `@RequirePolicy()` names them for handlers in Nest.
   *
   * @defaultValue none
   */
  readonly policies?: readonly Policy[] | undefined;
  /**
   * The annotations of a tool, for policies. The package does not read them from the server.
   *
   * @defaultValue unknown
   */
  readonly annotations?: ToolHints | undefined;
  /**
   * The protected resource that the handler belongs to, by name or identifier. It advertises the scopes. Requests with a
   * token for another resource are rejected with 403. If several resources serve a handler, declare it once for each.
   *
   * @defaultValue the only resource; if there are several, none in particular
   */
  readonly resource?: string | undefined;
  /**
   * Whether callers without a token may run the handler, with the option `anonymousMethods`, as `@AllowAnonymous()` says of
   * handlers in Nest. Lists then offer sign-in as optional: see the option `toolSecuritySchemes`. Needs empty `requirements`,
   * no `authentication` and no `policies`; and `resource` if there are several resources and one has `anonymousMethods`. A
   * template opens every URI of its form, also that of a resource which nothing declares.
   *
   * @defaultValue false
   */
  readonly allowAnonymous?: boolean | undefined;
}

/**
 * Lists the handlers of an MCP server and the scopes they need.
 *
 * The guard uses it to authorize a request before the server gets it. Provide a subclass if the server's handlers are not
 * Nest's: the package finds it among the providers. It must be a singleton, without request-scoped dependencies.
 *
 * Declare every tool, with `requirements: []` if a valid token is enough. Once a source declares anything, calls of
 * undeclared tools are denied, unless the option `undeclaredTools` is `allow`. An undeclared prompt or resource needs only
 * the scopes of the protected resource. Guarded routes then reject a body of any type that no parser read before the guard:
 * with 415 if it is not sent as `application/json`, else with 500. Pass the parsed body to the server: that is what the
 * guard checked.
 *
 * @example
 * ```ts
 * \@Injectable()
 * class NotesHandlers extends McpHandlerSource {
 *   declarations() {
 *     return [{ kind: 'tool', name: 'purge', requirements: ['notes:write'] }] as const;
 *   }
 * }
 * ```
 * @publicApi
 */
export abstract class McpHandlerSource {
  /**
   * Returns the handlers. Called once, at bootstrap; a promise is not awaited. If a declaration is wrong, the application
   * does not start: bootstrap throws an `McpAuthConfigError`.
   */
  abstract declarations(): readonly McpDeclaration[];
}
