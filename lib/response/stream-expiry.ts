import { Inject, Injectable } from '@nestjs/common';
import type { AuthorizedRequest, ResponseState } from '../request/response-state.js';
import { jsonRpcBody, rejectionBody, requestIdOf } from '../rejection/rejection-body.js';
import { answerTo } from '../rejection/rejection-answers.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { outsideRequests } from '../platform/outside-requests.js';
import { isEventStream } from '../platform/response-arguments.js';
import { endResponse, mediaTypeOf } from './intercept-response.js';

/** A clock may be put forward, and a timer waits for no more than 2^31 milliseconds: so the clock is looked at meanwhile. */
const LONGEST_WAIT_MS = 60_000;

/** How soon an answer that has not begun is looked at again once its token is over, in milliseconds. */
const BEGINNING_WAIT_MS = 1000;

/** Its answer is the stream itself: there is no call that waits for an answer. */
const LISTEN = 'subscriptions/listen';

/**
 * Ends each stream when the token that opened it expires.
 *
 * Every answer might become a stream: no header of the request says so that a client could not leave out. So each is
 * watched until it is closed. One timer does for all: to set one for each answer costs more than the watch. It belongs to
 * no request, so listeners of the answers that it ends run in no request's context.
 *
 * @internal
 */
@Injectable()
export class StreamExpiry {
  /** In no order: who leaves makes room for the last. */
  private readonly open: ResponseState[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** The first expiry that the timer is for, in seconds since the epoch. Later ones need no other. */
  private soonest = Infinity;

  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions) {}

  /** How many answers are watched. */
  get watched(): number {
    return this.open.length;
  }

  intercept(state: ResponseState): void {
    const { auth, response } = state.authorized;
    if (!this.options.endStreamsAtExpiry || auth?.expiresAt === undefined || response.closed) return;
    if (state.expiresAt !== undefined) return;
    state.expiresAt = auth.expiresAt;
    state.place = this.open.push(state) - 1;
    response.on('close', () => {
      this.leave(state);
    });
    if (state.expiresAt < this.soonest) this.wakeFor(state.expiresAt);
  }

  private leave(state: ResponseState): void {
    const { place } = state;
    if (place < 0) return;
    state.place = -1;
    const last = this.open.pop();
    if (!last || last === state) return;
    this.open[place] = last;
    last.place = place;
  }

  private wakeFor(expiresAt: number): void {
    clearTimeout(this.timer);
    this.soonest = expiresAt;
    const left = this.leftMs(expiresAt);
    this.timer = this.wake(left <= 0 ? BEGINNING_WAIT_MS : Math.min(left, LONGEST_WAIT_MS));
  }

  /** Apart from the answer, so that the timer does not keep it from being garbage collected. */
  private wake(inMs: number): NodeJS.Timeout {
    return outsideRequests(() =>
      setTimeout(() => {
        this.look();
      }, inMs).unref(),
    );
  }

  /** Ends what is over, and leaves off what needs no watch any more. */
  private look(): void {
    this.soonest = Infinity;
    let next = Infinity;
    for (const state of [...this.open]) {
      const { expiresAt = Infinity } = state;
      if (this.isDone(state, expiresAt)) this.leave(state);
      else next = Math.min(next, expiresAt);
    }
    if (next < Infinity) this.wakeFor(next);
  }

  /** Whether it needs no watch any more: it has ended, or is no stream and takes its time. Ends a stream that is over. */
  private isDone({ authorized }: ResponseState, expiresAt: number): boolean {
    const { response } = authorized;
    if (response.closed || response.writableEnded) return true;
    if (this.leftMs(expiresAt) > 0 || !response.headersSent) return false;
    if (isEventStream(mediaTypeOf(response))) endResponse(response, this.lastEvent(authorized));
    return true;
  }

  /** Returns how long a token is still valid, including the clock tolerance. */
  private leftMs(expiresAt: number): number {
    const { clockToleranceSeconds, now } = this.options;
    return (expiresAt + clockToleranceSeconds) * 1000 - now().getTime();
  }

  /** What a call that is still waiting for its answer gets. */
  private lastEvent({ body, resource, request }: AuthorizedRequest): string | undefined {
    const message = (request as { readonly body?: unknown }).body ?? body;
    const id = requestIdOf(message);
    if (id === null || (message as { method?: unknown }).method === LISTEN) return undefined;
    const failure = new TokenRejectedError('expired');
    const answer = answerTo(failure, resource, this.options);
    const data = rejectionBody(answer, failure, resource, this.options);
    return `event: message\ndata: ${JSON.stringify(jsonRpcBody(id, answer, data))}\n\n`;
  }
}
