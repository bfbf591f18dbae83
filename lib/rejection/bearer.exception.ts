import { HttpException } from '@nestjs/common';
import { McpAuthError } from '../errors/mcp-auth.error.js';
import { limitStackTrace } from '../errors/stack-trace.js';
import type { RejectionResponse } from './rejection-response.js';

/**
 * A request that the guard rejected. Nest answers it with its status and body; the headers are on the response
 * already, so an exception filter of the application may change the body and the challenge stays.
 *
 * `cause` is the decision, for filters and logs: one of the error classes of this package, or what a verifier threw.
 * `stack` has no frames. Thrown by the guard only: an exception made otherwise puts no header anywhere.
 *
 * @publicApi
 */
export class BearerException extends HttpException {
  /** The OAuth error of the body, whatever its form: `missing_token`, `invalid_token`, `insufficient_scope`, … */
  readonly error: string;
  /** What is on the response, for a filter that answers in another way. */
  readonly headers: Readonly<Record<string, string>>;

  /** @internal */
  constructor({ body, status, headers }: RejectionResponse, cause?: unknown) {
    const limit = limitStackTrace(0);
    try {
      super(body, status, { cause });
    } finally {
      limitStackTrace(limit);
    }
    this.error = 'jsonrpc' in body ? body.error.data.error : body.error;
    this.headers = headers;
  }

  /** The message is the description that clients get. @internal */
  override initMessage(): void {
    const body = this.getResponse() as RejectionResponse['body'];
    this.message = 'jsonrpc' in body ? body.error.message : body.error_description;
  }

  /** For logs: without the stack, and without a cause that is not of this package. */
  toJSON(): object {
    return {
      name: this.name,
      status: this.getStatus(),
      error: this.error,
      headers: this.headers,
      body: this.getResponse(),
      cause: this.cause instanceof McpAuthError ? this.cause : undefined,
    };
  }
}
