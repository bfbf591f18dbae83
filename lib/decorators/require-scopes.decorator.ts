import { applyDecorators, UseGuards } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { BearerAuthGuard } from '../guard/bearer-auth.guard.js';
import { REQUIRED_SCOPES } from '../mcp-auth.constants.js';
import { requirementProblems, type ScopeRequirement } from '../mcp/scope-requirement.js';
import { ROUTE_GUARDS } from '../platform/nest-metadata.js';

/**
 * Says which scopes a caller's token must carry: for an MCP tool, prompt or resource, or for an HTTP route.
 *
 * Everything listed is needed, and the scopes of the resource too: a scope, one of several (`{ anyOf: [...] }`), or what a
 * function says of the call and its caller. On a class it holds for every handler; what stands on the handler is added
 * to it, and so is what stands on the classes that it extends, on a method that the handler overrides, and in a second
 * `@RequireScopes()`, also one within a decorator of your own. A call that lacks a scope is answered with HTTP 403 before any handler runs, so that a client can ask for the
 * scope and try again.
 *
 * The decorator puts {@link BearerAuthGuard} on what it decorates, so that nothing it protects is ever open.
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
 * @throws {@link McpAuthConfigError} when nothing is listed, or a scope is not a scope token (RFC 6749 section 3.3)
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
    const guards = (Reflect.getMetadata(ROUTE_GUARDS, decorated) ?? []) as readonly unknown[];
    if (!guards.includes(BearerAuthGuard)) putGuard(target, key, descriptor);
  };
};

const putGuard: (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => void =
  applyDecorators(UseGuards(BearerAuthGuard));
