import type { VerifiedCaller } from './request-user-options.js';
import { isListOf, type Problem } from './value-rules.js';

/**
 * What a tool says of itself, by its annotations of MCP. The server states them, and the package does not
 * check them. A missing one has the default of MCP: a tool may write, and may destroy.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations | MCP, ToolAnnotations}
 * @publicApi
 */
export interface ToolHints {
  /** Whether the tool changes nothing. */
  readonly readOnlyHint?: boolean | undefined;
  /** Whether the tool may delete or overwrite something. */
  readonly destructiveHint?: boolean | undefined;
}

/** The operation that a policy decides on. Frozen, and a copy: a policy cannot change what the handler gets. @publicApi */
export interface PolicyCall {
  /** The kind of MCP operation, or `route` for an HTTP request. */
  readonly kind: 'tool' | 'prompt' | 'resource' | 'route';
  /**
   * The name of the tool or prompt, the URI of the resource, or `Class.method` of the route. For a request that runs no MCP
   * operation, the policy of a protected resource gets the resource identifier.
   *
   * For a resource, the policy decides once for each way in which a transport may read the URI, and all must be allowed. In a
   * completion and in a list, `name` is the template of a resource template.
   */
  readonly name: string;
  /** The method of the message, such as `tools/call` or `completion/complete`; for an HTTP request `GET`, `POST`, … */
  readonly method: string;
  /** The arguments of a tool call or a prompt, as sent and not validated. Empty if the call has none, and in a list. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The annotations of a tool; undefined if it has none, or if the package does not know the tool. */
  readonly annotations: ToolHints | undefined;
}

/** What a policy may need beside the call and the caller. @publicApi */
export interface PolicyContext {
  /** The identifier of the protected resource. */
  readonly resource: string;
  /** Aborted if the decision takes longer than `verifierTimeoutMs`: its result is then ignored. */
  readonly signal: AbortSignal;
}

/**
 * Decides whether a caller may run an operation. Only `true` allows it.
 *
 * Extend it, and provide the class in a module, in the default scope. Name the class in `@RequirePolicy()`, in the option `policy`
 * of a resource, or in an `McpDeclaration`.
 *
 * @example
 * ```ts
 * \@Injectable()
 * class OnlyAdmins extends AuthorizationPolicy {
 *   decide(call: PolicyCall, auth: AuthInfo) {
 *     return call.annotations?.readOnlyHint === true || auth.claims['role'] === 'admin';
 *   }
 * }
 * ```
 * @publicApi
 */
export abstract class AuthorizationPolicy {
  /**
   * Decides on one operation, before its handler runs and before its arguments are validated. Called once for the same
   * operation of a request. Scopes and `@RequireAuthentication()` are checked before.
   *
   * If it returns something other than `true`, the call is rejected with 403 `access_denied`, without a challenge. If it throws
   * an error of this package, that is the rejection: {@link InsufficientScopeError} for a challenge. Any other error is
   * answered with 500, and an answer that takes longer than `verifierTimeoutMs` with 503.
   *
   * @param auth - the `AuthInfo` of the caller. Callers without a token are asked to sign in before
   */
  abstract decide(call: PolicyCall, auth: VerifiedCaller, context: PolicyContext): boolean | Promise<boolean>;
}

/** A class of policies. Nest makes its instance. @publicApi */
export type PolicyClass = abstract new (...args: never[]) => AuthorizationPolicy;

/** A policy without dependencies; see {@link AuthorizationPolicy.decide}. @publicApi */
export type PolicyFunction = AuthorizationPolicy['decide'];

/** A policy: a class that Nest provides, or a function. @publicApi */
export type Policy = PolicyClass | PolicyFunction;

/** Returns what is wrong with a policy. @internal */
export const isPolicy: Problem = (value) => {
  if (typeof value !== 'function') return 'must be a class that extends AuthorizationPolicy, or a function';
  return isPolicyClass(value) || !isNativeClass(value)
    ? undefined
    : 'must be a class with a method "decide", or a function; extend AuthorizationPolicy';
};

/** One policy, or several. @internal */
export const isPolicies: Problem = (value) =>
  Array.isArray(value) ? isListOf(isPolicy, { nonEmpty: true })(value) : isPolicy(value);

/** @internal */
export function isPolicyClass(policy: object): policy is PolicyClass {
  const { prototype } = policy as { readonly prototype?: { readonly decide?: unknown } };
  return typeof prototype?.decide === 'function';
}

/** Whether it can only be called with `new`: its `prototype` is read-only. */
function isNativeClass(value: object): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}
