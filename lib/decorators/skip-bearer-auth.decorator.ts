import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { SkippedRouteGuard } from '../guard/skipped-route.guard.js';
import { SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';

/**
 * Opens a route, or all routes of a class, that {@link BearerAuthGuard} would cover as a global guard. A token
 * that is sent all the same is not looked at, and `@AuthInfo()` is undefined.
 *
 * A transport of `@rekog/mcp-nest` behind the route then serves requests without authentication.
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
export const SkipBearerAuth = (): ClassDecorator & MethodDecorator =>
  applyDecorators(SetMetadata(SKIP_BEARER_AUTH, true), UseGuards(SkippedRouteGuard));
