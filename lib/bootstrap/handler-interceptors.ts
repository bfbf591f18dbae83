import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { EMPTY, fromEvent, type Observable, takeUntil, tap } from 'rxjs';
import { RequestContext } from '../request/request-context.js';
import { requestOf } from '../request/request-of.js';
import {
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  InsufficientScopeError,
} from '../errors/rejection.errors.js';
import { HandlerScan } from './handler-scan.js';
import { filterInnermost, interceptInnermost } from '../platform/nest-metadata.js';
import { nodeResponseOf, type PlatformResponse } from '../platform/node-message.js';
import { StepUpFilter } from '../response/step-up.filter.js';
import { recordHandlerError } from '../response/step-up.js';

/**
 * Ends the observable of an `@Sse()` handler with its response. Nest waits until the connection closes, but the connection
 * stays open for the next request after a stream has ended with its token. A response without an expiry is not changed.
 */
const SSE_END: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    if (RequestContext.find(http.getRequest<object>())?.response?.expiresAt === undefined)
      return next.handle();
    const response = nodeResponseOf(http.getResponse<PlatformResponse>());
    if (response.closed) return EMPTY;
    return next.handle().pipe(takeUntil(fromEvent(response, 'close')));
  },
};

/** The errors by which a handler ends its own request. */
const DENIAL_ERRORS = [InsufficientScopeError, AccessDeniedError, AuthorizationServerUnavailableError];

/** Records the error that a handler throws, before a filter of the application catches it. */
const DENIALS: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const error = (thrown: unknown): void => {
      if (DENIAL_ERRORS.some((type) => thrown instanceof type))
        recordHandlerError(requestOf(context), thrown);
    };
    return next.handle().pipe(tap({ error }));
  },
};

const DENIAL_FILTER = new StepUpFilter();

/**
 * Puts interceptors and filters on handlers, before Nest creates routes and connects microservices, because it reads them from
 * the handlers then. A microservice may be connected as soon as the application is created, so this runs when providers are
 * created.
 *
 * The global filter gets the errors of routes, unless a route has filters of its own. No global filter gets the errors of a
 * microservice's handlers. A filter costs nothing if nothing is thrown. With an interceptor, a handler is called a moment
 * later, when a stream has begun. So only handlers with filters of the application get an interceptor.
 *
 * @internal
 */
@Injectable()
export class HandlerInterceptors {
  constructor(scan: HandlerScan) {
    for (const handler of scan.eventStreams()) interceptInnermost(handler, SSE_END);
    for (const { handler, isMcp, filters } of scan.filteredHandlers()) {
      if (filters.some((filter) => filter !== DENIAL_FILTER)) interceptInnermost(handler, DENIALS);
      else if (isMcp) filterInnermost(handler, DENIAL_FILTER);
    }
  }
}
