import type { ModulesContainer } from '@nestjs/core';
import { McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_GIVEN_OPTIONS } from '../mcp-auth.constants.js';

/**
 * Checks that an application has one `McpAuthModule`. With several, each would know only a part of the resources. A module is
 * recognized by its options, so a module of another copy of the package counts too.
 *
 * @throws {@link McpAuthConfigError}
 * @internal
 */
export function assertSingleModule(modules: ModulesContainer): void {
  const ours = [...modules.values()].filter(({ providers }) => providers.has(MCP_AUTH_GIVEN_OPTIONS));
  if (ours.length < 2) return;
  const message =
    `is configured ${String(ours.length)} times in this application; call forRoot() or forRootAsync() once, with all ` +
    'resources in the list "resources", and import the module that it returns only in the root module';
  throw new McpAuthConfigError([{ path: 'McpAuthModule', message }]);
}
