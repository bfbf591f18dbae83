import { randomUUID } from 'node:crypto';
import type { EventOperation, RequestEvent } from '../events/mcp-auth-event.interface.js';

/** An operation of a request, and the id of its message; undefined for a notification. @internal */
export interface SentOperation {
  readonly operation: EventOperation;
  readonly id: string | number | undefined;
}

/** The operations of a body. @internal */
export interface SentOperations {
  readonly body: unknown;
  readonly messages: readonly SentOperation[];
  /** The same for events. Frozen. */
  readonly operations: readonly EventOperation[];
}

/** What the head and the first message of a request say, for events. @internal */
export type SentFacts = Pick<RequestEvent, 'protocolVersion' | 'session' | 'remoteAddress' | 'traceparent'>;

/**
 * What events and log lines say of one request. Made only if there is a listener, or for a log line that is written.
 *
 * @internal
 */
export class RequestAudit {
  /** When the package first saw the request, as `performance.now()` counts. */
  readonly startedMs = performance.now();
  /** The decision that was reported. */
  decision: 'granted' | 'denied' | undefined;
  /** The operations that were denied one by one, while others of the request were served. */
  deniedOperations: readonly EventOperation[] = [];
  /** The handler of Nest's route. */
  route: string | undefined;
  /** Once they have been read. */
  facts: SentFacts | undefined;
  /** The operations of the body that was read last. */
  sent: SentOperations | undefined;
  /** Reports a grant that waits for a further layer, or for the head of the answer. */
  decide: (() => void) | undefined;
  /** What the answer says of an operation, if it is read. */
  answer: ((sent: SentOperation) => 'succeeded' | 'failed' | undefined) | undefined;
  /** Whether `request_completed` is to follow. */
  isEndAwaited = false;
  private id: string | undefined;

  /** @param sessionId - the session that the client named: another may take its place before the handler runs */
  constructor(readonly sessionId: string | undefined) {}

  /** Random. It is never sent to a client. */
  get requestId(): string {
    return (this.id ??= randomUUID());
  }
}
