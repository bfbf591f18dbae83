import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { SkippedRouteGuard } from '../guard/skipped-route.guard.js';
import { SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';

/**
 * Exempts a route, or all routes of a class, from {@link BearerAuthGuard}, such as a global one.
 *
 * A token is not verified there, and `@AuthInfo()` is undefined. A transport of `@rekog/mcp-nest` behind the route serves
 * requests without authentication. To authenticate callers who send a token and accept those who do not, use
 * {@link AllowAnonymous}.
 *
 * A class that extends a decorated class does not inherit this. A decorated method is open in every class that inherits it;
 * a method that overrides it is not.
 *
 * Together with `@RequireScopes()` or `@AllowAnonymous()` the application does not start.
 *
 * @publicApi
 */
export const SkipBearerAuth = (): ClassDecorator & MethodDecorator =>
  applyDecorators(SetMetadata(SKIP_BEARER_AUTH, true), UseGuards(SkippedRouteGuard));
