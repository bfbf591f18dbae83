import type { AccessDeniedError, TokenRejectedError } from '../errors/rejection.errors.js';
import { SdkInvalidTokenError } from '../platform/mcp-sdk.js';

const DESCRIPTION = 'The access token is invalid or expired';

/** The class of an error that means `invalid_token`, such as that of `@modelcontextprotocol/sdk`. @publicApi */
export type InvalidTokenErrorClass = new (message: string) => Error;

/** Returns the error for a host: of the host's own class, else an {@link SdkInvalidTokenError}. @internal */
export function invalidTokenError(
  cause: TokenRejectedError | AccessDeniedError,
  type?: InvalidTokenErrorClass,
): Error {
  if (!type) return new SdkInvalidTokenError(DESCRIPTION, { cause });
  return Object.defineProperty(new type(DESCRIPTION), 'cause', { value: cause });
}
