import { SetMetadata } from '@nestjs/common';
import { NO_FURTHER_SCOPES } from '../mcp-auth.constants.js';

/**
 * States that a tool, or each tool of a class, needs the scopes of its resource and no others. It changes no decision: with
 * the option `undecoratedTools: 'deny'` every tool has this or `@RequireScopes()`, so that none is forgotten.
 *
 * On a class it holds for this class, and not for those that extend it. Not on a tool that has scopes by `@RequireScopes()`,
 * on itself or its class: the application then does not start.
 *
 * @publicApi
 */
export const NoFurtherScopes = (): ClassDecorator & MethodDecorator => SetMetadata(NO_FURTHER_SCOPES, true);
