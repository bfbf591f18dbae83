/** One JSON-RPC message of an answer. */
type Message = Record<string, unknown>;

/** The JSON-RPC messages in a text: one, or a batch of them. @internal */
export function messagesIn(text: string): readonly Message[] {
  if (text.trim() === '') return [];
  try {
    return [JSON.parse(text) as unknown].flat().filter(isMessage);
  } catch {
    return [];
  }
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && (value as Message)['jsonrpc'] === '2.0';
}

/** What a message says of a failure, be it an error of JSON-RPC or the result of a tool; undefined if it tells of none. @internal */
export function failureIn({ error, result }: Message): object | undefined {
  if (typeof error === 'object' && error !== null) return error;
  const isFailed = typeof result === 'object' && result !== null && (result as Message)['isError'] === true;
  return isFailed ? result : undefined;
}

/**
 * A message of failure that says why. Code, id and all else stay as they are: those of the server that wrote it.
 *
 * @internal
 */
export function explained(message: Message, why: string): Message {
  const { error, result } = message;
  if (typeof error === 'object' && error !== null) return { ...message, error: { ...error, message: why } };
  return { ...message, result: { ...(result as object), content: [{ type: 'text', text: why }] } };
}
