import { SetMetadata } from '@nestjs/common';
import { ALLOW_ANONYMOUS } from '../mcp-auth.constants.js';

/**
 * Accepts requests without a token at a route, or at all routes of a class. `@AuthInfo()` is undefined for them.
 *
 * A request that has an `Authorization` header is authenticated as usual. If its token is not valid, or the header contains
 * anything else, the request is rejected with 401. `requiredScopes` of the resource apply only to callers with a token.
 *
 * On the endpoint of `@rekog/mcp-nest`, tools without scopes need no token; calls of other tools still need one. On a tool the
 * decorator says that sign-in is optional: the tool runs without a token, and does more with one. Lists then offer both to
 * clients, see the option `toolSecuritySchemes`. The tool gets anonymous callers only if its endpoint or its resource allows
 * them. If there are several resources and one has `anonymousMethods`, tools, prompts and resources need `@ProtectedResource()`
 * too, because they are open at that resource only; without it the application does not start.
 *
 * A class that extends a decorated class does not inherit this.
 *
 * Together with `@RequireScopes()` or `@SkipBearerAuth()` the application does not start.
 *
 * @publicApi
 */
export const AllowAnonymous = (): ClassDecorator & MethodDecorator => SetMetadata(ALLOW_ANONYMOUS, true);
