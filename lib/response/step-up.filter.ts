import { type ArgumentsHost, Catch, ForbiddenException } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { requestOf } from '../request/request-of.js';
import {
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  InsufficientScopeError,
} from '../errors/rejection.errors.js';
import { recordHandlerError } from './step-up.js';

/**
 * Sends the denial if a handler throws {@link InsufficientScopeError}, {@link AccessDeniedError} or
 * {@link AuthorizationServerUnavailableError}, so that Nest does not log a fault on a route. On
 * routes without a guard, the error is handled as without this filter.
 *
 * @internal
 */
@Catch(InsufficientScopeError, AccessDeniedError, AuthorizationServerUnavailableError)
export class StepUpFilter extends BaseExceptionFilter<Error> {
  override catch(error: Error, host: ArgumentsHost): void {
    const isRecorded = recordHandlerError(requestOf(host), error);
    // Errors of other contexts are passed to the handler of their context.
    if (host.getType() !== 'http') return;
    super.catch(isRecorded ? new ForbiddenException() : error, host);
  }
}
