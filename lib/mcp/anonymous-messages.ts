import type { McpOperation } from './operations.js';
import { HANDLER_METHODS, operationsOf } from './operations.js';

/** What callers without a token may send. @internal */
export interface OpenMessages {
  /** The methods that are open, exactly as messages name them. */
  readonly methods: readonly string[];
  /** Whether the handlers of an operation are open. */
  isOpen(operation: McpOperation): boolean;
  /** Whether responses to requests of the server are open: in a session that was opened without a token. */
  takesResponses(): boolean;
}

/** The methods that run one handler. */
const RUNNING: ReadonlySet<unknown> = new Set(Object.values(HANDLER_METHODS));

/**
 * Returns whether a parsed body has only messages that callers without a token may send: one message, or every message of a
 * batch. A message is a JSON-RPC 2.0 request or notification with an open method, or one that runs an open handler.
 *
 * Responses are open only in a session that was opened without a token. An empty batch and any other value is not open.
 *
 * @internal
 */
export function isOpenBody(body: unknown, open: OpenMessages): boolean {
  if (!Array.isArray(body)) return isOpenMessage(body, open);
  return body.length > 0 && body.every((message) => isOpenMessage(message, open));
}

function isOpenMessage(message: unknown, open: OpenMessages): boolean {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return false;
  const { jsonrpc, method } = message as { readonly jsonrpc?: unknown; readonly method?: unknown };
  if (jsonrpc !== '2.0') return false;
  if (method === undefined) return isResponse(message) && open.takesResponses();
  return typeof method === 'string' && isOpenMethod(method, message, open);
}

function isResponse(message: object): boolean {
  return 'result' in message || 'error' in message;
}

function isOpenMethod(method: string, message: object, open: OpenMessages): boolean {
  if (open.methods.includes(method)) return true;
  if (!RUNNING.has(method)) return false;
  const operations = operationsOf(message);
  return operations.length > 0 && operations.every((operation) => open.isOpen(operation));
}
