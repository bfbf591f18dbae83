import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventFields, EventRewriter, type EventRules, withData } from './event-stream.js';

const SAME: EventRules = { maxBytes: 1000, rewrite: (event) => event, tooLong: undefined };

/** What comes out of a stream that is cut into pieces of these lengths, the rest as one. */
function rewritten(stream: Buffer, lengths: readonly number[], rules: EventRules): string {
  const rewriter = new EventRewriter(rules);
  const out: Buffer[] = [];
  let start = 0;
  for (const length of [...lengths, stream.length]) {
    out.push(rewriter.take(stream.subarray(start, start + length)));
    start = Math.min(start + length, stream.length);
  }
  return Buffer.concat([...out, rewriter.finish()]).toString();
}

const pieces = fc.array(fc.integer({ min: 0, max: 7 }));
const line = fc.constantFrom(
  'data: {"a":"é🔓"}',
  'data:x',
  'data',
  ': keep-alive',
  'id: 1',
  'event: message',
  '',
);
const end = fc.constantFrom('\n', '\r\n', '\r');
const streams = fc
  .array(fc.tuple(line, end))
  .map((lines) => Buffer.from(lines.map((parts) => parts.join('')).join('')));

describe('EventRewriter', () => {
  it('leaves every byte as it was, however the stream is cut', () => {
    fc.assert(
      fc.property(streams, pieces, (stream, lengths) => {
        expect(rewritten(stream, lengths, SAME)).toBe(stream.toString());
      }),
    );
  });

  it('sees the same events, however the stream is cut', () => {
    const mark: EventRules = { ...SAME, rewrite: (event) => `<${event}>` };
    fc.assert(
      fc.property(streams, pieces, (stream, lengths) => {
        expect(rewritten(stream, lengths, mark)).toBe(rewritten(stream, [], mark));
      }),
    );
  });

  it('gives each event as soon as its blank line is there', () => {
    const seen: string[] = [];
    const rewriter = new EventRewriter({
      ...SAME,
      rewrite: (event) => {
        seen.push(event);
        return event;
      },
    });
    expect(rewriter.take(Buffer.from('data: 1\n')).toString()).toBe('');
    expect(rewriter.take(Buffer.from('\ndata: 2\r\n\r')).toString()).toBe('data: 1\n\ndata: 2\r\n\r');
    expect(rewriter.take(Buffer.from('\n: x\r\r')).toString()).toBe('\n: x\r\r');
    expect(seen).toEqual(['data: 1\n\n', 'data: 2\r\n\r', '\n: x\r\r']);
  });

  it('puts something in the place of an event that is too long, and of that one only', () => {
    const long = `data: ${'x'.repeat(100)}\n\n`;
    const stream = Buffer.from(`data: 1\n\n${long}data: 2\n\n`);
    const rules = { ...SAME, maxBytes: 50, tooLong: () => 'data: no\n\n' };
    for (const lengths of [[], Array<number>(200).fill(1), [9, 60, 60]]) {
      expect(rewritten(stream, lengths, rules)).toBe('data: 1\n\ndata: no\n\ndata: 2\n\n');
      expect(rewritten(stream, lengths, { ...rules, tooLong: undefined })).toBe(stream.toString());
    }
    const exact = Buffer.from(`data: ${'x'.repeat(42)}\n\n`);
    expect(rewritten(exact, [], rules)).toBe(exact.toString());
  });
});

describe('eventFields', () => {
  it.each([
    ['data: 1\n\n', '', '1'],
    ['data:1\r\n\r\n', '', '1'],
    ['data:  1\n\n', '', ' 1'],
    ['event: message\rdata: {\rdata: }\r\r', 'message', '{\n}'],
    ['\uFEFFdata: 1\n\n', '', '1'],
    ['data\n\n', '', ''],
    ['id: 1\n: data: 2\nDATA: 3\ndatum: 4\n\n', '', undefined],
    ['event: a\nevent\n\n', '', undefined],
  ])('reads %j', (event, name, data) => {
    expect(eventFields(event)).toEqual({ name, data });
  });
});

describe('withData', () => {
  it.each([
    ['event: message\nid: 1\ndata: old\n\n', 'event: message\nid: 1\ndata: new\n\n'],
    ['data: a\r\n: between\r\ndata: b\r\nid: 1\r\n\r\n', 'data: new\r\n: between\r\nid: 1\r\n\r\n'],
    ['data: a\r\r', 'data: new\r\r'],
    ['data: a', 'data: new'],
    ['\ndata\n\n', '\ndata: new\n\n'],
    [': nothing\n\n', ': nothing\n\n'],
  ])('writes into %j', (event, expected) => {
    expect(withData(event, 'new')).toBe(expected);
  });
});
