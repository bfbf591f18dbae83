import type { RejectionResponse } from '../rejection/rejection-response.js';
import { isEventStream } from '../platform/response-arguments.js';
import { eventFields, withData } from './event-stream.js';
import type { ResponseHead } from './intercept-response.js';
import type { Replacement, ResponseTransformer } from './response-transformer.interface.js';
import { failureIn, type JsonRpcMessage, messagesIn } from './step-up-messages.js';

/** A request that its handler has denied, as far as its answer is concerned. @internal */
export interface SteppedUp {
  /** The request's body, parsed. */
  readonly body: unknown;
  /** Whether no layer has rejected the request meanwhile. */
  readonly isCurrent: boolean;
  /** Whether the denial has left the handler, so that any failure is said for it. */
  readonly isThrown: boolean;
  /** Whether an answer of failure, or a part of it, says the denial. */
  isSaidIn(text: string): boolean;
  /** What is sent instead of an answer that says the denial. */
  rejection(): RejectionResponse;
  /** What such a message says where the answer can no longer be replaced. */
  explained(message: JsonRpcMessage): JsonRpcMessage;
}

/**
 * Holds the answer to a request back until it is known whether it is one of failure: by its status, or by what it says
 * where the request is a call by JSON-RPC. A failure that says the denial is replaced, any other answer is sent unchanged.
 * Where the answer has begun, such a failure is made to say why.
 *
 * @internal
 */
export class StepUpAnswer implements ResponseTransformer {
  /** What is longer is none of failure. */
  readonly maxBytes = 1_048_576;
  readonly longEvent = undefined;
  private hasAnswered = false;

  constructor(private readonly stepUp: SteppedUp) {}

  begin({ status, header }: ResponseHead, isSent: boolean): 'pass' | 'read' | Replacement {
    const { isCurrent, body } = this.stepUp;
    if (!isCurrent) return 'pass';
    if (status >= 400 && !isSent) return this.stepUp.isThrown ? this.rejection() : 'read';
    const type = header('content-type') ?? '';
    return isCall(body) && (/^application\/json\b/.test(type) || isEventStream(type)) ? 'read' : 'pass';
  }

  body(text: string, status: number): string | Replacement {
    const { isCurrent } = this.stepUp;
    const isDenial = status >= 400 ? this.stepUp.isSaidIn(text) : messagesIn(text).some(this.isDenial);
    return isCurrent && isDenial ? this.rejection() : text;
  }

  event(event: string, isSent: boolean): string | Replacement {
    const { data = '' } = eventFields(event);
    const messages = messagesIn(data);
    const isBatch = Array.isArray(this.stepUp.body);
    if (messages.some((message) => !isBatch || 'method' in message)) this.hasAnswered = true;
    if (!this.stepUp.isCurrent || !messages.some(this.isDenial)) return event;
    if (!isSent) return this.rejection();
    // Nothing tells which message of several is meant.
    const [message] = messages;
    if (isBatch || !message || messages.length > 1) return event;
    return withData(event, JSON.stringify(this.stepUp.explained(message)));
  }

  /** Comments and events without data leave it open; so does one good answer where several calls are answered. */
  isUndecided(): boolean {
    return !this.hasAnswered;
  }

  unreadable(): undefined {
    return undefined;
  }

  private readonly isDenial = (message: JsonRpcMessage): boolean => {
    const failure = failureIn(message);
    return failure !== undefined && this.stepUp.isSaidIn(JSON.stringify(failure));
  };

  private rejection(): Replacement {
    const { status, headers, body } = this.stepUp.rejection();
    const type = { 'Content-Type': 'application/json; charset=utf-8' };
    return { status, headers: { ...headers, ...type }, body: JSON.stringify(body) };
  }
}

function isCall(body: unknown): boolean {
  const [first] = [body].flat();
  return typeof first === 'object' && first !== null && (first as { jsonrpc?: unknown }).jsonrpc === '2.0';
}
