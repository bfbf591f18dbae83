/** One JSON-RPC message of an answer. */
type Message = Record<string, unknown>;

/** What an answer says so far. @internal */
export type Verdict = 'failed' | 'answered' | 'open';

/**
 * What the answer to a call says, by its text: a JSON-RPC message, or a batch of them.
 *
 * @returns `failed` for an error, be it one of JSON-RPC or the result of a tool
 * @internal
 */
export function verdictOnJson(text: string): Verdict {
  return messagesIn(text).some(isFailure) ? 'failed' : 'answered';
}

/**
 * What a stream says whose first events these are: comments and events without data leave it open.
 *
 * @param isBatch - whether several calls are answered, so that one that went well says nothing of the others
 * @internal
 */
export function verdictOnEvents(text: string, isBatch: boolean): Verdict {
  const messages = text
    .split('\n')
    .flatMap((line) => (line.startsWith('data:') ? messagesIn(line.slice(5)) : []));
  if (messages.some(isFailure)) return 'failed';
  return messages.some((message) => !isBatch || 'method' in message) ? 'answered' : 'open';
}

/**
 * Lets each message of failure in the events of a stream say why. Code, id and all else stay as they are: those of the
 * server that wrote it.
 *
 * @param why - what it is to say; asked for where there is such a message
 * @returns undefined where there is none
 * @internal
 */
export function explainFailures(events: string, why: () => string): string | undefined {
  const lines = events.split('\n').map((line) => {
    const [message] = line.startsWith('data:') ? messagesIn(line.slice(5)) : [];
    return message && isFailure(message) ? `data: ${JSON.stringify(explained(message, why()))}` : line;
  });
  const told = lines.join('\n');
  return told === events ? undefined : told;
}

function explained(message: Message, why: string): Message {
  if ('error' in message) return { ...message, error: { ...(message['error'] as object), message: why } };
  const result = message['result'] as object;
  return { ...message, result: { ...result, content: [{ type: 'text', text: why }] } };
}

function isFailure(message: Message): boolean {
  const { error, result } = message;
  if (typeof error === 'object' && error !== null) return true;
  return typeof result === 'object' && result !== null && (result as Message)['isError'] === true;
}

function messagesIn(text: string): readonly Message[] {
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
