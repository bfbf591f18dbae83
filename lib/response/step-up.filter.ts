import { type ArgumentsHost, Catch, ForbiddenException } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { requestOf } from '../request/request-of.js';
import { AccessDeniedError, InsufficientScopeError } from '../errors/rejection.errors.js';
import { recordDenial } from './step-up.js';

/**
 * Sends the denial if a handler throws {@link InsufficientScopeError} or {@link AccessDeniedError}, so that Nest does not log a fault on a route. On
 * routes without a guard, the error is handled as without this filter.
 *
 * @internal
 */
@Catch(InsufficientScopeError, AccessDeniedError)
export class StepUpFilter extends BaseExceptionFilter<InsufficientScopeError | AccessDeniedError> {
  override catch(error: InsufficientScopeError | AccessDeniedError, host: ArgumentsHost): void {
    const isRecorded = recordDenial(requestOf(host), error);
    // Errors of other contexts are passed to the handler of their context.
    if (host.getType() !== 'http') return;
    super.catch(isRecorded ? (new ForbiddenException() as never) : error, host);
  }
}
