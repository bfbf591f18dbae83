import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Response } from 'express';
import { errors } from 'oidc-provider';
import { errorPage, PAGE_HEADERS } from './pages.js';

/** Errors on the pages are pages too, for example when a sign-in took too long. */
@Catch()
export class InteractionErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('AuthorizationServer');

  catch(exception: unknown, host: ArgumentsHost): void {
    const { status, error, description } = this.describe(exception);
    const response = host.switchToHttp().getResponse<Response>();
    response.status(status).set(PAGE_HEADERS).send(errorPage(error, description));
  }

  private describe(exception: unknown): { status: number; error: string; description: string } {
    if (exception instanceof errors.SessionNotFound) {
      const description = 'This sign-in has expired or belongs to another browser. Please start again.';
      return { status: 400, error: 'expired', description };
    }
    if (exception instanceof HttpException) {
      return { status: exception.getStatus(), error: 'invalid_request', description: exception.message };
    }
    this.logger.error(exception);
    return { status: 500, error: 'server_error', description: 'The server could not answer.' };
  }
}
