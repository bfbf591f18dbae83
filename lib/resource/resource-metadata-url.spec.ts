import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import {
  isRequestTarget,
  requestPath,
  resourceMetadataPath,
  resourceMetadataUrl,
  withoutTrailingSlash,
} from './resource-metadata-url.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

describe('resourceMetadataUrl', () => {
  verifies('F28', 'inserts the well-known string between host and path', () => {
    const urls = {
      'https://api.example.com/notes': `https://api.example.com${WELL_KNOWN}/notes`,
      'https://api.example.com/notes/': `https://api.example.com${WELL_KNOWN}/notes/`,
      'https://api.example.com:8443/a/b': `https://api.example.com:8443${WELL_KNOWN}/a/b`,
      'https://API.example.com:443/%6eotes': `https://API.example.com:443${WELL_KNOWN}/%6eotes`,
      'http://[::1]:3000/mcp': `http://[::1]:3000${WELL_KNOWN}/mcp`,
    };
    for (const [resource, url] of Object.entries(urls)) expect(resourceMetadataUrl(resource)).toBe(url);
  });

  verifies(
    ['PRM-02', 'F28'],
    'is the bare well-known string for a resource without path, with or without slash',
    () => {
      expect(resourceMetadataUrl('https://api.example.com')).toBe(`https://api.example.com${WELL_KNOWN}`);
      expect(resourceMetadataUrl('https://api.example.com/')).toBe(`https://api.example.com${WELL_KNOWN}`);
      expect(resourceMetadataPath('https://api.example.com/')).toBe(WELL_KNOWN);
      expect(resourceMetadataPath('https://api.example.com//')).toBe(`${WELL_KNOWN}//`);
    },
  );
});

describe('requestPath', () => {
  it.each([
    ['/a/b?c=/d', '/a/b'],
    ['/a/../b/%2e%2F', '/a/../b/%2e%2F'],
    ['//a', '//a'],
    ['http://host.example/a?b', '/a'],
    ['http://host.example', ''],
    ['*', ''],
    ['', ''],
    ['?a', ''],
  ])('of %j is %j', (target, path) => {
    expect(requestPath(target)).toBe(path);
  });
});

describe('isRequestTarget', () => {
  verifies('WAY-01', 'takes paths, URLs with a path or none, and the asterisk', () => {
    const wellFormed = [
      '/',
      '/a?b',
      '//a',
      '/\\a',
      '*',
      'http://x',
      'http://x/',
      'http://x/?',
      'HTTP://X:1/a',
    ];
    const more = ['https://u:p@x/a', 'http://[::1]/a', 'http://x%41/a', 'ws-1.a+b://x_~/a', 'http://x/a?b#c'];
    expect([...wellFormed, ...more].filter((target) => !isRequestTarget(target))).toEqual([]);
  });

  verifies('WAY-01', 'rejects all else', () => {
    const query = ['http://x?/a', 'http://x?', 'http://x?x=/a', 'https://u@x?/a', 'http://[::1]?/a', '?/a'];
    const others = [
      'http://x#/a',
      'http://x\\/a',
      'http:///a',
      'http://',
      'http:/a',
      'http:a',
      'x',
      'x:1',
      '',
      '**',
    ];
    const odd = [
      '*/a',
      ' /a',
      'http://x /a',
      'http://x"/a',
      'http://x\u00e9/a',
      '1http://x/a',
      '://x/a',
      'http://x|/a',
    ];
    expect([...query, ...others, ...odd].filter(isRequestTarget)).toEqual([]);
  });
});

describe('withoutTrailingSlash', () => {
  it.each([
    ['/a/', '/a'],
    ['/a', '/a'],
    ['/a//', '/a/'],
    ['/', ''],
    ['', ''],
  ])('makes of %j %j', (path, expected) => {
    expect(withoutTrailingSlash(path)).toBe(expected);
  });
});
