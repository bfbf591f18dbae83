import type { HttpServer } from '@nestjs/common';
import { BearerException } from './bearer.exception.js';
import type { ChallengedResource, RejectionSettings } from './rejection-answers.js';
import { isJsonRpcRejection, requestIdOf } from './rejection-body.js';
import { rejectionResponse } from './rejection-response.js';

/** What a rejection is about and where it goes. @internal */
export interface RejectedRequest {
  readonly resource: ChallengedResource;
  readonly options: RejectionSettings;
  /** The part of an HTTP adapter that is used, so that any platform will do. */
  readonly adapter: Pick<HttpServer, 'setHeader'>;
  /** Undefined where a handler is called within another request: then only the exception is left. */
  readonly response: unknown;
  /** Gives the request's body, parsed; asked for only where the answer depends on it. */
  readonly body?: () => unknown;
}

/** Puts a rejection's headers on the response and gives the exception to throw. @internal */
export function reject(
  failure: unknown,
  { resource, options, adapter, response, body }: RejectedRequest,
): BearerException {
  const id = isJsonRpcRejection(failure, options) ? requestIdOf(body?.()) : null;
  const rejection = rejectionResponse(failure, resource, options, id);
  if (response !== undefined) {
    for (const [name, value] of Object.entries(rejection.headers)) adapter.setHeader(response, name, value);
  }
  return new BearerException(rejection, failure);
}
