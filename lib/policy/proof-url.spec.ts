import { describe, expect, it } from 'vitest';
import { normalizedUrl, proofUrl } from './proof-url.js';

describe('normalizedUrl', () => {
  it('gives equal URLs one form', () => {
    for (const [text, normalized] of [
      ['HTTPS://API.Example.com:443/a', 'https://api.example.com/a'],
      ['http://api.example.com:80', 'http://api.example.com/'],
      ['https://api.example.com/a/./b/../c', 'https://api.example.com/a/c'],
      ['https://api.example.com/%7euser/%2f', 'https://api.example.com/~user/%2F'],
      ['https://api.example.com/a?b#c', 'https://api.example.com/a'],
      ['https://[::1]:8443/a', 'https://[::1]:8443/a'],
    ] as const)
      expect(normalizedUrl(text)).toBe(normalized);
  });

  it('gives none to what only a lenient parser takes for a URL', () => {
    for (const text of [
      ...['', '/a', 'https:/a.example', 'ftp://a.example/', 'https://', 'javascript:1', ' https://a.example'],
      ...['https://a.example/b\n', 'https://a.example\\b', 'https://u@a.example/', 'https://:p@a.example/'],
      ...['https://a.example/ü', 'https://a.example:99999/'],
    ])
      expect([text, normalizedUrl(text)]).toEqual([text, undefined]);
  });
});

describe('proofUrl', () => {
  it('has the origin of the resource and the path of the request', () => {
    const resource = 'https://API.example.com/notes';
    for (const [target, url] of [
      ['/notes?a', 'https://api.example.com/notes'],
      ['//evil.example/notes', 'https://api.example.com//evil.example/notes'],
      ['http://evil.example/notes', 'https://api.example.com/notes'],
      ['*', undefined],
      ['', undefined],
      ['notes', undefined],
      ['notes/x', undefined],
      ['ws://a.example/notes', undefined],
    ] as const)
      expect([target, proofUrl(resource, target)]).toEqual([target, url]);
  });
});
