import { type ArgumentsHost, Catch, ForbiddenException } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { requestOf } from '../request/request-of.js';
import { InsufficientScopeError } from '../errors/rejection.errors.js';
import { recordDenial } from './step-up.js';

/**
 * Has a request whose handler throws {@link InsufficientScopeError} answered with the denial, so that Nest takes it on a
 * route for no fault and logs none. What is thrown on routes that nobody guards goes the way it would go without this filter.
 *
 * @internal
 */
@Catch(InsufficientScopeError)
export class StepUpFilter extends BaseExceptionFilter<InsufficientScopeError> {
  override catch(error: InsufficientScopeError, host: ArgumentsHost): void {
    const isRecorded = recordDenial(requestOf(host), error);
    // What is not answered here is given to the handler of the context that it was thrown in.
    if (host.getType() !== 'http') return;
    super.catch(isRecorded ? (new ForbiddenException() as never) : error, host);
  }
}
