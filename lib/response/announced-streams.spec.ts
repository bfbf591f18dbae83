import { describe, expect, it } from 'vitest';
import { AnnouncedStreams } from './announced-streams.js';

describe('AnnouncedStreams', () => {
  const session = (value: string) => ({ name: 'sessionId', value });
  const path = { name: '', value: 'notes-of-everybody' };
  const post = (id: string) => ({ url: `/notes-of-everybody?sessionId=${id}` });

  it('leaves a session to the caller that announced it first, until the stream is closed', () => {
    const streams = new AnnouncedStreams();
    const close = streams.open([session('a-1')], ['alice']);
    const closeOther = streams.open([session('a-1'), { name: 'kind', value: 'a-1' }], ['bob']);
    expect([streams.foreign(post('a-1'), 'alice'), streams.foreign(post('a-1'), 'bob')]).toEqual([
      [],
      ['a-1'],
    ]);
    closeOther();
    expect(streams.foreign(post('a-1'), 'bob')).toEqual(['a-1']);
    close();
    expect([streams.foreign(post('a-1'), 'bob'), streams.isEmpty]).toEqual([[], true]);
  });

  it('does not give a session to a caller whose stream announces it by another name', () => {
    const streams = new AnnouncedStreams();
    streams.open([session('a-1')], ['alice']);
    streams.open([{ name: 'kind', value: 'a-1' }, session('b-1')], ['bob']);
    expect(streams.foreign(post('a-1'), 'bob')).toEqual(['a-1']);
  });

  it('shares what streams of several callers announce alike, but their sessions', () => {
    const streams = new AnnouncedStreams();
    const close = streams.open([session('a-1'), path], ['alice']);
    streams.open([session('b-1'), path], ['bob']);
    expect([streams.foreign(post('b-1'), 'bob'), streams.foreign(post('a-1'), 'bob')]).toEqual([[], ['a-1']]);
    expect(streams.foreign(post('x'), 'carol')).toEqual(['notes-of-everybody']);
    close();
    expect([streams.foreign(post('b-1'), 'bob'), streams.foreign(post('a-1'), 'bob')]).toEqual([[], []]);
  });

  it('belongs to a caller for as long as one of its streams is open', () => {
    const streams = new AnnouncedStreams();
    const closes = [streams.open([path], ['alice']), streams.open([path], ['alice'])];
    closes[0]?.();
    expect(streams.foreign(post('x'), 'bob')).toEqual(['notes-of-everybody']);
    closes[1]?.();
    expect(streams.isEmpty).toBe(true);
    streams.open([{ name: 'x', value: '==' }], ['alice']);
    expect(streams.isEmpty).toBe(true);
  });
});
