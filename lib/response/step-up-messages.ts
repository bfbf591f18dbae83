/** One JSON-RPC message of an answer. @internal */
export type JsonRpcMessage = Record<string, unknown>;

/** The JSON-RPC messages in a text: one, or a batch of them. @internal */
export function messagesIn(text: string): readonly JsonRpcMessage[] {
  if (text.trim() === '') return [];
  try {
    return [JSON.parse(text) as unknown].flat().filter(isMessage);
  } catch {
    return [];
  }
}

function isMessage(value: unknown): value is JsonRpcMessage {
  return typeof value === 'object' && value !== null && (value as JsonRpcMessage)['jsonrpc'] === '2.0';
}

/** The failure in a message: an error of JSON-RPC, or a result with `isError`; undefined for none. @internal */
export function failureIn({ error, result }: JsonRpcMessage): object | undefined {
  if (typeof error === 'object' && error !== null) return error;
  const isFailed =
    typeof result === 'object' && result !== null && (result as JsonRpcMessage)['isError'] === true;
  return isFailed ? result : undefined;
}

/**
 * A message of failure that says why. Code, id and all else stay as they are: those of the server that wrote it.
 *
 * @internal
 */
export function explained(message: JsonRpcMessage, why: string): JsonRpcMessage {
  const { error, result } = message;
  if (typeof error === 'object' && error !== null) return { ...message, error: { ...error, message: why } };
  return { ...message, result: { ...(result as object), content: [{ type: 'text', text: why }] } };
}
