import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import {
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
