import { type TokenRefusedError } from '../errors/refusal.errors.js';

/** Where errors of the MCP SDK carry what its `instanceof` goes by, whichever copy of the SDK asks. */
const SDK_ERROR_BRANDS = Symbol.for('mcp.sdk.errorBrands');

const DESCRIPTION = 'The access token is invalid or expired';

/**
 * A refused token as the MCP SDK's middleware understands it: an `OAuthError` of `@modelcontextprotocol/server`
 * with the code `invalid_token`, without that package. `cause` has the reason.
 *
 * @internal
 */
export class SdkInvalidTokenError extends Error {
  readonly code = 'invalid_token';
  readonly errorUri = undefined;

  constructor(cause: TokenRefusedError) {
    super(DESCRIPTION, { cause });
    this.name = 'OAuthError';
    Object.defineProperty(this, SDK_ERROR_BRANDS, { value: new Set(['mcp.OAuthError']) });
  }

  toResponseObject(): { error: string; error_description: string } {
    return { error: this.code, error_description: this.message };
  }
}

/** The class of an error that says `invalid_token`, such as that of `@modelcontextprotocol/sdk`. @publicApi */
export type InvalidTokenErrorClass = new (message: string) => Error;

/** The error to throw to a host: of its own class, else as {@link SdkInvalidTokenError}. @internal */
export function invalidTokenError(cause: TokenRefusedError, type?: InvalidTokenErrorClass): Error {
  if (!type) return new SdkInvalidTokenError(cause);
  return Object.defineProperty(new type(DESCRIPTION), 'cause', { value: cause });
}
