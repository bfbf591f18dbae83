import { Inject, Injectable } from '@nestjs/common';
import { recordWatch, watchOf } from '../auth-info/request-auth.js';
import { jsonRpcBody, refusalBody, requestIdOf } from '../challenge/refusal-body.js';
import { answerTo } from '../challenge/refusal-answers.js';
import { TokenRefusedError } from '../errors/refusal.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { Line } from '../platform/line.js';
import { outsideRequests } from '../platform/outside-requests.js';
import { isEventStream } from '../platform/response-arguments.js';
import { type Exchange, type ExchangeWatcher } from './exchange.js';
import { endResponse, mediaTypeOf } from './intercept-response.js';

/** A clock may be put forward, and a timer waits for no more than 2^31 milliseconds: so the clock is looked at meanwhile. */
const LONGEST_WAIT_MS = 60_000;

/** How soon an answer that has not begun is looked at again once its token is over, in milliseconds. */
const BEGINNING_WAIT_MS = 1000;

/** Its answer is the stream itself: there is no call that waits for an answer. */
const LISTEN = 'subscriptions/listen';

/**
 * Ends streams with the token that opened them.
 *
 * Every answer might become a stream: no header of the request says so that a client could not leave out. So each is
 * watched until it is closed. One timer does for all: to set one for each answer costs more than the watch. It belongs to
 * no request, so listeners of the answers that it ends run in no request's context.
 *
 * @internal
 */
@Injectable()
export class StreamExpiry implements ExchangeWatcher {
  private readonly open = new Line<OpenAnswer>();
  private timer: NodeJS.Timeout | undefined;
  /** The first expiry that the timer is for, in seconds since the epoch. Later ones need no other. */
  private soonest = Infinity;

  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions) {}

  /** How many answers are watched. */
  get watched(): number {
    return this.open.places.length;
  }

  attend(exchange: Exchange): void {
    const { auth, request, response } = exchange;
    if (!this.options.endStreamsAtExpiry || auth?.expiresAt === undefined || response.closed) return;
    const known = watchOf(request);
    if (known instanceof OpenAnswer && known.exchange.response === response) {
      known.exchange = exchange;
      return;
    }
    const answer = new OpenAnswer(exchange, auth.expiresAt, this.options);
    recordWatch(request, answer);
    const place = this.open.enter(answer);
    response.on('close', () => {
      this.open.leave(place);
    });
    if (answer.expiresAt < this.soonest) this.wakeFor(answer);
  }

  private wakeFor(answer: OpenAnswer): void {
    clearTimeout(this.timer);
    this.soonest = answer.expiresAt;
    this.timer = this.wake(answer.waitMs());
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
    let next: OpenAnswer | undefined;
    for (const place of this.open.places) {
      const answer = place.value;
      if (answer.isDone()) this.open.leave(place);
      else if (next === undefined || answer.expiresAt < next.expiresAt) next = answer;
    }
    if (next) this.wakeFor(next);
  }
}

/** An answer that might be a stream. */
class OpenAnswer {
  constructor(
    /** As the last layer has let it in, which knows the body. */
    public exchange: Exchange,
    readonly expiresAt: number,
    private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /** Whether it needs no watch any more: it has ended, or is no stream and takes its time. Ends a stream that is over. */
  isDone(): boolean {
    const { response } = this.exchange;
    if (response.closed || response.writableEnded) return true;
    if (this.leftMs() > 0 || !response.headersSent) return false;
    if (isEventStream(mediaTypeOf(response))) this.end();
    return true;
  }

  /** How long it need not be looked at. */
  waitMs(): number {
    const left = this.leftMs();
    return left <= 0 ? BEGINNING_WAIT_MS : Math.min(left, LONGEST_WAIT_MS);
  }

  /** How long the token is still taken, as the gate decides. */
  private leftMs(): number {
    const { clockToleranceSeconds, now } = this.options;
    return (this.expiresAt + clockToleranceSeconds) * 1000 - now().getTime();
  }

  private end(): void {
    endResponse(this.exchange.response, this.lastEvent());
  }

  /** What a call that is still waiting for its answer gets. */
  private lastEvent(): string | undefined {
    const { body, resource, request } = this.exchange;
    const message = (request as { readonly body?: unknown }).body ?? body;
    const id = requestIdOf(message);
    if (id === null || (message as { method?: unknown }).method === LISTEN) return undefined;
    const failure = new TokenRefusedError('expired');
    const answer = answerTo(failure, resource, this.options);
    const data = refusalBody(answer, failure, resource, this.options);
    return `event: message\ndata: ${JSON.stringify(jsonRpcBody(id, answer, data))}\n\n`;
  }
}
