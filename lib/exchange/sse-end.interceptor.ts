import * as common from '@nestjs/common';
import { type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { EMPTY, fromEvent, type Observable, takeUntil } from 'rxjs';
import { watchOf } from '../auth-info/request-auth.js';
import { interceptInnermost } from '../platform/nest-metadata.js';
import { nodeResponseOf, type PlatformResponse } from '../platform/node-message.js';

/**
 * Ends what an `@Sse()` handler gives with its response. Nest waits for the connection to close, which goes on for the
 * next request where the stream has ended with its token. Answers that nothing watches go the way they would go without.
 */
const SSE_END: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    if (watchOf(http.getRequest<object>()) === undefined) return next.handle();
    const response = nodeResponseOf(http.getResponse<PlatformResponse>());
    if (response.closed) return EMPTY;
    return next.handle().pipe(takeUntil(fromEvent(response, 'close')));
  },
};

/**
 * Has the observables of `@Sse()` handlers end with their responses. Nest 11 before 11.2 does not need it where it waits for
 * the request to close, and would send what a handler with an interceptor throws as an event, with status 200.
 *
 * @internal
 */
export function endSse(handlers: readonly object[]): void {
  if (!('SSE_ABORT_CONTROLLER' in common)) return;
  for (const handler of handlers) interceptInnermost(handler, SSE_END);
}
