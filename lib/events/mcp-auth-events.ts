import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { describeThrown } from './escape-for-log.js';
import { EVENT_CHANNELS } from './event-channels.js';
import { isolate } from './isolate.js';
import type { McpAuthEvent, McpAuthEventType, ServerDocument } from './mcp-auth-event.interface.js';
import { RateLimitedLogger } from './rate-limited-logger.js';

type Listener = (event: McpAuthEvent) => unknown;

/**
 * Emits events about requests and authorization servers, for audit and metrics. Inject it, then `on('access_denied', …)` or
 * `events$.subscribe(…)`.
 *
 * Each event is also published to the channel `nestjs-mcp-auth:<type>` of `node:diagnostics_channel`, for the events of all
 * applications of the process.
 *
 * Listeners are called one after the other while the request waits, so they should be quick. An error in one listener does not
 * affect the request or the other listeners. If there are no listeners and no subscribers, no event is created.
 *
 * @publicApi
 */
@Injectable()
export class McpAuthEvents implements OnApplicationShutdown {
  private readonly subject = new Subject<McpAuthEvent>();

  /**
   * All events, until the application shuts down.
   *
   * If an observer throws, that is an uncaught exception, as with every observable of rxjs. It ends the process unless the
   * application sets `config.onUnhandledError` of rxjs. {@link McpAuthEvents.on} logs errors of listeners.
   */
  readonly events$: Observable<McpAuthEvent> = this.subject.asObservable();

  private readonly byType: Readonly<Record<McpAuthEventType, Set<Listener>>> = {
    access_granted: new Set(),
    access_denied: new Set(),
    request_completed: new Set(),
    keys_refreshed: new Set(),
    metadata_refreshed: new Set(),
    discovery_failed: new Set(),
    stale_used: new Set(),
  };
  private readonly log: RateLimitedLogger;

  /** @internal */
  constructor(@Inject(MCP_AUTH_OPTIONS) options: Pick<ResolvedMcpAuthOptions, 'now'>) {
    this.log = new RateLimitedLogger(options);
  }

  /**
   * Calls a function for each event of a type. Its errors, synchronous or asynchronous, are logged.
   *
   * @returns a function that removes the listener
   */
  on<T extends McpAuthEventType>(
    type: T,
    listener: (event: Extract<McpAuthEvent, { type: T }>) => unknown,
  ): () => void {
    const listeners = this.byType[type];
    // A separate function, so that a listener that is added twice is called twice, and each one is removed separately.
    const own: Listener = (event) => listener(event as Extract<McpAuthEvent, { type: T }>);
    listeners.add(own);
    return () => {
      listeners.delete(own);
    };
  }

  /** Whether there are listeners for events of a type. @internal */
  isObserved(type: McpAuthEventType): boolean {
    return this.byType[type].size > 0 || this.subject.observed || EVENT_CHANNELS[type].hasSubscribers;
  }

  /** Whether there are listeners for any event of a request. @internal */
  get observesRequests(): boolean {
    return (
      this.isObserved('access_granted') ||
      this.isObserved('access_denied') ||
      this.isObserved('request_completed')
    );
  }

  /** Emits an event. If the event is costly to create, call {@link isObserved} first. @internal */
  emit(event: McpAuthEvent): void {
    Object.freeze(event);
    // A Set visits a listener that is added meanwhile: a copy does not.
    for (const listener of [...this.byType[event.type]]) {
      isolate(() => listener(event), this.reportThrown);
    }
    this.subject.next(event);
    const channel = EVENT_CHANNELS[event.type];
    if (channel.hasSubscribers) channel.publish(event);
  }

  /** @internal */
  keysRefreshed(issuer: string): void {
    if (this.isObserved('keys_refreshed')) this.emit({ type: 'keys_refreshed', issuer });
  }

  /** @internal */
  metadataRefreshed(issuer: string): void {
    if (this.isObserved('metadata_refreshed')) this.emit({ type: 'metadata_refreshed', issuer });
  }

  /** @param error - why the attempt failed @internal */
  discoveryFailed(issuer: string, what: ServerDocument, error: unknown): void {
    if (!this.isObserved('discovery_failed')) return;
    this.emit({ type: 'discovery_failed', issuer, what, reason: describeThrown(error) });
  }

  /** @internal */
  staleUsed(issuer: string, what: ServerDocument, ageSeconds: number): void {
    if (this.isObserved('stale_used')) this.emit({ type: 'stale_used', issuer, what, ageSeconds });
  }

  /** Completes `events$`. Nest calls this after the last requests have been answered. */
  onApplicationShutdown(): void {
    this.subject.complete();
  }

  private readonly reportThrown = (error: unknown): void => {
    const message = `A listener of McpAuthEvents threw ${describeThrown(error)}`;
    this.log.write('error', 'a listener of McpAuthEvents threw', message);
  };
}
