/** One operation that a request asks for. @internal */
export interface McpOperation {
  readonly kind: 'tool';
  readonly name: string;
}

/**
 * Reads the tool calls from a parsed JSON-RPC body: of one message, or of all messages of a batch, so that a
 * batch cannot carry a call past the decision. Whatever else a body holds is no operation.
 *
 * Headers are not looked at: what a transport runs is what the body says.
 *
 * @internal
 */
export function operationsOf(body: unknown): readonly McpOperation[] {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  return messages.flatMap((message): McpOperation[] => {
    const { method, params } = asRecord(message);
    const { name } = asRecord(params);
    return method === 'tools/call' && typeof name === 'string' ? [{ kind: 'tool', name }] : [];
  });
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
