import { SetMetadata } from '@nestjs/common';
import { NO_FURTHER_SCOPES } from '../mcp-auth.constants.js';

/**
 * States that a tool, or each tool of a class, needs the scopes of its resource and no others.
 *
 * The decorator changes no decision. With the option `undecoratedTools: 'deny'` every tool must have this decorator or
 * `@RequireScopes()`, so that no tool is forgotten.
 *
 * A class that extends a decorated class does not inherit this. If a tool has this decorator and also `@RequireScopes()`, on
 * itself or on its class, the application does not start.
 *
 * @publicApi
 */
export const NoFurtherScopes = (): ClassDecorator & MethodDecorator => SetMetadata(NO_FURTHER_SCOPES, true);
