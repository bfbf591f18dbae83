import type { McpOperationKind } from './operations.js';
import type { ScopeRequirement } from './scope-requirement.js';

/** A handler of an MCP server, and what its callers need. @publicApi */
export interface McpDeclaration {
  /** `resource` for resource templates too. */
  readonly kind: McpOperationKind;
  /** The name of the tool or prompt; the URI of the resource, or its template (RFC 6570). */
  readonly name: string;
  /** All of them are needed, beside those of the protected resource. Empty where a valid token suffices. */
  readonly requirements: readonly ScopeRequirement[];
  /**
   * The protected resource that the handler belongs to, by name or identifier. It advertises the scopes. Requests with a
   * token for another resource are rejected with 403. Declare a handler that several resources serve once for each.
   *
   * @defaultValue the only one; of several, none in particular
   */
  readonly resource?: string | undefined;
}

/**
 * Tells which handlers an MCP server has and which scopes they need, so that the guard can decide before the server sees
 * a request. Provide a class of your own for a server whose handlers are not Nest's: it is found among the providers.
 * It has the default scope, and depends on nothing that is made for each request.
 *
 * Declare every tool, with `requirements: []` if a valid token is enough: once a source declares anything, calls of tools
 * that nothing declares are denied, unless the option `undeclaredTools` is `allow`. A prompt or resource that is not declared
 * needs the scopes of the resource and no more. Guarded routes then reject a body that no parser has read before the guard,
 * whatever its type: with 415 if it is not sent as `application/json`, else with 500. Hand the server the parsed body, as that
 * is what was decided on.
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
   * Asked once, at bootstrap, and not awaited. What is wrong with it stops the start with an `McpAuthConfigError`.
   */
  abstract declarations(): readonly McpDeclaration[];
}
