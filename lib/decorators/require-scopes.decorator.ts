import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { BearerAuthGuard } from '../guard/bearer-auth.guard.js';
import { REQUIRED_SCOPES } from '../mcp-auth.constants.js';
import { requirementProblems, type ScopeRequirement } from '../mcp/scope-requirement.js';

/**
 * Says which scopes a caller's token must carry: for an MCP tool, prompt or resource, or for an HTTP route.
 *
 * Everything listed is needed, and the scopes of the resource too: a scope, one of several (`{ anyOf: [...] }`), or what a
 * function says of the call and its caller. On a class it holds for every handler; what stands on the handler is added
 * to it. A call that lacks a scope is answered with HTTP 403 before any handler runs, so that a client can ask for the
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
 * @throws {@link McpAuthConfigError} when a scope is not a scope token (RFC 6749 section 3.3)
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @publicApi
 */
export const RequireScopes = (
  ...requirements: [ScopeRequirement, ...ScopeRequirement[]]
): ClassDecorator & MethodDecorator => {
  const problems = requirementProblems(requirements, (index) => `@RequireScopes() argument ${String(index)}`);
  if (problems.length > 0) throw new McpAuthConfigError(problems);
  return applyDecorators(
    SetMetadata(REQUIRED_SCOPES, Object.freeze([...requirements])),
    UseGuards(BearerAuthGuard),
  );
};
