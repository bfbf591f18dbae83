import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { onAnnouncedSession } from './session-stream.js';

const STREAM = { 'content-type': 'text/event-stream' };
const UUID = '00000000-0000-4000-8000-000000000000';

/** The values that a stream announces, once for each time that it does so. */
function announced(type: object, ...writes: unknown[]): string[][] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const found: string[][] = [];
  onAnnouncedSession(response, (values) => found.push(values.map(({ value }) => value)));
  response.writeHead(200, type as Record<string, string>);
  for (const write of writes) response.write(...((Array.isArray(write) ? write : [write]) as [string]));
  return found;
}

describe('onAnnouncedSession', () => {
  it.each([
    ['event: endpoint\ndata: /messages?sessionId=a\n\n'],
    ['event:endpoint\r\ndata:/m?x=1&sessionId=a#x\r\n\r\n'],
    ['event: endpoint\rdata: /m?sessionId=a\r\r'],
    [Buffer.from('event: endpoint\ndata: https://x.example/messages?sessionId=a\n\n')],
    ['\uFEFFevent: endpoint\ndata: /m?sessionId=a\n\n'],
    [': hello\nevent: endpoint\ndata: /m?sessionId=a\n\n'],
    [': hello\n\nevent: endpoint\ndata: /m?sessionId=a\n\n'],
    ['retry: 1000\nevent: endpoint\ndata: /m?sessionId=a\n\n'],
    ['retry: 1000\n\nid: 1\nevent: endpoint\ndata: /m?sessionId=a\n\n'],
    ['data: /m?sessionId=a\nevent: endpoint\n\n'],
    ['event: other\ndata: /m?sessionId=b\n\nevent: endpoint\ndata: /m?sessionId=a\n\n'],
    ['event: endpoint\ndata: /m?\ndata: sessionId=a\n\n'],
    ['event: endpoint \ndata:  /m?session%49d=%61 \n\n'],
  ])('finds the session in the first endpoint event of %j, once', (chunk) => {
    expect(announced(STREAM, chunk, chunk)).toEqual([['a']]);
  });

  it('finds it in several writes, whichever their encoding, before the last of them is sent', () => {
    const event = 'event: endpoint\ndata: /m?sessionId=a\n\n';
    expect(announced(STREAM, ...event.split(/(?=[^])/))).toEqual([['a']]);
    expect(announced(STREAM, event.slice(0, 15), event.slice(15))).toEqual([['a']]);
    expect(announced(STREAM, event.slice(0, -1))).toEqual([]);
    expect(announced(STREAM, [Buffer.from(event).toString('base64'), 'base64'])).toEqual([['a']]);
    expect(announced(STREAM, [Buffer.from(event).toString('hex'), 'hex', () => undefined])).toEqual([['a']]);
    expect(announced(STREAM, `data: ${'x'.repeat(100_000)}\n\n`, event)).toEqual([['a']]);
  });

  it('finds none elsewhere', () => {
    const event = 'event: endpoint\ndata: /messages?sessionId=a\n\n';
    expect(announced(STREAM, 'event: message\ndata: /messages?sessionId=a\n\n')).toEqual([]);
    expect(announced(STREAM, ': event: endpoint\ndata: /messages?sessionId=a\n\n')).toEqual([]);
    expect(announced(STREAM, 'event: endpoint\n\ndata: /messages?sessionId=a\n\n')).toEqual([]);
    expect(announced({ 'content-type': 'text/plain' }, event)).toEqual([]);
    expect(announced({}, event)).toEqual([]);
  });

  it.each([
    ['/m?kind=notes&session_id=5', ['5']],
    [`/m?kind=notes&c=${UUID}`, [UUID]],
    [`/api/conversation-service/m?tenantid=acme&kind=everybody-and-all&session_id=${UUID}`, [UUID]],
    [`/api/conversation-service/m?x=${UUID}&sessionId=5`, [UUID, '5', 'conversation-service']],
    ['/m?kind=notes&c=5', ['notes', '5', 'm']],
    [`/m?${UUID}`, [UUID]],
    [`/m/${UUID}`, [UUID]],
    [`/m/${UUID}/messages?kind=notes`, [UUID]],
    [`/m;x=${UUID}`, [UUID]],
    ['/m/5', ['5']],
    ['/m?sessionId=dmqQ7KWFVMSVBJTAEqfmSA==', ['dmqQ7KWFVMSVBJTAEqfmSA==']],
    ['/m?sessionId=dmqQ7KWFVMSVBJTAEqfmSA%3D%3D', ['dmqQ7KWFVMSVBJTAEqfmSA==']],
    ['/m?sessionId=a+b%2Bc/d', ['a b c/d']],
    ['/m?sessionId=', ['m']],
  ])('takes from %j what may be an id: %j', (url, ids) => {
    const [values] = announced(STREAM, `event: endpoint\ndata: ${url}\n\n`);
    expect(values?.filter((value) => value !== '')).toEqual(ids);
  });
});
