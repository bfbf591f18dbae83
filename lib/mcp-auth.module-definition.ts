import { ConfigurableModuleBuilder } from '@nestjs/common';
import { MCP_AUTH_GIVEN_OPTIONS } from './mcp-auth.constants.js';
import { type McpAuthModuleExtras, type McpAuthModuleOptions } from './options/mcp-auth-options.interface.js';

const EXTRAS: McpAuthModuleExtras = { isGlobal: true };

/** Turns what users give to `forRoot` and `forRootAsync` into a provider of the given options. @internal */
export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<McpAuthModuleOptions>({
  optionsInjectionToken: MCP_AUTH_GIVEN_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createMcpAuthOptions')
  .setExtras(EXTRAS, (definition, { isGlobal }) => ({ ...definition, global: isGlobal ?? true }))
  .build();
