import { SetMetadata } from '@nestjs/common';
import { SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';

/**
 * Opens a route, or all routes of a class, that {@link BearerAuthGuard} would cover as a global guard. A token
 * that is sent all the same is not looked at, and `@AuthInfo()` is undefined.
 *
 * To know callers who send a token and to let in those who do not, take {@link AllowAnonymous}.
 *
 * On a class it holds for this class, and not for those that extend it: each says so itself. A decorated method is open in
 * every class that inherits it.
 *
 * Not together with `@RequireScopes()` or `@AllowAnonymous()`: the application then does not start.
 *
 * @publicApi
 */
export const SkipBearerAuth = (): ClassDecorator & MethodDecorator => SetMetadata(SKIP_BEARER_AUTH, true);
