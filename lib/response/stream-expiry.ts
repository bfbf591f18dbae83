import { Inject, Injectable } from '@nestjs/common';
import type { AuthorizedRequest, ResponseState } from '../request/response-state.js';
import type { RejectionSettings } from '../rejection/rejection-answers.js';
import { requestIdOf } from '../rejection/rejection-body.js';
import { rejectionResponse } from '../rejection/rejection-response.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { outsideRequests } from '../platform/outside-requests.js';
import { isEventStream, mediaTypeOf } from '../platform/response-arguments.js';
import { covers, RevocationIndex } from '../options/revocation-index.js';
import type { Revocation } from '../options/revocation-list.js';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { revocationQueryOf } from '../request/revocation.check.js';
import { endResponse } from './intercept-response.js';

/** The longest time between two looks at the clock. It may be put forward, and a timer waits at most 2^31 milliseconds. */
const LONGEST_WAIT_MS = 60_000;

/** The time until a response that had not begun when its token expired is checked again, in milliseconds. */
const BEGINNING_WAIT_MS = 1000;

/** The method whose response is the stream itself, so that no call waits for an answer. */
const LISTEN = 'subscriptions/listen';

/** The expiry of a token that is revoked. */
const REVOKED = -Infinity;

/**
 * How long a revocation is remembered, in milliseconds: a request whose token was checked before it may still open a stream
 * after it, for example once its body has arrived.
 */
const REMEMBERED_MS = 600_000;

/**
 * Ends each stream when the token that opened it expires, or is revoked.
 *
 * Every response may become a stream, because a client can leave out each header that would say so. So each one is kept until
 * it is closed. One timer serves all of them: a timer for each costs more than keeping the response (row "one hot token"). The
 * timer belongs to no request, so the listeners of the responses that it ends run in no request's context.
 *
 * @internal
 */
@Injectable()
export class StreamExpiry {
  /** In no order: the last one takes the place of one that leaves. */
  private readonly open: ResponseState[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** The expiry that the timer is set for, in seconds since the epoch. No other response expires earlier. */
  private soonest = Infinity;

  /** What was revoked a short time ago. Empty in an application that revokes nothing. */
  private readonly revoked = new RevocationIndex();

  /** The last event of a call is a JSON-RPC error, whatever form other rejections have. */
  private readonly settings: RejectionSettings;

  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions) {
    const { showErrorDetails, errorUri, errorPage } = options;
    this.settings = { showErrorDetails, errorUri, errorPage, errorBody: 'json-rpc' };
  }

  /** How many responses are kept. */
  get watched(): number {
    return this.open.length;
  }

  /** How many of them are event streams. Looks at each, so it costs only who asks. */
  get streams(): number {
    return this.open.filter(({ authorized: { response } }) => isOpenStream(response)).length;
  }

  intercept(state: ResponseState): void {
    const { auth, response } = state.authorized;
    if (!auth || response.closed || state.expiresAt !== undefined) return;
    const expiresAt = this.endOf(auth);
    if (expiresAt === undefined) return;
    state.expiresAt = expiresAt;
    state.place = this.open.push(state) - 1;
    response.on('close', () => {
      this.leave(state);
    });
    if (state.expiresAt < this.soonest) this.wakeFor(state.expiresAt);
  }

  /**
   * Ends the streams of a token or a principal.
   *
   * @returns how many responses that takes in: streams, and responses that have not begun and may become streams
   */
  endRevoked(revocation: Revocation): number {
    const now = this.options.now().getTime();
    this.revoked.add({ revocation, endsAt: now + REMEMBERED_MS }, now);
    const ending = this.open.filter(
      ({ authorized: { auth }, expiresAt }) =>
        auth && expiresAt !== REVOKED && covers(revocation, revocationQueryOf(auth)),
    );
    for (const state of ending) state.expiresAt = REVOKED;
    if (ending.length > 0) {
      outsideRequests(() => {
        this.look();
      });
    }
    return ending.length;
  }

  private isRevoked(auth: AuthInfo): boolean {
    return (
      this.revoked.size > 0 && this.revoked.covers(revocationQueryOf(auth), this.options.now().getTime())
    );
  }

  /** Returns when a response must end, in seconds since the epoch; undefined if it need not be kept. */
  private endOf(auth: AuthInfo): number | undefined {
    const { endStreamsAtExpiry, isRevoked } = this.options;
    if (this.isRevoked(auth)) return REVOKED;
    const expiresAt = endStreamsAtExpiry ? auth.expiresAt : undefined;
    return isRevoked ? (expiresAt ?? Infinity) : expiresAt;
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

  /** A method without the response in its scope, so that the timer does not keep that from being garbage collected. */
  private wake(inMs: number): NodeJS.Timeout {
    return outsideRequests(() =>
      setTimeout(() => {
        this.look();
      }, inMs).unref(),
    );
  }

  /** Ends the streams whose token has expired, and forgets the responses that have ended or are no streams. */
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

  /** Ends a stream whose token has expired. Returns whether the response can be forgotten. */
  private isDone({ authorized }: ResponseState, expiresAt: number): boolean {
    const { response } = authorized;
    if (response.closed || response.writableEnded) return true;
    if (this.leftMs(expiresAt) > 0 || !response.headersSent) return false;
    if (isEventStream(mediaTypeOf(response))) endResponse(response, this.lastEvent(authorized, expiresAt));
    return true;
  }

  /** Returns how long a token is still valid, including the clock tolerance. */
  private leftMs(expiresAt: number): number {
    const { clockToleranceSeconds, now } = this.options;
    return (expiresAt + clockToleranceSeconds) * 1000 - now().getTime();
  }

  /** Returns the event for a call that still waits for its answer; undefined if none does. */
  private lastEvent({ body, resource, request }: AuthorizedRequest, expiresAt: number): string | undefined {
    const message = (request as { readonly body?: unknown }).body ?? body;
    const id = requestIdOf(message);
    if (id === null || (message as { method?: unknown }).method === LISTEN) return undefined;
    const failure = new TokenRejectedError(expiresAt === REVOKED ? 'revoked' : 'expired');
    const { body: error } = rejectionResponse(failure, resource, this.settings, id);
    return `event: message\ndata: ${JSON.stringify(error)}\n\n`;
  }
}

function isOpenStream(response: AuthorizedRequest['response']): boolean {
  const isOpen = response.headersSent && !response.closed && !response.writableEnded;
  return isOpen && isEventStream(mediaTypeOf(response));
}
