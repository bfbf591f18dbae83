import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { outsideRequests } from '../platform/outside-requests.js';

/** A load from an authorization server that can be retried. @internal */
export interface Retried {
  /** Returns the seconds until the next attempt may begin; undefined if the last one did not fail. */
  retryInSeconds(): number | undefined;
  /** Attempts the load. */
  refresh(): Promise<unknown>;
}

/** Most random extra wait, as a fraction: processes that failed together do not retry together. */
const JITTER = 0.25;

/** The shortest wait, even if the next attempt may begin at once. */
const SHORTEST_SECONDS = 5;

/**
 * Retries failed loads until they succeed.
 *
 * So a recovered server is noticed even without tokens: a failing readiness probe keeps requests away. Retries begin once
 * the application has started. If it does not start, there are none. The timers do not keep the process alive, and run
 * outside the async context of any request.
 *
 * @internal
 */
@Injectable()
export class BackgroundRetry implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly failing = new Map<Retried, NodeJS.Timeout | undefined>();
  private state: 'starting' | 'running' | 'ended' = 'starting';

  onApplicationBootstrap(): void {
    this.state = 'running';
    for (const what of this.failing.keys()) this.schedule(what);
  }

  /** Ends all retries, once all requests are answered. */
  onApplicationShutdown(): void {
    this.state = 'ended';
    for (const timer of this.failing.values()) clearTimeout(timer);
    this.failing.clear();
  }

  /** Schedules a retry of a failed load, unless one is scheduled already. */
  later(what: Retried): void {
    if (this.state === 'ended' || this.failing.has(what)) return;
    this.failing.set(what, undefined);
    if (this.state === 'running') this.schedule(what);
  }

  private schedule(what: Retried): void {
    const seconds = what.retryInSeconds();
    if (seconds === undefined || this.state === 'ended') {
      this.failing.delete(what);
      return;
    }
    const delayMs = Math.max(seconds, SHORTEST_SECONDS) * (1 + Math.random() * JITTER) * 1000;
    const timer = outsideRequests(() => setTimeout(() => void this.attempt(what), delayMs));
    timer.unref();
    this.failing.set(what, timer);
  }

  private async attempt(what: Retried): Promise<void> {
    // A request may have loaded it in the meantime.
    if (what.retryInSeconds() !== undefined) await what.refresh().catch(() => undefined); // reported where it failed
    this.schedule(what);
  }
}
