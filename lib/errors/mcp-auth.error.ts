/**
 * Stable codes of the errors of this package. Adding one is a minor release, renaming one a major.
 *
 * @publicApi
 */
export type McpAuthErrorCode =
  | 'ERR_MCP_AUTH_CONFIG'
  | 'ERR_MCP_AUTH_DISCOVERY'
  | 'ERR_MCP_AUTH_UNAVAILABLE'
  | 'ERR_MCP_AUTH_CREDENTIALS_REFUSED'
  | 'ERR_MCP_AUTH_TOKEN_REFUSED'
  | 'ERR_MCP_AUTH_INSUFFICIENT_SCOPE';

/**
 * Base of all errors of this package. Knows nothing of HTTP and never holds a token.
 *
 * @publicApi
 */
export abstract class McpAuthError extends Error {
  protected constructor(
    readonly code: McpAuthErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}
