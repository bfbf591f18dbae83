import type { BearerException } from '../rejection/bearer.exception.js';
import {
  AccessDeniedError,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  MessageRejectedError,
} from '../errors/rejection.errors.js';
import { SdkProtocolError } from '../platform/mcp-sdk.js';

const NOT_CONFIGURED = 'This tool requires an authenticated caller. For stdio, set the option "stdio".';

/**
 * Rejects a call of an MCP handler without an HTTP request. The JSON-RPC error has the HTTP status of the rejection as its
 * code. A result would only say that something went wrong.
 *
 * @param exception - the rejection
 * @param failure - why
 * @throws always: an error that @nestjs/microservices passes to the transport unchanged, or the exception if it is not
 * installed
 * @internal
 */
export async function rejectCall(exception: BearerException, failure: unknown): Promise<never> {
  const rpc = await import('@nestjs/microservices').catch(() => undefined);
  if (!rpc) throw exception;
  throw new rpc.RpcException(rejectedCall(exception.getStatus(), failure));
}

/** Returns the JSON-RPC error that says why a call was rejected. @internal */
export function rejectedCall(status: number, failure: unknown): SdkProtocolError {
  if (failure instanceof InsufficientScopeError) {
    const scope = failure.scopes.join(' ');
    return new SdkProtocolError(`The caller lacks scopes; this needs: ${scope}`, status, {
      error: 'insufficient_scope',
      scope,
    });
  }
  if (failure instanceof InsufficientAuthenticationError) {
    const { acrValues, maxAgeSeconds } = failure;
    return new SdkProtocolError('This needs a stronger or more recent authentication of the user', status, {
      error: 'insufficient_user_authentication',
      ...(acrValues.length > 0 && { acr_values: acrValues.join(' ') }),
      ...(maxAgeSeconds !== undefined && { max_age: maxAgeSeconds }),
    });
  }
  if (failure instanceof AccessDeniedError)
    return new SdkProtocolError('The caller is not allowed to do this', status, { error: 'access_denied' });
  if (failure instanceof CredentialsRejectedError)
    return new SdkProtocolError(NOT_CONFIGURED, status, { error: 'missing_token' });
  if (failure instanceof MessageRejectedError)
    return new SdkProtocolError('This operation belongs to another protected resource', status, {
      error: 'forbidden_operation',
    });
  return status === 401
    ? new SdkProtocolError('The caller is not accepted', status, { error: 'invalid_token' })
    : new SdkProtocolError('The caller could not be checked', status, { error: 'server_error' });
}
