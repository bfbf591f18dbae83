import { Injectable } from '@nestjs/common';
import { type Exchange, type ExchangeWatcher } from './exchange.js';
import { ListPolicy } from './list-policy.js';

/** All that look after requests once they are let in, in their order. @internal */
@Injectable()
export class ExchangeWatchers implements ExchangeWatcher {
  private readonly watchers: readonly ExchangeWatcher[];

  constructor(lists: ListPolicy) {
    this.watchers = [lists];
  }

  attend(exchange: Exchange): void {
    for (const watcher of this.watchers) watcher.attend(exchange);
  }
}
