import { type OutgoingHttpHeader, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { EventRewriter } from './list-events.js';

/** What is made of an answer. @internal */
export interface AnswerRules {
  /** The most bytes of a JSON body, or of one event, that are kept to be rewritten. */
  readonly maxBytes: number;
  /** Whether answers of a media type are looked at; asked once the application answers. */
  readonly looksAt: (type: string) => boolean;
  /** A JSON body in place of another; the same where it stays as it is, undefined where it must not be sent. */
  readonly rewriteBody: (body: string, status: number) => string | undefined;
  /** As {@link EventRules.rewrite}. */
  readonly rewriteEvent: (event: string) => string;
  /** What is sent in place of an answer that must not be sent; undefined where all may be. */
  readonly refusal: (() => string) | undefined;
  /** As {@link EventRules.tooLong}. */
  readonly eventRefusal: (() => string) | undefined;
}

/**
 * - `head`: nothing is known yet, or the head is kept until there is a body
 * - `json`: the body is kept until it ends
 * - `events`: events go out as they come
 * - `open`: what comes is passed on
 * - `closed`: a refusal has been sent, what comes is dropped
 */
type Phase = 'head' | 'json' | 'events' | 'open' | 'closed';

type Done = ((error?: Error | null) => void) | undefined;

/** What `write()` and `end()` take: a chunk, its encoding, and a callback, some of them left out. */
type Given = readonly unknown[];

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
    this.below = bound(response);
    Object.assign(response, {
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
    const [reason, headers] = typeof given[0] === 'string' ? given : [undefined, given[0]];
    if (reason !== undefined) this.response.statusMessage = reason as string;
    setHeaders(this.response, headers as OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | undefined);
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
    const { chunk, done } = readArguments(given);
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
    const { chunk, done } = readArguments(given);
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

/** @internal */
export function isEventStream(type: string): boolean {
  return type.startsWith('text/event-stream');
}

function bound(response: ServerResponse): AnswerRewriter['below'] {
  return {
    writeHead: response.writeHead.bind(response),
    flushHeaders: response.flushHeaders.bind(response),
    write: response.write.bind(response),
    end: response.end.bind(response),
  };
}

/** As Node does it where the head has been sent. */
function headersSent(): Error {
  const error = new Error('Cannot write headers after they are sent to the client');
  return Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' });
}

function headerOf(response: ServerResponse, name: string): string {
  return String(response.getHeader(name) ?? '').toLowerCase();
}

/** Sets headers as `writeHead()` takes them: an object, or a list of names and values in which names may come again. */
function setHeaders(
  response: ServerResponse,
  headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[] = {},
): void {
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders))
      if (value !== undefined) response.setHeader(name, value);
    return;
  }
  const list = headers.flat() as string[];
  const pairs = list.flatMap((name, index) =>
    index % 2 === 0 ? [[name, list[index + 1] ?? ''] as const] : [],
  );
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, value);
}

function readArguments(given: Given): { readonly chunk: Buffer; readonly done: Done } {
  const [chunk, encoding] = given;
  const done = given.find((each) => typeof each === 'function') as Done;
  const isNone = chunk === undefined || chunk === null || typeof chunk === 'function';
  if (isNone) return { chunk: Buffer.alloc(0), done };
  if (typeof chunk !== 'string') return { chunk: Buffer.from(chunk as Uint8Array), done };
  return {
    chunk: Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'),
    done,
  };
}
