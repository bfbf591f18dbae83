import { Injectable } from '@nestjs/common';
import { type Exchange, type ExchangeWatcher } from './exchange.js';
import { ListPolicy } from './list-policy.js';
import { SessionBinding } from './session-binding.js';
import { StepUps } from './step-up.js';
import { StreamExpiry } from './stream-expiry.js';

/** All that look after requests once they are let in, in their order. @internal */
@Injectable()
export class ExchangeWatchers implements ExchangeWatcher {
  private readonly watchers: readonly ExchangeWatcher[];

  constructor(sessions: SessionBinding, lists: ListPolicy, stepUps: StepUps, streamExpiry: StreamExpiry) {
    this.watchers = [sessions, lists, stepUps, streamExpiry];
  }

  attend(exchange: Exchange): void {
    for (const watcher of this.watchers) watcher.attend(exchange);
  }
}
