import { Inject, Injectable } from '@nestjs/common';
import { type ServerResponse } from 'node:http';
import { jsonRpcBody, refusalBody, requestIdOf } from '../challenge/refusal-body.js';
import { answerTo } from '../challenge/refusal-answers.js';
import { TokenRefusedError } from '../errors/refusal.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { isEventStream } from '../platform/response-arguments.js';
import { silence } from '../platform/take-over.js';
import { type Exchange, type ExchangeWatcher } from './exchange.js';

/** A clock may be put forward, and a timer waits for no more than 2^31 milliseconds: so the clock is looked at meanwhile. */
const LONGEST_WAIT_MS = 60_000;

/** How soon an answer that has not begun is looked at again once its token is over, in milliseconds. */
const BEGINNING_WAIT_MS = 1000;

/** Its answer is the stream itself: there is no call that waits for an answer. */
const LISTEN = 'subscriptions/listen';

/** Where a response has its watch. */
const WATCH = Symbol('stream watch');

type WatchedResponse = ServerResponse & { [WATCH]?: StreamWatch };

/**
 * Ends streams with the token that opened them.
 *
 * Every answer might become a stream: no header of the request says so that a client could not leave out. So each is
 * watched, by a timer that as good as never fires: most have the same time to wait, which makes them cheap.
 *
 * @internal
 */
@Injectable()
export class StreamExpiry implements ExchangeWatcher {
  constructor(@Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions) {}

  attend(exchange: Exchange): void {
    const { auth } = exchange;
    if (!this.options.endStreamsAtExpiry || auth?.expiresAt === undefined) return;
    const response: WatchedResponse = exchange.response;
    if (response[WATCH]) response[WATCH].exchange = exchange;
    else {
      response[WATCH] = new StreamWatch(exchange, auth.expiresAt, this.options);
      response[WATCH].wait();
    }
  }
}

class StreamWatch {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    /** As the last layer has let it in, which knows the body. */
    public exchange: Exchange,
    private readonly expiresAt: number,
    private readonly options: ResolvedMcpAuthOptions,
  ) {
    exchange.response.once('close', () => {
      clearTimeout(this.timer);
    });
  }

  wait(): void {
    const left = this.leftMs();
    const { response } = this.exchange;
    if (response.closed || response.writableEnded) return;
    if (left <= 0 && response.headersSent) {
      if (isStream(response)) this.end();
      return;
    }
    this.timer = setTimeout(
      () => {
        this.wait();
      },
      left <= 0 ? BEGINNING_WAIT_MS : Math.min(left, LONGEST_WAIT_MS),
    ).unref();
  }

  /** How long the token is still taken, as the gate decides. */
  private leftMs(): number {
    const { clockToleranceSeconds, now } = this.options;
    return (this.expiresAt + clockToleranceSeconds) * 1000 - now().getTime();
  }

  private end(): void {
    const { response } = this.exchange;
    response.end(this.lastEvent());
    silence(response);
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

/** Node does not tell headers that were given to `writeHead()`, but keeps what it has sent. */
function isStream(response: ServerResponse): boolean {
  const { _header: sent } = response as { readonly _header?: unknown };
  const type = response.getHeader('content-type') ?? /^content-type: *(.*)$/im.exec(String(sent))?.[1];
  return isEventStream(type);
}
