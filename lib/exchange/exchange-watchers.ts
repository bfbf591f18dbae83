import { Injectable } from '@nestjs/common';
import { RequestContext } from '../auth-info/request-context.js';
import { type Exchange, ResponseState } from '../auth-info/response-state.js';
import { ListPolicy } from './list-policy.js';
import { SessionBinding } from './session-binding.js';
import { StepUps } from './step-up.js';
import { StreamExpiry } from './stream-expiry.js';

/**
 * Looks after what comes of a request once it has been let in. Asked by each layer that lets a request in: more than once
 * where several stand before a handler, the first of them perhaps before the body is read.
 *
 * The order is that of layers on the response, from the connection on: see intercept-response.ts.
 *
 * @internal
 */
@Injectable()
export class ExchangeWatchers {
  constructor(
    private readonly sessions: SessionBinding,
    private readonly lists: ListPolicy,
    private readonly stepUps: StepUps,
    private readonly streamExpiry: StreamExpiry,
  ) {}

  /** @throws one of the refusals of lib/errors, where the request may not go on after all */
  attend(exchange: Exchange): void {
    const state = this.stateOf(exchange);
    this.sessions.attend(state);
    this.lists.attend(state);
    this.streamExpiry.attend(state);
  }

  private stateOf(exchange: Exchange): ResponseState {
    const context = RequestContext.of(exchange.request);
    const known = context.response;
    if (known?.exchange.response === exchange.response) {
      known.exchange = exchange;
      known.isCurrent = true;
      return known;
    }
    return (context.response = new ResponseState(exchange, this.stepUps));
  }
}
