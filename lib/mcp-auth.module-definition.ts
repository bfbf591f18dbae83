import { ConfigurableModuleBuilder } from '@nestjs/common';
import { MCP_AUTH_GIVEN_OPTIONS, WELL_KNOWN_CONTROLLER } from './mcp-auth.constants.js';
import { type McpAuthModuleExtras, type McpAuthModuleOptions } from './options/mcp-auth-options.interface.js';
import { metadataController } from './resource-metadata/protected-resource-metadata.controller.js';

const EXTRAS: McpAuthModuleExtras = { isGlobal: true, decorators: [] };

/**
 * Turns what users give to `forRoot` and `forRootAsync` into a provider of the given options, and into the controller
 * that bears their decorators.
 *
 * @internal
 */
export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<McpAuthModuleOptions>({
  optionsInjectionToken: MCP_AUTH_GIVEN_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createMcpAuthOptions')
  .setExtras(EXTRAS, (definition, { isGlobal, decorators }) => {
    const controller = metadataController(decorators ?? []);
    return {
      ...definition,
      global: isGlobal ?? true,
      controllers: [controller],
      providers: [...(definition.providers ?? []), { provide: WELL_KNOWN_CONTROLLER, useValue: controller }],
    };
  })
  .build();
