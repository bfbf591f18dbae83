/**
 * The property of MCP SDK errors with the names of their classes. `instanceof` uses it, in any copy of the SDK.
 * Undocumented. Checked with @modelcontextprotocol/server 2.0.0 to 2.4.0.
 */
const ERROR_BRANDS = Symbol.for('mcp.sdk.errorBrands');

function brand(error: Error, type: 'OAuthError' | 'ProtocolError'): void {
  error.name = type;
  Object.defineProperty(error, ERROR_BRANDS, { value: new Set([`mcp.${type}`]) });
}

/**
 * A rejected token for the MCP SDK's middleware: an `OAuthError` of `@modelcontextprotocol/server` with the
 * code `invalid_token`, without that package. `cause` has the reason.
 *
 * @internal
 */
export class SdkInvalidTokenError extends Error {
  readonly code = 'invalid_token';
  readonly errorUri = undefined;

  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    brand(this, 'OAuthError');
  }

  toResponseObject(): { error: string; error_description: string } {
    return { error: this.code, error_description: this.message };
  }
}

/**
 * A JSON-RPC error that the MCP SDK answers a call with: a `ProtocolError` of `@modelcontextprotocol/server`, without that
 * package.
 *
 * @internal
 */
export class SdkProtocolError extends Error {
  constructor(
    message: string,
    readonly code: number,
    readonly data: Readonly<Record<string, unknown>>,
  ) {
    super(message);
    brand(this, 'ProtocolError');
  }
}
