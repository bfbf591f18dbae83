import { MessageRejectedError } from '../errors/rejection.errors.js';

/** The kind of handler that an operation runs. @publicApi */
export type McpOperationKind = 'tool' | 'prompt' | 'resource';

/** One operation that a JSON-RPC message asks for. @publicApi */
export interface McpOperation {
  readonly kind: McpOperationKind;
  /** The name of the tool or prompt; the URI of the resource, or a URI template if a completion is requested. */
  readonly name: string;
  /** The method of the message, such as `tools/call`. */
  readonly method: string;
  /** The arguments of a tool call or a prompt, as sent and not validated. Empty if the operation has none. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Stands for missing arguments. One shared object, because two calls are equal only if they share their arguments. @internal */
export const NO_ARGUMENTS: Readonly<Record<string, unknown>> = Object.freeze({});

/** The method that runs a handler of each kind. @internal */
export const HANDLER_METHODS: Readonly<Record<McpOperationKind, string>> = {
  tool: 'tools/call',
  prompt: 'prompts/get',
  resource: 'resources/read',
};

/** The method that requests values for an argument or a variable. @internal */
export const COMPLETION_METHOD = 'completion/complete';

/** Reads the operations of a message from its parameters. */
type Reader = (params: Readonly<Record<string, unknown>>, method: string) => readonly McpOperation[];

/** The readers of all methods that run a handler, complete its arguments, or subscribe to it. Others need no handler's scopes. */
const READERS: ReadonlyMap<unknown, Reader> = new Map<unknown, Reader>([
  ['tools/call', ({ name, arguments: args }, method) => operation('tool', name, method, asRecord(args))],
  ['prompts/get', ({ name, arguments: args }, method) => operation('prompt', name, method, asRecord(args))],
  ['resources/read', ({ uri }, method) => operation('resource', uri, method)],
  ['resources/subscribe', ({ uri }, method) => operation('resource', uri, method)],
  ['subscriptions/listen', ({ notifications }, method) => subscribed(asRecord(notifications), method)],
  [COMPLETION_METHOD, ({ ref }, method) => completed(asRecord(ref), method)],
]);

const NONE: readonly never[] = [];

/**
 * Returns the operations of a parsed JSON-RPC body: of one message, or of all messages of a batch.
 *
 * Reading the whole batch keeps a call in it from bypassing authorization. Other content of a body is not an operation.
 * Headers are not read: a transport runs what the body says.
 *
 * @internal
 */
export function operationsOf(body: unknown): readonly McpOperation[] {
  return Array.isArray(body) ? body.flatMap(operationsOfMessage) : operationsOfMessage(body);
}

function operationsOfMessage(message: unknown): readonly McpOperation[] {
  const { method, params } = asRecord(message);
  return READERS.get(method)?.(asRecord(params), method as string) ?? NONE;
}

/** @param name - as sent: anything but text names no handler */
function operation(
  kind: McpOperationKind,
  name: unknown,
  method: string,
  args = NO_ARGUMENTS,
): readonly McpOperation[] {
  return typeof name === 'string' ? [{ kind, name, method, arguments: args }] : NONE;
}

/**
 * Returns whether a parsed body is MCP: a JSON-RPC message, or a batch that has one.
 *
 * The method does not matter: messages that run no handler, such as `ping` or `tasks/get`, count too.
 *
 * @internal
 */
export function isMcpBody(body: unknown): boolean {
  return Array.isArray(body) ? body.some(isMessage) : isMessage(body);
}

/** Whether a value is a message. One without a JSON-RPC version counts if its method has operations. */
function isMessage(value: unknown): boolean {
  const { jsonrpc, method } = asRecord(value);
  return jsonrpc === '2.0' || READERS.has(method);
}

function subscribed(
  { resourceSubscriptions }: Record<string, unknown>,
  method: string,
): readonly McpOperation[] {
  if (!Array.isArray(resourceSubscriptions)) return NONE;
  return [...new Set<unknown>(resourceSubscriptions)].flatMap((uri) => operation('resource', uri, method));
}

function completed({ type, name, uri }: Record<string, unknown>, method: string): readonly McpOperation[] {
  if (type === 'ref/prompt') return operation('prompt', name, method);
  return type === 'ref/resource' ? operation('resource', uri, method) : NONE;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : NO_ARGUMENTS;
}

/** Limit for the characters of all URIs in a request: each is matched with every template, in several spellings. */
const MAX_URI_CHARACTERS = 65_536;

/**
 * Rejects a body with too many operations or URI characters, before any operation is authorized.
 *
 * @param most - how many operations the body may have
 * @throws {@link MessageRejectedError}
 * @internal
 */
export function assertBounded(operations: readonly McpOperation[], most: number): void {
  let characters = 0;
  for (const { kind, name } of operations) if (kind === 'resource') characters += name.length;
  if (operations.length > most || characters > MAX_URI_CHARACTERS)
    throw new MessageRejectedError('too_large');
}
