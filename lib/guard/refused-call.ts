import { type BearerException } from '../challenge/bearer.exception.js';
import {
  CredentialsRefusedError,
  InsufficientScopeError,
  MessageRefusedError,
} from '../errors/refusal.errors.js';

/** Where errors of the MCP SDK carry what its `instanceof` goes by, whichever copy of the SDK asks. */
const SDK_ERROR_BRANDS = Symbol.for('mcp.sdk.errorBrands');

const NOT_CONFIGURED =
  'The call carries no caller, so what needs one does not run; over stdio, configure one by the option "stdio"';

/** What a call is answered with that was refused where there is no HTTP answer: a JSON-RPC error of the MCP SDK. */
class RefusedCallError extends Error {
  constructor(
    message: string,
    readonly code: number,
    readonly data: Readonly<Record<string, unknown>>,
  ) {
    super(message);
    this.name = 'ProtocolError';
    Object.defineProperty(this, SDK_ERROR_BRANDS, { value: new Set(['mcp.ProtocolError']) });
  }
}

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
export function refusedCall(status: number, failure: unknown): RefusedCallError {
  if (failure instanceof InsufficientScopeError) {
    const scope = failure.scopes.join(' ');
    return new RefusedCallError(`The caller lacks scopes; this needs: ${scope}`, status, {
      error: 'insufficient_scope',
      scope,
    });
  }
  if (failure instanceof CredentialsRefusedError)
    return new RefusedCallError(NOT_CONFIGURED, status, { error: 'missing_token' });
  if (failure instanceof MessageRefusedError)
    return new RefusedCallError('This operation belongs to another protected resource', status, {
      error: 'forbidden_operation',
    });
  return status === 401
    ? new RefusedCallError('The caller is not accepted', status, { error: 'invalid_token' })
    : new RefusedCallError('The caller could not be checked', status, { error: 'server_error' });
}
