import type { ResponseHead } from './intercept-response.js';

/** An answer in place of the application's. @internal */
export interface Replacement {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What reads an answer, and may change or replace it. @internal */
export interface ResponseTransformer {
  /** The most bytes of a body, of one event, and of events without a decision that are kept. */
  readonly maxBytes: number;
  /**
   * What is done with an answer: `read` has its body or each of its events read. Asked once, when the head is known. What
   * has been sent can no longer be replaced.
   */
  begin(head: ResponseHead, isSent: boolean): 'pass' | 'read' | Replacement;
  /** A body in place of another, or the same. Not asked about an empty one. */
  body(text: string, status: number): string | Replacement;
  /** An event in place of another, with all its lines, or the same. A replacement is possible while nothing is sent. */
  event(event: string, isSent: boolean): string | Replacement;
  /** Whether events are kept back, the head with them, until a later one decides. */
  isUndecided(): boolean;
  /** In place of what is encoded or too long; undefined passes it on. */
  unreadable(): Replacement | undefined;
  /** In place of an event that is too long; undefined passes such events on. */
  readonly longEvent: (() => string) | undefined;
}
