import type { ServerResponse } from 'node:http';
import {
  bytesOf,
  type Given,
  isEventStream,
  mediaTypeOf,
  sentHeaderOf,
} from '../platform/response-arguments.js';
import type { SentOperation } from '../request/request-audit.js';
import { eventFields, EventRewriter } from './event-stream.js';
import { beforeBody } from './intercept-response.js';
import { failureIn, type JsonRpcMessage, messagesIn } from './step-up-messages.js';

/** Most bytes of a body, or of one event, that are read. */
const MAX_BYTES = 1_048_576;

/** Most answers that are remembered: more than an event has operations. */
const MAX_ANSWERS = 1000;

const NOTHING = Buffer.alloc(0);

/**
 * - `head`: nothing has been written
 * - `body`: JSON, kept until it ends
 * - `events`: each event is read as it is sent
 * - `off`: what is written cannot be read, or need not be
 */
type Phase = 'head' | 'body' | 'events' | 'off';

/**
 * Reads the answer to JSON-RPC messages while it is sent, and changes nothing. It knows which messages were answered by a result
 * and which by an error, as far as the answer is JSON or events and is not compressed.
 *
 * @internal
 */
export class AnswerReader {
  private phase: Phase = 'head';
  private kept: Buffer[] = [];
  private size = 0;
  private readonly outcomes = new Map<unknown, 'succeeded' | 'failed'>();
  private readonly events = new EventRewriter({
    maxBytes: MAX_BYTES,
    tooLong: () => '',
    rewrite: (event) => {
      this.readMessages(eventFields(event).data ?? '');
      return event;
    },
  });

  constructor(private readonly response: ServerResponse) {
    beforeBody(response, (given, isEnd) => {
      this.read(given, isEnd);
    });
  }

  /** What the answer said of an operation; undefined if nothing. */
  outcomeOf({ id }: SentOperation): 'succeeded' | 'failed' | undefined {
    return id === undefined ? undefined : this.outcomes.get(id);
  }

  private read(given: Given, isEnd: boolean): void {
    if (this.phase === 'head') this.phase = phaseOf(this.response);
    if (this.phase === 'off') return;
    const chunk = bytesOf(given) ?? NOTHING;
    if (this.phase === 'events') {
      this.events.take(chunk);
      if (isEnd) this.events.finish();
      return;
    }
    this.kept.push(chunk);
    this.size += chunk.length;
    if (this.size > MAX_BYTES) this.stop();
    else if (isEnd) this.readMessages(Buffer.concat(this.kept).toString());
    if (isEnd) this.stop();
  }

  private stop(): void {
    this.phase = 'off';
    this.kept = [];
  }

  private readMessages(text: string): void {
    for (const message of messagesIn(text)) {
      const outcome = outcomeIn(message);
      if (outcome && this.outcomes.size < MAX_ANSWERS) this.outcomes.set(message['id'], outcome);
    }
  }
}

function phaseOf(response: ServerResponse): Phase {
  if (!['', 'identity'].includes(sentHeaderOf(response, 'content-encoding'))) return 'off';
  const type = mediaTypeOf(response);
  if (isEventStream(type)) return 'events';
  return /^application\/json\b/.test(type) ? 'body' : 'off';
}

/** Undefined for a request or a notification of the server, and for a result that only asks for more (MCP 2026-07-28). */
function outcomeIn(message: JsonRpcMessage): 'succeeded' | 'failed' | undefined {
  if (failureIn(message) !== undefined) return 'failed';
  const { result } = message;
  if (typeof result !== 'object' || result === null) return undefined;
  const { resultType = 'complete' } = result as { readonly resultType?: unknown };
  return resultType === 'complete' ? 'succeeded' : undefined;
}
