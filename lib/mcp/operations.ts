import { MessageRejectedError } from '../errors/rejection.errors.js';

/** What of an MCP server an operation is about. @publicApi */
export type McpOperationKind = 'tool' | 'prompt' | 'resource';

/** One operation that a JSON-RPC message asks for. @publicApi */
export interface McpOperation {
  readonly kind: McpOperationKind;
  /** The name of the tool or prompt; the URI of the resource, or a URI template where a completion is asked for. */
  readonly name: string;
  /** The method of the message, such as `tools/call`. */
  readonly method: string;
  /** The arguments of a tool call or a prompt, as sent: nothing has checked them. Empty for what has none. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** The kind of thing a message is about, and its name where that is a text. */
type Subject = readonly [McpOperationKind, unknown];

/** The arguments of what has none. One object, as decisions on a call are found again by its arguments. @internal */
export const NO_ARGUMENTS: Readonly<Record<string, unknown>> = Object.freeze({});

/** The method by which a handler of each kind runs. @internal */
export const HANDLER_METHODS: Readonly<Record<McpOperationKind, string>> = {
  tool: 'tools/call',
  prompt: 'prompts/get',
  resource: 'resources/read',
};

/** The method that asks for values of an argument or of a variable. @internal */
export const COMPLETION_METHOD = 'completion/complete';

/** The methods that have arguments for a handler. */
const WITH_ARGUMENTS: ReadonlySet<unknown> = new Set(['tools/call', 'prompts/get']);

/** Which things the methods are about that run a handler of the application. All others run none of them. */
const SUBJECTS: ReadonlyMap<unknown, (params: Record<string, unknown>) => readonly Subject[]> = new Map([
  ['tools/call', ({ name }): Subject[] => [['tool', name]]],
  ['prompts/get', ({ name }): Subject[] => [['prompt', name]]],
  ['resources/read', ({ uri }): Subject[] => [['resource', uri]]],
  ['resources/subscribe', ({ uri }): Subject[] => [['resource', uri]]],
  ['subscriptions/listen', ({ notifications }): Subject[] => subscribedResources(notifications)],
  [COMPLETION_METHOD, ({ ref }): Subject[] => completed(asRecord(ref))],
]);

/**
 * Reads the operations from a parsed JSON-RPC body: of one message, or of all messages of a batch, so that a batch
 * cannot carry a call past the decision. Whatever else a body holds is no operation.
 *
 * Headers are not looked at: what a transport runs is what the body says.
 *
 * @internal
 */
export function operationsOf(body: unknown): readonly McpOperation[] {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  return messages.flatMap((message): McpOperation[] => {
    const { method, params } = asRecord(message);
    const read = SUBJECTS.get(method);
    if (!read) return [];
    const given = asRecord(params);
    const args = WITH_ARGUMENTS.has(method) ? asRecord(given['arguments']) : NO_ARGUMENTS;
    return read(given).flatMap(([kind, name]) =>
      typeof name === 'string' ? [{ kind, name, method: method as string, arguments: args }] : [],
    );
  });
}

/**
 * Tells whether a parsed body is of MCP: a JSON-RPC message, or a batch that has one. What such a message asks for is not
 * looked at, so that it may be one that runs no handler, such as `ping` or `tasks/get`.
 *
 * @internal
 */
export function isMcpBody(body: unknown): boolean {
  return Array.isArray(body) ? body.some(isMessage) : isMessage(body);
}

/** A message that does not say its version may have operations all the same. */
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

/** The most characters of all URIs of a request: each is compared with every template, in several spellings. */
const MAX_URI_CHARACTERS = 65_536;

/**
 * Rejects a body that asks for too much to be decided on, before any of it is.
 *
 * @param most - how many operations it may ask for
 * @throws {@link MessageRejectedError}
 * @internal
 */
export function assertBounded(operations: readonly McpOperation[], most: number): void {
  let characters = 0;
  for (const { kind, name } of operations) if (kind === 'resource') characters += name.length;
  if (operations.length > most || characters > MAX_URI_CHARACTERS)
    throw new MessageRejectedError('too_large');
}
