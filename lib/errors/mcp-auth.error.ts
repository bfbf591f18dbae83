import { limitStackTrace } from './stack-trace.js';

/**
 * Stable codes of the errors of this package. Adding one is a minor release, renaming one a major.
 *
 * @publicApi
 */
export type McpAuthErrorCode =
  | 'ERR_MCP_AUTH_CONFIG'
  | 'ERR_MCP_AUTH_DISCOVERY'
  | 'ERR_MCP_AUTH_UNAVAILABLE'
  | 'ERR_MCP_AUTH_ORIGIN_REJECTED'
  | 'ERR_MCP_AUTH_CREDENTIALS_REJECTED'
  | 'ERR_MCP_AUTH_TOKEN_REJECTED'
  | 'ERR_MCP_AUTH_INSUFFICIENT_SCOPE'
  | 'ERR_MCP_AUTH_INSUFFICIENT_AUTHENTICATION'
  | 'ERR_MCP_AUTH_ACCESS_DENIED'
  | 'ERR_MCP_AUTH_MESSAGE_REJECTED'
  | 'ERR_MCP_AUTH_DOWNSTREAM_TOKEN'
  | 'ERR_MCP_AUTH_TENANT_REJECTED';

const REJECTIONS: ReadonlySet<McpAuthErrorCode> = new Set([
  'ERR_MCP_AUTH_ORIGIN_REJECTED',
  'ERR_MCP_AUTH_CREDENTIALS_REJECTED',
  'ERR_MCP_AUTH_TOKEN_REJECTED',
  'ERR_MCP_AUTH_INSUFFICIENT_SCOPE',
  'ERR_MCP_AUTH_INSUFFICIENT_AUTHENTICATION',
  'ERR_MCP_AUTH_ACCESS_DENIED',
  'ERR_MCP_AUTH_MESSAGE_REJECTED',
  'ERR_MCP_AUTH_TENANT_REJECTED',
]);

/**
 * Base class of all errors of this package. It is independent of HTTP and never contains a token. The `stack` of a rejection
 * has no frames.
 *
 * @publicApi
 */
export abstract class McpAuthError extends Error {
  readonly code: McpAuthErrorCode;

  protected constructor(code: McpAuthErrorCode, message: string, options?: ErrorOptions) {
    const limit = limitStackTrace(REJECTIONS.has(code) ? 0 : Error.stackTraceLimit);
    try {
      super(message, options);
    } finally {
      limitStackTrace(limit);
    }
    this.code = code;
    this.name = new.target.name;
  }

  /** For logs: name, code, message and the members of the subclass; neither stack nor cause. */
  toJSON(): object {
    return Object.assign({}, this, { message: this.message });
  }
}
