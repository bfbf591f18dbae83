import { type ArgumentsHost, Catch, ForbiddenException } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { InsufficientScopeError } from '../errors/refusal.errors.js';
import { isSteppingUp } from './step-up.js';

/**
 * Ends a request of HTTP whose handler throws {@link InsufficientScopeError}, so that Nest takes it for no fault and logs
 * none: what is sent is the refusal that was noted when the error was made. Everything else, and what is thrown on routes
 * that nobody guards, goes the way it would go without this filter.
 *
 * @internal
 */
@Catch(InsufficientScopeError)
export class StepUpFilter extends BaseExceptionFilter<InsufficientScopeError> {
  override catch(error: InsufficientScopeError, host: ArgumentsHost): void {
    // What is not answered here is given to the handler of the context that it was thrown in.
    if (host.getType() !== 'http') return;
    const isNoted = isSteppingUp(host.switchToHttp().getRequest<object>());
    super.catch(isNoted ? (new ForbiddenException() as never) : error, host);
  }
}
