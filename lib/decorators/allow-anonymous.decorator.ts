import { SetMetadata } from '@nestjs/common';
import { ALLOW_ANONYMOUS } from '../mcp-auth.constants.js';

/**
 * Lets callers without a token into a route, or all routes of a class; `@AuthInfo()` is undefined for them. A token that is
 * sent is verified all the same, and a bad one is refused with 401: who sends a token expects to be known by it. So is any
 * other content of the `Authorization` header. `requiredScopes` of the resource hold for callers with a token only.
 *
 * On the endpoint of `@rekog/mcp-nest` it opens the tools without scopes; a call of another one still needs a token. On a
 * tool it says nothing, as its endpoint decides who comes in.
 *
 * On a class it holds for this class, and not for those that extend it: each says so itself.
 *
 * Not together with `@RequireScopes()` or `@SkipBearerAuth()`: the application then does not start.
 *
 * @publicApi
 */
export const AllowAnonymous = (): ClassDecorator & MethodDecorator => SetMetadata(ALLOW_ANONYMOUS, true);
