import { McpAuthConfigError } from '../errors/config.error.js';
import { REQUIRED_SCOPES } from '../mcp-auth.constants.js';
import { requirementProblems, type ScopeRequirement } from '../mcp/scope-requirement.js';
import { coverWithGuard } from './cover-with-guard.js';

/**
 * Requires scopes of the caller's token for an MCP tool, prompt or resource, or for an HTTP route.
 *
 * Each argument is required, and so are the scopes of the resource. An argument is a scope, a choice of scopes
 * (`{ anyOf: [...] }`), or a function that returns scopes for the call and its caller.
 *
 * Requirements add up: those of the handler, of its class and the classes that this one extends, of methods that the handler
 * overrides, and of every `@RequireScopes()` on one target, also within a decorator of your own.
 *
 * A call that lacks a scope is rejected with HTTP 403 before any handler runs. The challenge names the scopes, so that the
 * client can ask for them and try again.
 *
 * The decorator puts {@link BearerAuthGuard} on its target. If a method overrides a decorated one and no guard covers it, the
 * application does not start.
 *
 * @example
 * ```ts
 * \@Tool({ name: 'purge', description: 'Delete every note' })
 * \@RequireScopes('notes:admin')
 * purge() {}
 *
 * \@Tool({ name: 'write', description: 'Write a note' })
 * \@RequireScopes(({ arguments: { folder } }) => (folder === 'hr' ? ['notes:write', 'hr:write'] : ['notes:write']))
 * write() {}
 * ```
 * @throws {@link McpAuthConfigError} if there is no argument, or a scope is not a scope token (RFC 6749 section 3.3)
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @publicApi
 */
export const RequireScopes = (
  ...requirements: [ScopeRequirement, ...ScopeRequirement[]]
): ClassDecorator & MethodDecorator => {
  const problems = requirementProblems(requirements, (index) => `@RequireScopes() argument ${String(index)}`);
  if ((requirements as readonly unknown[]).length === 0) {
    problems.push({
      path: '@RequireScopes()',
      message: 'must name at least one scope, { anyOf: [...] } or function',
    });
  }
  if (problems.length > 0) throw new McpAuthConfigError(problems);
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const decorated = (descriptor?.value ?? target) as object;
    const others = (Reflect.getOwnMetadata(REQUIRED_SCOPES, decorated) ?? []) as readonly ScopeRequirement[];
    Reflect.defineMetadata(REQUIRED_SCOPES, Object.freeze([...requirements, ...others]), decorated);
    coverWithGuard(target, key, descriptor);
  };
};
