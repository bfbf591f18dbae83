import type { ResponseHead } from './intercept-response.js';

/** A response that replaces the application's. @internal */
export interface Replacement {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Reads a response, and may change or replace it. @internal */
export interface ResponseTransformer {
  /** Most bytes that are buffered: of a body, of one event, and of undecided events. */
  readonly maxBytes: number;
  /**
   * Returns what to do with a response: `read` reads its body or each of its events. Called once, when the head is known.
   * Once sent, a response cannot be replaced.
   */
  begin(head: ResponseHead, isSent: boolean): 'pass' | 'read' | Replacement;
  /** Returns the body to send, or the same one. Not called for an empty body. */
  body(text: string, status: number): string | Replacement;
  /** Returns the event to send, with all its lines, or the same one. A replacement is possible until the head is sent. */
  event(event: string, isSent: boolean): string | Replacement;
  /** Whether to hold back events and the head until a later event decides. */
  isUndecided(): boolean;
  /** Returns a replacement for a body that is encoded or too long; undefined passes it on. */
  unreadable(): Replacement | undefined;
  /** Returns a replacement for an event that is too long; undefined passes such events on. */
  readonly longEvent: (() => string) | undefined;
}
