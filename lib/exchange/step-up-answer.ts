import { type ServerResponse } from 'node:http';
import { writeRefusal } from '../challenge/write-refusal.js';
import {
  bytesOf,
  callbackOf,
  headersIn,
  isEventStream,
  setHeadersIn,
} from '../platform/response-arguments.js';
import { callBack, silence, takeOver } from '../platform/take-over.js';
import { type RefusalResponse } from '../challenge/refusal-response.js';
import { explainFailures, type Verdict, verdictOnEvents, verdictOnJson } from './step-up-messages.js';

/** A request that its handler has refused, as far as its answer is concerned. @internal */
export interface SteppedUp {
  /** The request's body, parsed. */
  readonly body: unknown;
  /** Whether no layer has refused the request meanwhile. */
  readonly isCurrent: boolean;
  /** What is sent instead of an answer of failure. */
  refusal(): RefusalResponse;
  /** What an answer of failure says where it can no longer be replaced. */
  message(): string;
}

/** How much of an answer is held back, in bytes. What is longer is none of failure. */
const MOST_HELD = 1_048_576;

/** Headers that tell of what was to be sent: none of them is true of a refusal. */
const OF_CONTENT =
  /^(?:content-(?!security-policy)|transfer-encoding$|etag$|last-modified$|location$|mcp-session-id$)/i;

/**
 * Holds the answer to a request back until it is known whether it is one of failure: by its status, or by what it says
 * where the request is a call by JSON-RPC. One of failure is replaced, any other is sent unchanged. Where the answer has
 * begun, its failure is made to say why.
 *
 * @internal
 */
export function holdAnswer(response: ServerResponse, stepUp: SteppedUp): void {
  if (response.headersSent) explainAnswer(response, stepUp);
  else new HeldAnswer(response, stepUp);
}

function explainAnswer(response: ServerResponse, stepUp: SteppedUp): void {
  // Nothing tells which message of several is meant.
  if (!isCall(stepUp.body) || Array.isArray(stepUp.body)) return;
  const explain = (args: unknown[]): unknown[] => {
    const text = stepUp.isCurrent ? bytesOf(args)?.toString() : undefined;
    const explained = text === undefined ? undefined : explainFailures(text, () => stepUp.message());
    return explained === undefined ? args : [explained, ...args.filter((each) => typeof each === 'function')];
  };
  const write = response.write.bind(response) as (...args: unknown[]) => unknown;
  const end = response.end.bind(response) as (...args: unknown[]) => unknown;
  takeOver(response, {
    write: (...args) => write(...explain(args)),
    end: (...args) => end(...explain(args)),
  });
}

class HeldAnswer {
  private head: readonly unknown[] = [];
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private readonly giveBack: () => void;

  constructor(
    private readonly response: ServerResponse,
    private readonly stepUp: SteppedUp,
  ) {
    this.giveBack = takeOver(response, {
      writeHead: (...args) => {
        this.head = args;
        this.decide(false);
        return response;
      },
      write: (...args) => {
        this.keep(args);
        callBack(args);
        this.decide(false);
        return true;
      },
      end: (...args) => {
        this.keep(args);
        const callback = callbackOf(args);
        if (callback) response.once('finish', callback);
        this.decide(true);
        return response;
      },
      flushHeaders: () => {
        if (this.decide(false)) response.flushHeaders();
      },
    });
  }

  private keep(args: readonly unknown[]): void {
    const bytes = bytesOf(args);
    if (!bytes) return;
    this.chunks.push(bytes);
    this.size += bytes.length;
  }

  /** Returns whether anything was decided. */
  private decide(isEnd: boolean): boolean {
    const verdict = this.verdict(isEnd);
    if (verdict === 'open') return false;
    this.giveBack();
    if (verdict === 'failed' && this.stepUp.isCurrent) this.refuse();
    else this.release(isEnd);
    return true;
  }

  private verdict(isEnd: boolean): Verdict {
    const status = this.head[0] ?? this.response.statusCode;
    if (Number(status) >= 400) return 'failed';
    const isReadable = isCall(this.stepUp.body) && this.header('content-encoding') === undefined;
    return isReadable && this.size <= MOST_HELD ? this.verdictOnCall(isEnd) : 'answered';
  }

  private verdictOnCall(isEnd: boolean): Verdict {
    const type = String(this.header('content-type'));
    if (/^application\/json\b/i.test(type)) return isEnd ? verdictOnJson(this.text()) : 'open';
    if (!isEventStream(type)) return 'answered';
    const verdict = verdictOnEvents(this.text(), Array.isArray(this.stepUp.body));
    return verdict === 'open' && isEnd ? 'answered' : verdict;
  }

  private text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  private refuse(): void {
    const { response } = this;
    const refusal = this.stepUp.refusal();
    setHeadersIn(this.head, response);
    for (const name of response.getHeaderNames()) if (OF_CONTENT.test(name)) response.removeHeader(name);
    writeRefusal(response, refusal);
    silence(response);
  }

  private release(isEnd: boolean): void {
    const { response } = this;
    if (this.head.length > 0) response.writeHead(...(this.head as Parameters<ServerResponse['writeHead']>));
    const held = this.chunks.length > 0 ? Buffer.concat(this.chunks) : undefined;
    if (isEnd) response.end(held);
    else {
      if (held) response.write(held);
      explainAnswer(response, this.stepUp);
    }
  }

  private header(name: string): unknown {
    const given = headersIn(this.head).find(([each]) => each.toLowerCase() === name);
    return given ? given[1] : this.response.getHeader(name);
  }
}

function isCall(body: unknown): boolean {
  const [first] = [body].flat();
  return typeof first === 'object' && first !== null && (first as { jsonrpc?: unknown }).jsonrpc === '2.0';
}
