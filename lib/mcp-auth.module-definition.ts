import { ConfigurableModuleBuilder } from '@nestjs/common';
import { MCP_AUTH_GIVEN_OPTIONS, WELL_KNOWN_CONTROLLERS } from './mcp-auth.constants.js';
import type { McpAuthModuleExtras, McpAuthModuleOptions } from './options/mcp-auth-options.js';
import {
  metadataController,
  mirrorController,
  type WellKnownControllers,
} from './resource/well-known.controllers.js';

/** An empty list of decorators means that none are needed; undefined means that the application did not decide. */
interface Extras extends Pick<McpAuthModuleExtras, 'isGlobal'> {
  readonly decorators?: McpAuthModuleExtras['decorators'] | undefined;
}

const EXTRAS: Extras = { isGlobal: true, decorators: undefined };

/**
 * Turns the arguments of `forRoot` and `forRootAsync` into a provider of the given options, and into controllers with the
 * given decorators.
 *
 * @internal
 */
export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<McpAuthModuleOptions>({
  optionsInjectionToken: MCP_AUTH_GIVEN_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createMcpAuthOptions')
  .setExtras(EXTRAS, (definition, { isGlobal, decorators }) => {
    const controllers: WellKnownControllers = {
      resources: metadataController(decorators ?? []),
      mirror: mirrorController(decorators ?? []),
      areDecorated: decorators !== undefined,
    };
    return {
      ...definition,
      global: isGlobal ?? true,
      controllers: [controllers.resources, controllers.mirror],
      providers: [
        ...(definition.providers ?? []),
        { provide: WELL_KNOWN_CONTROLLERS, useValue: controllers },
      ],
    };
  })
  .build();
