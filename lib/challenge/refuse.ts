import { type HttpServer } from '@nestjs/common';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { BearerException } from './bearer.exception.js';
import { refusalResponse } from './refusal-response.js';

/** The part of an HTTP adapter that is used, so that any platform will do. */
type HeaderWriter = Pick<HttpServer, 'setHeader'>;

/**
 * Puts a refusal's headers on the response and gives the exception to throw. Without a response, as for a
 * handler that is called within another request, only the exception is left.
 *
 * @internal
 */
export function refuse(
  failure: unknown,
  { options, metadataUrl }: KnownResource,
  adapter: HeaderWriter,
  response: unknown,
): BearerException {
  const { status, headers, body } = refusalResponse(failure, {
    metadataUrl,
    requiredScopes: options.requiredScopes,
  });
  if (response !== undefined) {
    for (const [name, value] of Object.entries(headers)) adapter.setHeader(response, name, value);
  }
  return new BearerException(body, status, { cause: failure });
}
