import type { ServerResponse } from 'node:http';
import {
  bytesOf,
  callbackOf,
  type Done,
  type Given,
  headerOf,
  headersSent,
  isEventStream,
  mediaTypeOf,
  setHeadersIn,
} from '../platform/response-arguments.js';
import { EventRewriter } from './event-stream.js';
import { callBack, interceptResponse, type ResponseMethods } from './intercept-response.js';
import type { Replacement, ResponseTransformer } from './response-transformer.interface.js';

/** Headers that tell of what was to be sent: none of them is true of a replacement. */
const OF_CONTENT =
  /^(?:content-(?!security-policy)|transfer-encoding$|etag$|last-modified$|location$|mcp-session-id$)/i;

/** Headers that tell of a body as it was. */
const OF_THE_BODY = ['content-length', 'etag'] as const;

const NOTHING = Buffer.alloc(0);

/** Has what is not sent yet of an answer read and changed. @internal */
export function transformResponse(response: ServerResponse, transformer: ResponseTransformer): void {
  new TransformedResponse(response, transformer);
}

/**
 * - `head`: nothing is known yet
 * - `body`: the body is kept until it ends
 * - `events`: events go out as they come
 * - `open`: what comes is passed on
 * - `closed`: the answer has been replaced, what comes is dropped
 */
type Phase = 'head' | 'body' | 'events' | 'open' | 'closed';

/** Stands between an application and a response. The head is kept back until it is known how long the body is. */
class TransformedResponse {
  private phase: Phase = 'head';
  /** Whether the application has written the head, and not left that to its first chunk. */
  private hasHead = false;
  /** Whether the head has been passed on. */
  private isSent: boolean;
  private kept: Buffer[] = [];
  private size = 0;
  private readonly events: EventRewriter;
  private below!: ResponseMethods;

  constructor(
    private readonly response: ServerResponse,
    private readonly transformer: ResponseTransformer,
  ) {
    const { maxBytes, longEvent: tooLong } = transformer;
    const rewrite = (event: string): string =>
      this.phase === 'closed' ? '' : this.made(transformer.event(event, this.isSent));
    this.events = new EventRewriter({ maxBytes, rewrite, tooLong });
    this.isSent = response.headersSent;
    if (this.isSent) this.begin();
    if (this.phase !== 'open')
      interceptResponse(
        response,
        (below) => this.methods(below),
        () => this.hasBegun(),
      );
  }

  private methods(below: ResponseMethods): ResponseMethods {
    this.below = below;
    return {
      writeHead: (...given) => this.writeHead(given),
      flushHeaders: () => {
        this.flushHeaders();
      },
      write: (...given) => this.write(given),
      end: (...given) => this.end(given),
    };
  }

  private hasBegun(): boolean {
    return this.phase === 'head' ? this.hasHead : this.phase !== 'open';
  }

  private writeHead(given: Given): ServerResponse {
    if (this.phase === 'open') return this.below.writeHead(...given);
    if (this.phase === 'closed') return this.response;
    if (this.hasBegun()) throw headersSent();
    this.hasHead = true;
    const [status, reason] = given;
    this.response.statusCode = status as number;
    if (typeof reason === 'string') this.response.statusMessage = reason;
    setHeadersIn(given, this.response);
    this.begin();
    return this.response;
  }

  private flushHeaders(): void {
    this.begin();
    const isReady = this.phase === 'events' && !this.isUndecided();
    if (isReady) this.sendHead();
    if (isReady || this.phase === 'open') this.below.flushHeaders();
  }

  private write(given: Given): boolean {
    this.begin();
    if (this.phase === 'open') return this.below.write(...given);
    const chunk = bytesOf(given) ?? NOTHING;
    const done = callbackOf(given);
    if (this.phase === 'body') this.keepBody(chunk);
    const ready = this.phase === 'events' ? this.readyEvents(chunk) : NOTHING;
    if (ready.length > 0) return this.below.write(ready, done);
    callBack(done);
    return true;
  }

  /** What can be sent of the events, the head having been sent before. */
  private readyEvents(chunk: Buffer): Buffer {
    this.keep(this.events.take(chunk));
    if (this.phase !== 'events' || (this.isUndecided() && this.size <= this.transformer.maxBytes)) {
      return NOTHING;
    }
    this.sendHead();
    return this.takeKept();
  }

  private end(given: Given): ServerResponse {
    this.begin();
    if (this.phase === 'open') return this.below.end(...given);
    const chunk = bytesOf(given) ?? NOTHING;
    const done = callbackOf(given);
    if (this.phase === 'body') this.keepBody(chunk);
    if (this.phase === 'events') {
      this.keep(this.events.take(chunk));
      this.keep(this.events.finish());
    }
    return this.finish(done);
  }

  /** Ends with what was kept, in the phase that it has come to with the last chunk. */
  private finish(done: Done): ServerResponse {
    const { phase, response } = this;
    const kept = this.takeKept();
    if (phase === 'events') return this.endWith(kept, done);
    if (phase === 'body') {
      const text = kept.toString();
      const made = text === '' ? text : this.made(this.transformer.body(text, response.statusCode));
      if (this.phase === 'body' && made !== text) return this.endWith(Buffer.from(made), done);
      if (this.phase === 'body') this.open();
    }
    if (this.phase === 'open') return this.below.end(kept, done);
    callBack(done);
    return response;
  }

  /** Ends with another body than was written; its length is known where nothing of it has been sent. */
  private endWith(rest: Buffer, done: Done): ServerResponse {
    this.sendHead(rest.length);
    this.phase = 'open';
    return this.below.end(rest, done);
  }

  /** Chooses what is done, once the application sends something: its headers are known then. */
  private begin(): void {
    if (this.phase !== 'head') return;
    const { response } = this;
    const type = mediaTypeOf(response);
    const header = (name: string): string => (name === 'content-type' ? type : headerOf(response, name));
    const choice = this.transformer.begin({ status: response.statusCode, header }, this.isSent);
    const isLate = this.isSent && (choice !== 'read' || !isEventStream(type));
    if (choice === 'pass' || isLate) this.open();
    else if (typeof choice === 'object') this.made(choice);
    else {
      this.phase = isEventStream(type) ? 'events' : 'body';
      if (!['', 'identity'].includes(header('content-encoding'))) this.giveUp();
    }
  }

  /** What cannot be read is replaced, or passed on. */
  private giveUp(): void {
    const replacement = this.transformer.unreadable();
    if (replacement) {
      this.made(replacement);
      return;
    }
    const kept = this.takeKept();
    this.open();
    if (kept.length > 0) this.below.write(kept);
  }

  private isUndecided(): boolean {
    return !this.isSent && this.transformer.isUndecided();
  }

  private keep(chunk: Buffer): void {
    this.kept.push(chunk);
    this.size += chunk.length;
  }

  private keepBody(chunk: Buffer): void {
    this.keep(chunk);
    if (this.size > this.transformer.maxBytes) this.giveUp();
  }

  private takeKept(): Buffer {
    const kept = Buffer.concat(this.kept);
    this.kept = [];
    this.size = 0;
    return kept;
  }

  /** Passes on what comes, the head as it was written first. */
  private open(): void {
    this.phase = 'open';
    if (this.hasHead && !this.isSent) this.below.writeHead(this.response.statusCode);
  }

  /** @param length - of the whole body in bytes, where it is known */
  private sendHead(length?: number): void {
    if (this.isSent) return;
    this.isSent = true;
    const { response } = this;
    // Node ends a body by closing the connection where a header was taken away, also one that was not there.
    for (const name of OF_THE_BODY) if (response.hasHeader(name)) response.removeHeader(name);
    const isChunked = response.hasHeader('transfer-encoding');
    if (length !== undefined && !isChunked) response.setHeader('Content-Length', length);
    this.below.writeHead(response.statusCode);
  }

  /** The text that was made of another; nothing where the answer is replaced, which is done here. */
  private made(result: string | Replacement): string {
    if (typeof result === 'string') return result;
    const { response, below } = this;
    this.phase = 'closed';
    this.takeKept();
    for (const name of response.getHeaderNames()) if (OF_CONTENT.test(name)) response.removeHeader(name);
    response.statusMessage = '';
    const { status, headers, body } = result;
    below.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
    below.end(body);
    return '';
  }
}
