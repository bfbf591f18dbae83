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

/** The kind of handler that a message asks for, and its name. The name may not be a string. */
type Subject = readonly [McpOperationKind, unknown];

/** Stands for missing arguments. One shared object, because decisions on a call are cached by its arguments. @internal */
export const NO_ARGUMENTS: Readonly<Record<string, unknown>> = Object.freeze({});

/** The method that runs a handler of each kind. @internal */
export const HANDLER_METHODS: Readonly<Record<McpOperationKind, string>> = {
  tool: 'tools/call',
  prompt: 'prompts/get',
  resource: 'resources/read',
};

/** The method that requests values for an argument or a variable. @internal */
export const COMPLETION_METHOD = 'completion/complete';

/** The methods that have arguments for a handler. */
const WITH_ARGUMENTS: ReadonlySet<unknown> = new Set(['tools/call', 'prompts/get']);

/** Reads the subjects of each method that runs a handler of the application. Other methods run no handler. */
const SUBJECTS: ReadonlyMap<unknown, (params: Record<string, unknown>) => readonly Subject[]> = new Map([
  ['tools/call', ({ name }): Subject[] => [['tool', name]]],
  ['prompts/get', ({ name }): Subject[] => [['prompt', name]]],
  ['resources/read', ({ uri }): Subject[] => [['resource', uri]]],
  ['resources/subscribe', ({ uri }): Subject[] => [['resource', uri]]],
  ['subscriptions/listen', ({ notifications }): Subject[] => subscribedResources(notifications)],
  [COMPLETION_METHOD, ({ ref }): Subject[] => completed(asRecord(ref))],
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
  const read = SUBJECTS.get(method);
  if (!read) return NONE;
  const given = asRecord(params);
  const args = WITH_ARGUMENTS.has(method) ? asRecord(given['arguments']) : NO_ARGUMENTS;
  const operations: McpOperation[] = [];
  for (const [kind, name] of read(given)) {
    if (typeof name === 'string') operations.push({ kind, name, method: method as string, arguments: args });
  }
  return operations;
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

/** Whether a value is a message. One without a JSON-RPC version counts if its method runs a handler. */
function isMessage(value: unknown): boolean {
  const { jsonrpc, method } = asRecord(value);
  return jsonrpc === '2.0' || SUBJECTS.has(method);
}

function subscribedResources(notifications: unknown): Subject[] {
  const { resourceSubscriptions } = asRecord(notifications);
  return Array.isArray(resourceSubscriptions)
    ? [...new Set(resourceSubscriptions)].map((uri) => ['resource', uri])
    : [];
}

function completed({ type, name, uri }: Record<string, unknown>): Subject[] {
  if (type === 'ref/prompt') return [['prompt', name]];
  return type === 'ref/resource' ? [['resource', uri]] : [];
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
