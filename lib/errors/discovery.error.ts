import { inspect } from 'node:util';
import { McpAuthError } from './mcp-auth.error.js';

/**
 * Why a document of an authorization server was not used.
 *
 * `unreachable`, `timeout` and `server_error` are outages: the same request may succeed later. The others mean that the
 * server, or its configuration here, must change.
 *
 * @publicApi
 */
export type DiscoveryFailure =
  | 'unreachable'
  | 'timeout'
  | 'server_error'
  | 'not_found'
  | 'redirected'
  | 'too_large'
  | 'not_json'
  | 'issuer_mismatch'
  | 'metadata_invalid'
  | 'transpile_failed';

/**
 * One document of one authorization server could not be fetched, or is not valid.
 *
 * @publicApi
 */
export class DiscoveryError extends McpAuthError {
  /** What happened, in words for an operator. */
  readonly detail: string;

  /**
   * @param failure - the kind of failure
   * @param url - the document's URL, or undefined for metadata in the options
   * @param detail - what happened, in words for an operator
   */
  constructor(
    readonly failure: DiscoveryFailure,
    readonly url: string | undefined,
    detail: string,
    options?: ErrorOptions,
  ) {
    const text = onOneLine(detail);
    super('ERR_MCP_AUTH_DISCOVERY', url === undefined ? text : `${url}: ${text}`, options);
    this.detail = text;
  }
}

/** Part of the text comes from a document, such as its issuer; it must not look like another line of a log. */
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}

/**
 * All failures of one authorization server: every URL tried, in order.
 *
 * @publicApi
 */
export interface AuthorizationServerFailure {
  /** The issuer, else the metadata URL, else a text that names the resource whose options contain the metadata. */
  readonly server: string;
  readonly attempts: readonly DiscoveryError[];
}

/**
 * One or more authorization servers could not be resolved at bootstrap, so the application does not start.
 *
 * The message names each server and each URL tried; `failures` holds the same for programs.
 *
 * @publicApi
 */
export class BootstrapDiscoveryError extends McpAuthError {
  /**
   * @param failures - each server that failed, with what was tried
   * @param advice - what the operator can do, as a further line of the message
   */
  constructor(
    readonly failures: readonly AuthorizationServerFailure[],
    advice?: string,
  ) {
    const lines = failures.flatMap(({ server, attempts }) => [
      `  - ${server}`,
      ...attempts.map((attempt) => `      ${attempt.message}`),
    ]);
    const subject = failures.length === 1 ? 'An authorization server' : 'Authorization servers';
    const text = [`${subject} could not be resolved:`, ...lines, ...(advice === undefined ? [] : [advice])];
    super('ERR_MCP_AUTH_DISCOVERY', text.join('\n'), { cause: failures.flatMap(({ attempts }) => attempts) });
  }

  /** What Node prints: the message contains everything in `failures` and `cause`, so their stacks are left out. @internal */
  [inspect.custom](): string {
    return this.stack ?? this.message;
  }
}
