import { type HttpServer } from '@nestjs/common';
import { BearerException } from './bearer.exception.js';
import { type ChallengedResource, type RefusalSettings } from './refusal-answers.js';
import { isJsonRpcRefusal, requestIdOf } from './refusal-body.js';
import { refusalResponse } from './refusal-response.js';

/** What a refusal is about and where it goes. @internal */
export interface RefusedRequest {
  readonly resource: ChallengedResource;
  readonly options: RefusalSettings;
  /** The part of an HTTP adapter that is used, so that any platform will do. */
  readonly adapter: Pick<HttpServer, 'setHeader'>;
  /** Undefined where a handler is called within another request: then only the exception is left. */
  readonly response: unknown;
  /** Gives the request's body, parsed; asked for only where the answer depends on it. */
  readonly body?: () => unknown;
}

/** Puts a refusal's headers on the response and gives the exception to throw. @internal */
export function refuse(
  failure: unknown,
  { resource, options, adapter, response, body }: RefusedRequest,
): BearerException {
  const id = isJsonRpcRefusal(failure, options) ? requestIdOf(body?.()) : null;
  const refusal = refusalResponse(failure, resource, options, id);
  if (response !== undefined) {
    for (const [name, value] of Object.entries(refusal.headers)) adapter.setHeader(response, name, value);
  }
  return new BearerException(refusal, failure);
}
