import { HttpException } from '@nestjs/common';
import { McpAuthError } from '../errors/mcp-auth.error.js';
import { InsufficientAuthenticationError } from '../errors/rejection.errors.js';
import { limitStackTrace } from '../errors/stack-trace.js';
import type { RejectionBody } from './rejection-body.js';
import type { RejectionResponse } from './rejection-response.js';

/**
 * Thrown by the guard when it rejects a request. Nest sends its status and body. The guard has already set the headers
 * on the response, so the challenge stays if an exception filter of the application changes the body.
 *
 * With the option `toolChallenge`, the status may be 200 and the body a {@link ToolChallengeBody}.
 *
 * `cause` is the reason, for filters and logs: an error class of this package, or the error that a verifier threw.
 * `stack` has no frames. Only the guard sets headers: creating this exception elsewhere sets none.
 *
 * @publicApi
 */
export class BearerException extends HttpException {
  /** The OAuth error of the body, in both body forms: `missing_token`, `invalid_token`, `insufficient_scope`, … */
  readonly error: string;
  /** The headers set on the response, for a filter that sends another response. A header with several lines has a list. */
  readonly headers: Readonly<Record<string, string | string[]>>;

  /** @internal */
  constructor({ body, status, headers }: RejectionResponse, cause?: unknown) {
    const limit = limitStackTrace(0);
    try {
      super(body, status, { cause });
    } finally {
      limitStackTrace(limit);
    }
    this.error = oauthErrorOf(body, cause).error;
    this.headers = headers;
  }

  /** Sets the message to the description that clients get. @internal */
  override initMessage(): void {
    this.message = oauthErrorOf(this.getResponse() as RejectionResponse['body']).error_description;
  }

  /** Returns an object for logs, without the stack. It has `cause` only if that is an error of this package. */
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

/** @param cause - of a tool result, which says its error only in its challenge */
function oauthErrorOf(
  body: RejectionResponse['body'],
  cause?: unknown,
): Pick<RejectionBody, 'error' | 'error_description'> {
  if (!('jsonrpc' in body)) return body;
  if ('error' in body) return body.error.data;
  const isWeak = cause instanceof InsufficientAuthenticationError;
  const error = isWeak ? 'insufficient_user_authentication' : 'insufficient_scope';
  return { error, error_description: body.result.content[0].text };
}
