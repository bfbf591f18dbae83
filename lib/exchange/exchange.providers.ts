import { type Provider } from '@nestjs/common';
import { ExchangeWatchers } from './exchange-watchers.js';
import { HandlerInterceptors } from './handler-interceptors.js';
import { ListPolicy } from './list-policy.js';
import { SessionBinding } from './session-binding.js';
import { StepUps } from './step-up.js';
import { StreamExpiry } from './stream-expiry.js';

/** What looks after requests once they are let in. @internal */
export const EXCHANGE_PROVIDERS: readonly Provider[] = [
  ExchangeWatchers,
  SessionBinding,
  ListPolicy,
  StepUps,
  StreamExpiry,
  HandlerInterceptors,
];
