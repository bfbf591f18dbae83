import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { hasUnreadMessage, isSentAsJson } from './unread-body.js';

const JSON_TYPE = 'application/json';
const sent = (body: unknown, headers: Record<string, unknown> = {}) => ({
  headers: { 'content-type': JSON_TYPE, 'content-length': '2', ...headers },
  body,
});

describe('hasUnreadMessage', () => {
  it.each([
    ['a body without a parser', sent(undefined)],
    ['a body in chunks', sent(undefined, { 'content-length': undefined, 'transfer-encoding': 'chunked' })],
    ['a text', sent('{}')],
    ['bytes', sent(Buffer.from('{}'))],
    ['a stream', sent(Readable.from(['{}']))],
    ['a web stream', sent(new ReadableStream())],
    ['no type', sent(undefined, { 'content-type': undefined })],
    ['another spelling of the type', sent(undefined, { 'content-type': 'Application/JSON; charset' })],
    ['a type that has it within', sent(undefined, { 'content-type': 'text/plain; x=application/json' })],
    ['a text by its type', sent(undefined, { 'content-type': 'text/plain' })],
    ['a form', sent(undefined, { 'content-type': 'multipart/form-data; boundary=x' })],
  ])('tells of %s', (_, request) => {
    expect(hasUnreadMessage(request)).toBe(true);
  });

  it.each([
    ['a parsed body', sent({})],
    ['a batch', sent([])],
    ['no body', sent(undefined, { 'content-length': undefined })],
    ['an empty body', sent(undefined, { 'content-length': '0' })],
    ['a parsed form', sent({}, { 'content-type': 'application/x-www-form-urlencoded' })],
    ['a type without a body', sent(undefined, { 'content-type': 'text/plain', 'content-length': undefined })],
  ])('tells of none in %s', (_, request) => {
    expect(hasUnreadMessage(request)).toBe(false);
  });
});

describe('isSentAsJson', () => {
  const types = (all: readonly unknown[]) =>
    all.filter((type) => isSentAsJson({ headers: { 'content-type': type } }));

  it('knows the one type, in any case and with any parameters', () => {
    const all = [
      'application/json',
      'Application/JSON',
      ' application/json ;charset=utf-8 ',
      'application/json; charset="utf-8"; a=b',
      'application/json;a="\\";b";c=d',
    ];
    expect(types(all)).toEqual(all);
  });

  it('takes no other for it', () => {
    const lists = ['text/plain, application/json', 'application/json, text/plain', ['application/json']];
    const others = [
      'application/vnd.api+json',
      'application/json5',
      'text/plain; x=application/json',
      'json',
    ];
    expect(types([undefined, '', ';application/json', ...lists, ...others])).toEqual([]);
  });

  it('takes none for it whose parameters are not well-formed', () => {
    const endings = [
      ';',
      ';;a=b',
      '; charset',
      '; charset=',
      '; a=b;',
      '; a="b',
      '; a="b"c',
      '; a=b c',
      ', a=b',
    ];
    expect(types(endings.map((ending) => `application/json${ending}`))).toEqual([]);
  });

  it('reads a type as long as a header may be without delay', () => {
    const begun = performance.now();
    const long = [';a=b', ';a="', ' ', '; ', '\\"', ';a="\\"'].map(
      (part) => `application/json${part.repeat(4000)}?`,
    );
    expect(types(long)).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(200);
  });
});
