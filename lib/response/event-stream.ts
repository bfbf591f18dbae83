const LF = 0x0a;
const CR = 0x0d;

/** The rules for rewriting an event stream. @internal */
export interface EventRules {
  /** Most bytes of one event that are buffered. */
  readonly maxBytes: number;
  /** Returns the event to send, with all its lines; the same text to leave it unchanged. */
  readonly rewrite: (event: string) => string;
  /** Returns a replacement for an event that is too long; undefined to pass such events on. */
  readonly tooLong: (() => string) | undefined;
}

/**
 * Splits an event stream at blank lines, and passes each event to a function. Events that it leaves unchanged are sent byte
 * for byte, including comments. Each byte is read once, regardless of the chunks.
 *
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream | HTML, event streams}
 * @internal
 */
export class EventRewriter {
  private parts: Buffer[] = [];
  private size = 0;
  private isLineEmpty = true;
  private isAfterCr = false;
  private isTooLong = false;

  constructor(private readonly rules: EventRules) {}

  /** @returns the bytes that can be sent now */
  take(chunk: Buffer): Buffer {
    const ready: Buffer[] = [];
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      if (!this.endsEvent(chunk[index])) continue;
      ready.push(this.keep(chunk.subarray(start, index + 1)), this.finish());
      start = index + 1;
    }
    ready.push(this.keep(chunk.subarray(start)));
    return Buffer.concat(ready);
  }

  /** @returns what is left when the stream ends */
  finish(): Buffer {
    const event = Buffer.concat(this.parts);
    this.parts = [];
    this.size = 0;
    if (this.isTooLong) {
      this.isTooLong = false;
      return Buffer.from(this.rules.tooLong?.() ?? '');
    }
    const text = event.toString();
    const rewritten = this.rules.rewrite(text);
    return rewritten === text ? event : Buffer.from(rewritten);
  }

  /** Whether a byte ends a blank line. The LF of a CR LF ends nothing that its CR has not ended. */
  private endsEvent(byte: number | undefined): boolean {
    const isSecondOfPair = byte === LF && this.isAfterCr;
    this.isAfterCr = byte === CR;
    if (isSecondOfPair) return false;
    if (byte !== LF && byte !== CR) {
      this.isLineEmpty = false;
      return false;
    }
    const isBlank = this.isLineEmpty;
    this.isLineEmpty = true;
    return isBlank;
  }

  /** Buffers a part of an event. Returns the bytes that cannot be buffered and must be sent. */
  private keep(part: Buffer): Buffer {
    this.parts.push(part);
    this.size += part.length;
    if (this.size <= this.rules.maxBytes && !this.isTooLong) return Buffer.alloc(0);
    this.isTooLong = true;
    const kept = this.parts;
    this.parts = [];
    return this.rules.tooLong ? Buffer.alloc(0) : Buffer.concat(kept);
  }
}

/** The fields of an event that are read. @internal */
export interface EventFields {
  /** Empty if the event has no name. */
  readonly name: string;
  /** Undefined if the event has no data. */
  readonly data: string | undefined;
}

/** Reads the fields of an event. @internal */
export function eventFields(event: string): EventFields {
  const lines = event.split(/\r\n|\r|\n/);
  const values = (field: string): string[] => lines.flatMap((line) => valueOf(line, field) ?? []);
  const data = values('data');
  return { name: values('event').at(-1) ?? '', data: data.length > 0 ? data.join('\n') : undefined };
}

/** Returns an event with other data, in one line in place of its first data line. @internal */
export function withData(event: string, data: string): string {
  const lines = event.match(/[^\r\n]*(?:\r\n|\r|\n|$)/g) ?? [];
  const isData = (line: string): boolean => valueOf(line, 'data') !== undefined;
  const first = lines.findIndex(isData);
  return lines
    .filter((line, index) => index === first || !isData(line))
    .map((line) => (isData(line) ? `data: ${data}${/[\r\n]*$/.exec(line)?.[0] ?? ''}` : line))
    .join('');
}

/** The value of a field in a line that has it. A stream may begin with a byte order mark. */
function valueOf(line: string, field: string): string | undefined {
  const [, name, value = ''] = /^\uFEFF?([^:\r\n]+)(?:: ?([^\r\n]*))?/.exec(line) ?? [];
  return name === field ? value : undefined;
}
