import type { Provider } from '@nestjs/common';
import { ResponseInterceptors } from './response-interceptors.js';
import { ListPolicy } from './list-policy.js';
import { SessionBinding } from './session-binding.js';
import { StepUps } from './step-up.js';
import { StreamExpiry } from './stream-expiry.js';

/** What looks after requests once they are let in. @internal */
export const RESPONSE_PROVIDERS: readonly Provider[] = [
  ResponseInterceptors,
  SessionBinding,
  ListPolicy,
  StepUps,
  StreamExpiry,
];
