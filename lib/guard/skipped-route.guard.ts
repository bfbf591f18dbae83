import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { RequestContext } from '../auth-info/request-context.js';
import { SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';

/**
 * Records on a request that its route is open to everybody, so that a transport behind it serves the request. It depends
 * on nothing, as `@SkipBearerAuth()` puts it on classes of any module. A class that extends a skipped one is not skipped.
 *
 * @internal
 */
@Injectable()
export class SkippedRouteGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const isSkipped = targets.some((target) => Reflect.getOwnMetadata(SKIP_BEARER_AUTH, target) === true);
    if (isSkipped && context.getType() === 'http')
      RequestContext.of(context.switchToHttp().getRequest<object>()).openFor(undefined);
    return true;
  }
}
