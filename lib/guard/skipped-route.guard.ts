import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { RequestContext } from '../request/request-context.js';
import { SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';
import { isMarked } from '../platform/nest-metadata.js';

/**
 * Records on a request that its route is public, so that a transport behind it serves the request. It has no dependencies,
 * because `@SkipBearerAuth()` puts it on classes of any module. A class that extends a skipped one is not skipped.
 *
 * @internal
 */
@Injectable()
export class SkippedRouteGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const isSkipped = isMarked(SKIP_BEARER_AUTH, context.getClass(), context.getHandler());
    if (isSkipped && context.getType() === 'http')
      RequestContext.of(context.switchToHttp().getRequest<object>()).openFor(undefined);
    return true;
  }
}
