import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { BearerAuthGuard } from '../guard/bearer-auth.guard.js';
import { REQUIRED_SCOPES } from '../mcp-auth.constants.js';
import { isScopeToken } from '../options/check.decorator.js';

/**
 * Lists the scopes that a caller's token must carry: for an MCP tool, or for an HTTP route.
 *
 * All listed scopes are needed, and those of the resource too. On a class it holds for every handler; scopes on
 * the handler are added to it. A call of a tool that lacks a scope is answered with HTTP 403 before any handler
 * runs, so that a client can ask for the scope and try again.
 *
 * The decorator puts {@link BearerAuthGuard} on what it decorates, so that nothing it protects is ever open.
 *
 * @example
 * ```ts
 * \@Tool({ name: 'purge', description: 'Delete every note' })
 * \@RequireScopes('notes:admin')
 * purge() {}
 * ```
 * @throws {@link McpAuthConfigError} when a scope is not a scope token (RFC 6749 section 3.3)
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @publicApi
 */
export const RequireScopes = (...scopes: [string, ...string[]]): ClassDecorator & MethodDecorator => {
  const problems = scopes.flatMap((scope, index) => {
    const problem = isScopeToken(scope);
    return problem === undefined
      ? []
      : [{ path: `@RequireScopes() argument ${String(index)}`, message: problem }];
  });
  if (problems.length > 0) throw new McpAuthConfigError(problems);
  return applyDecorators(
    SetMetadata(REQUIRED_SCOPES, Object.freeze([...scopes])),
    UseGuards(BearerAuthGuard),
  );
};
