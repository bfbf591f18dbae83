import type { HttpServer } from '@nestjs/common';
import { BearerException } from './bearer.exception.js';
import type { ChallengedResource, RejectionSettings } from './rejection-answers.js';
import { isJsonRpcRejection, requestIdOf } from './rejection-body.js';
import { rejectionResponse } from './rejection-response.js';

/** The context of a rejection, and the response it is for. @internal */
export interface RejectedRequest {
  readonly resource: ChallengedResource;
  readonly options: RejectionSettings;
  /** The part of an HTTP adapter that is used. Any platform has it. */
  readonly adapter: Pick<HttpServer, 'setHeader'>;
  /** Undefined if a handler is called within another request. Then no headers are set. */
  readonly response: unknown;
  /** Returns the request's parsed body. Called only if the response depends on it. */
  readonly body?: () => unknown;
}

/** Sets a rejection's headers on the response, and returns the exception to throw. @internal */
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
