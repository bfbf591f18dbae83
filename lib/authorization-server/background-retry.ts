import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { outsideRequests } from '../platform/outside-requests.js';

/** What is loaded from an authorization server, and may fail. @internal */
export interface Retried {
  /** Seconds until the next attempt may begin; undefined where the last one did not fail. */
  retryInSeconds(): number | undefined;
  /** Attempts it. */
  refresh(): Promise<unknown>;
}

/** By how much a wait is longer at most, as a part of it: processes that failed together do not ask together. */
const JITTER = 0.25;

/** Where the next attempt may begin at once. */
const SHORTEST_SECONDS = 5;

/**
 * Repeats what failed until it works, so that a server that is back is known to be back although no token comes: behind a
 * readiness probe none does.
 *
 * Begins once the application has started: one that does not start asks nothing further. Its timers do not keep the process
 * alive, and run in no request's async context, whichever request saw the failure.
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

  /** Ends it, once all requests are answered. */
  onApplicationShutdown(): void {
    this.state = 'ended';
    for (const timer of this.failing.values()) clearTimeout(timer);
    this.failing.clear();
  }

  /** Repeats what has just failed, unless that is to be repeated already. */
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
    // A request may have been faster.
    if (what.retryInSeconds() !== undefined) await what.refresh().catch(() => undefined); // told where it failed
    this.schedule(what);
  }
}
