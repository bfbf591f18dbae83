import { Injectable } from '@nestjs/common';
import { RequestContext } from '../request/request-context.js';
import { type AuthorizedRequest, ResponseState } from '../request/response-state.js';
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
export class ResponseInterceptors {
  constructor(
    private readonly sessions: SessionBinding,
    private readonly lists: ListPolicy,
    private readonly stepUps: StepUps,
    private readonly streamExpiry: StreamExpiry,
  ) {}

  /** @throws one of the rejections of lib/errors, where the request may not go on after all */
  intercept(authorized: AuthorizedRequest): void {
    const state = this.stateOf(authorized);
    this.sessions.intercept(state);
    this.lists.intercept(state);
    this.streamExpiry.intercept(state);
  }

  private stateOf(authorized: AuthorizedRequest): ResponseState {
    const context = RequestContext.of(authorized.request);
    const known = context.response;
    if (known?.authorized.response === authorized.response) {
      known.authorized = authorized;
      known.isCurrent = true;
      return known;
    }
    return (context.response = new ResponseState(authorized, this.stepUps));
  }
}
