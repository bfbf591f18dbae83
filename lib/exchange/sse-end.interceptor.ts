import { type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { EMPTY, fromEvent, type Observable, takeUntil } from 'rxjs';
import { responseOf } from '../auth-info/request-auth.js';
import { interceptInnermost } from '../platform/nest-metadata.js';
import { nodeResponseOf, type PlatformResponse } from '../platform/node-message.js';

/**
 * Ends the observable of an `@Sse()` handler with its response. Nest waits for the connection to close, which goes on for
 * the next request after a stream has ended with its token. A response without an expiry is left alone.
 */
const SSE_END: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    if (responseOf(http.getRequest<object>())?.expiresAt === undefined) return next.handle();
    const response = nodeResponseOf(http.getResponse<PlatformResponse>());
    if (response.closed) return EMPTY;
    return next.handle().pipe(takeUntil(fromEvent(response, 'close')));
  },
};

/**
 * Has the observables of `@Sse()` handlers end with their responses. To be called before Nest makes routes.
 *
 * @internal
 */
export function endSse(handlers: readonly object[]): void {
  for (const handler of handlers) interceptInnermost(handler, SSE_END);
}
