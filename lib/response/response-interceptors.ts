import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../request/request-context.js';
import { type AuthorizedRequest, ResponseState } from '../request/response-state.js';
import { ListPolicy } from './list-policy.js';
import { ListPreview } from './list-preview.js';
import { SessionBinding } from './session-binding.js';
import { StepUps } from './step-up.js';
import { StreamExpiry } from './stream-expiry.js';

/**
 * Intercepts the response of an authorized request. Each layer that authorizes a request calls it: more than once if there
 * are several before a handler. The first may run before the body is read.
 *
 * The order is that of layers on the response, starting at the connection: see intercept-response.ts.
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
    private readonly preview: ListPreview,
  ) {}

  /** Does what takes time, before anything is intercepted. @returns a promise only if a policy returns one */
  prepare(context: RequestContext, authorized: AuthorizedRequest): Promise<void> | undefined {
    return this.preview.prepare(context, authorized);
  }

  /** @throws one of the rejections of lib/errors, if the request must be rejected after all */
  intercept(context: RequestContext, authorized: AuthorizedRequest): void {
    const state = this.stateOf(context, authorized);
    this.sessions.intercept(state);
    this.lists.intercept(state);
    this.streamExpiry.intercept(state);
  }

  private stateOf(context: RequestContext, authorized: AuthorizedRequest): ResponseState {
    const known = context.response;
    if (known?.authorized.response === authorized.response) {
      known.authorized = authorized;
      known.isCurrent = true;
      return known;
    }
    return (context.response = new ResponseState(authorized, this.stepUps));
  }
}
