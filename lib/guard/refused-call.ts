import { type BearerException } from '../challenge/bearer.exception.js';
import {
  CredentialsRefusedError,
  InsufficientScopeError,
  MessageRefusedError,
} from '../errors/refusal.errors.js';
import { SdkProtocolError } from '../platform/mcp-sdk.js';

const NOT_CONFIGURED =
  'The call carries no caller, so what needs one does not run; over stdio, configure one by the option "stdio"';

/**
 * Refuses a call of an MCP handler behind which there is no HTTP request: with a JSON-RPC error, whose code is the HTTP
 * status that the refusal would have had, in place of a result that only says that something went wrong.
 *
 * @param exception - the refusal
 * @param failure - why
 * @throws always: what @nestjs/microservices passes on to the transport as it is, or the exception where it is not installed
 * @internal
 */
export async function refuseCall(exception: BearerException, failure: unknown): Promise<never> {
  const rpc = await import('@nestjs/microservices').catch(() => undefined);
  if (!rpc) throw exception;
  throw new rpc.RpcException(refusedCall(exception.getStatus(), failure));
}

/** The JSON-RPC error that says why a call was refused. @internal */
export function refusedCall(status: number, failure: unknown): SdkProtocolError {
  if (failure instanceof InsufficientScopeError) {
    const scope = failure.scopes.join(' ');
    return new SdkProtocolError(`The caller lacks scopes; this needs: ${scope}`, status, {
      error: 'insufficient_scope',
      scope,
    });
  }
  if (failure instanceof CredentialsRefusedError)
    return new SdkProtocolError(NOT_CONFIGURED, status, { error: 'missing_token' });
  if (failure instanceof MessageRefusedError)
    return new SdkProtocolError('This operation belongs to another protected resource', status, {
      error: 'forbidden_operation',
    });
  return status === 401
    ? new SdkProtocolError('The caller is not accepted', status, { error: 'invalid_token' })
    : new SdkProtocolError('The caller could not be checked', status, { error: 'server_error' });
}
