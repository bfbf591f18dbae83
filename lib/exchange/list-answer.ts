import { type ServerResponse } from 'node:http';
import {
  bytesOf,
  callbackOf,
  type Done,
  type Given,
  headerOf,
  headersSent,
  isEventStream,
  setHeadersIn,
} from '../platform/response-arguments.js';
import { methodsOf, takeOver } from '../platform/take-over.js';
import { type AnswerRules } from './answer-rules.interface.js';
import { EventRewriter } from './list-events.js';

/**
 * - `head`: nothing is known yet, or the head is kept until there is a body
 * - `json`: the body is kept until it ends
 * - `events`: events go out as they come
 * - `open`: what comes is passed on
 * - `closed`: a refusal has been sent, what comes is dropped
 */
type Phase = 'head' | 'json' | 'events' | 'open' | 'closed';

const NOTHING = Buffer.alloc(0);

/** Headers that say something of the body as it was. */
const OF_THE_BODY = ['content-length', 'etag'] as const;

/**
 * Stands between an application and a Node response of which nothing has been sent, so that its body can be rewritten.
 * The head is kept back until it is known how long the body is.
 *
 * To be made before the application writes. Wrappers that others have put on the response stay in effect, below it.
 *
 * @internal
 */
export class AnswerRewriter {
  private phase: Phase = 'head';
  /** Whether the application has written the head, and not left that to its first chunk. */
  private hasHead = false;
  private parts: Buffer[] = [];
  private size = 0;
  private readonly events: EventRewriter;
  private readonly below: Pick<ServerResponse, 'writeHead' | 'flushHeaders' | 'write' | 'end'>;

  constructor(
    private readonly response: ServerResponse,
    private readonly rules: AnswerRules,
  ) {
    const { maxBytes, rewriteEvent, eventRefusal } = rules;
    this.events = new EventRewriter({ maxBytes, rewrite: rewriteEvent, tooLong: eventRefusal });
    this.below = methodsOf(response);
    takeOver(response, {
      writeHead: (...given: Given) => this.writeHead(given),
      flushHeaders: () => {
        this.flushHeaders();
      },
      write: (...given: Given) => this.write(given),
      end: (...given: Given) => this.end(given),
    });
    const isSent = (): boolean => this.hasHead || this.phase !== 'head' || this.isHeadOut();
    Object.defineProperty(response, 'headersSent', { get: isSent, configurable: true });
  }

  private writeHead([status, ...given]: Given): ServerResponse {
    if (this.phase === 'open') return this.below.writeHead(status as number, ...(given as [string]));
    if (this.response.headersSent) throw headersSent();
    this.hasHead = true;
    this.response.statusCode = status as number;
    const [reason] = given;
    if (typeof reason === 'string') this.response.statusMessage = reason;
    setHeadersIn(given, this.response);
    return this.response;
  }

  private flushHeaders(): void {
    this.begin();
    if (this.phase === 'events') this.sendHead();
    if (this.phase === 'events' || this.phase === 'open') this.below.flushHeaders();
  }

  private write(given: Given): boolean {
    this.begin();
    if (this.phase === 'open') return this.below.write(...(given as [string]));
    const chunk = bytesOf(given) ?? NOTHING;
    const done = callbackOf(given);
    if (this.phase === 'events') {
      this.sendHead();
      const ready = this.events.take(chunk);
      if (ready.length > 0) return this.below.write(ready, done);
    } else if (this.phase === 'json') this.keep(chunk);
    if (done) process.nextTick(done);
    return true;
  }

  private end(given: Given): ServerResponse {
    this.begin();
    if (this.phase === 'open') return this.below.end(...(given as [string]));
    const chunk = bytesOf(given) ?? NOTHING;
    const done = callbackOf(given);
    if (this.phase === 'events') {
      return this.endWith(Buffer.concat([this.events.take(chunk), this.events.finish()]), done);
    }
    if (this.phase === 'json') this.keep(chunk);
    // Not so any more where that was too much.
    if (this.phase === 'json') return this.endBody(Buffer.concat(this.parts), done);
    if (done) process.nextTick(done);
    return this.response;
  }

  private endBody(body: Buffer, done: Done): ServerResponse {
    const text = body.toString();
    const rewritten = text === '' ? text : this.rules.rewriteBody(text, this.response.statusCode);
    if (rewritten === undefined) {
      this.refuse();
      if (done) process.nextTick(done);
      return this.response;
    }
    if (rewritten === text) {
      this.open();
      return this.below.end(body, done);
    }
    return this.endWith(Buffer.from(rewritten), done);
  }

  /** Ends with another body than was written; its length is known where nothing of it has been sent. */
  private endWith(rest: Buffer, done: Done): ServerResponse {
    this.sendHead(rest.length);
    this.leave('open');
    return this.below.end(rest, done);
  }

  /** Chooses what is done, once the application sends something: its headers are known then. */
  private begin(): void {
    if (this.phase !== 'head') return;
    const type = headerOf(this.response, 'content-type');
    if (!this.rules.looksAt(type)) {
      this.open();
      return;
    }
    const isEvents = isEventStream(type);
    const isEncoded = !['', 'identity'].includes(headerOf(this.response, 'content-encoding'));
    this.phase = isEvents ? 'events' : 'json';
    if (isEncoded) this.giveUp();
  }

  /** What cannot be rewritten is refused, or passed on. */
  private giveUp(): void {
    if (this.rules.refusal) {
      this.refuse();
      return;
    }
    const kept = Buffer.concat(this.parts);
    this.open();
    if (kept.length > 0) this.below.write(kept);
  }

  private keep(chunk: Buffer): void {
    this.parts.push(chunk);
    this.size += chunk.length;
    if (this.size > this.rules.maxBytes) this.giveUp();
  }

  /** Passes on what comes, the head as it was written first. */
  private open(): void {
    const { hasHead } = this;
    this.leave('open');
    if (hasHead) this.below.writeHead(this.response.statusCode);
  }

  private leave(phase: 'open' | 'closed'): void {
    this.phase = phase;
    this.parts = [];
  }

  /** @param length - of the whole body in bytes, where it is known */
  private sendHead(length?: number): void {
    if (this.isHeadOut()) return;
    const { response } = this;
    // Node ends a body by closing the connection where a header was taken away, also one that was not there.
    for (const name of OF_THE_BODY) if (response.hasHeader(name)) response.removeHeader(name);
    const isChunked = response.hasHeader('transfer-encoding');
    if (length !== undefined && !isChunked) response.setHeader('Content-Length', length);
    this.below.writeHead(this.response.statusCode);
  }

  private isHeadOut(): boolean {
    const prototype = Object.getPrototypeOf(this.response) as object;
    return Reflect.get(prototype, 'headersSent', this.response) as boolean;
  }

  /** Answers in place of the application. */
  private refuse(): void {
    const body = this.rules.refusal?.() ?? '';
    this.leave('closed');
    this.response.removeHeader('content-encoding');
    this.response.statusCode = 500;
    this.response.statusMessage = '';
    this.response.setHeader('Content-Type', 'application/json');
    this.sendHead(Buffer.byteLength(body));
    this.below.end(body);
  }
}
