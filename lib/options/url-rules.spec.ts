import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import {
  canonicalResource,
  identifierProblem,
  isLoopbackHost,
  parseUrl,
  splitUrl,
  urlProblem,
} from './url-rules.js';

const SCHEME = 'use https';
const ABSOLUTE = 'is not an absolute URL; write it in full, such as https://api.example.com/mcp';
const CHARACTER = 'has a character that a URL may not have; percent-encode it';
const USERINFO = 'has a user name or password; leave them out';
const DOTS = 'has a "." or ".." path segment; write the path it stands for';

describe('isLoopbackHost', () => {
  it.each(['localhost', '127.0.0.1', '127.255.255.254', '[::1]'])('takes %s for this machine', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each([
    ...['localhost.', 'localhost.example', 'xlocalhost', '128.0.0.1', '127.0.0.1.example', '127.0.0', ''],
    ...['[::2]', '::1', '[::ffff:7f00:1]', '0.0.0.0'],
  ])('takes %j for another machine', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});

describe('urlProblem', () => {
  it.each([
    'https://api.example.com',
    'https://api.example.com:8443/notes?tenant=a',
    'HTTPS://API.example.com/notes',
    'https://[2001:db8::1]/notes',
    'https://api.example.com/m%C3%BCnchen/~a/b:c@d',
    'http://localhost:3000/mcp',
    'http://127.0.0.1:3000/mcp',
    'http://[::1]:3000/mcp',
    'http://0x7f.1/mcp',
  ])('accepts %s', (value) => {
    expect(urlProblem(value)).toBeUndefined();
  });

  it.each([
    ['api.example.com', ABSOLUTE],
    ['//api.example.com/notes', ABSOLUTE],
    ['/notes', ABSOLUTE],
    ['https:api.example.com', ABSOLUTE],
    ['https:/api.example.com', ABSOLUTE],
    ['https:///api.example.com', ABSOLUTE],
    ['https://', ABSOLUTE],
    ['https://api.example.com:99999/', ABSOLUTE],
    ['', CHARACTER],
    ['https://api.example.com/no tes', CHARACTER],
    ['https://api.example.com/nötes', CHARACTER],
    ['https://api.example.com/notes\r\nX: y', CHARACTER],
    ['https://api.example.com/"', CHARACTER],
    ['https://api.example.com\\notes', CHARACTER],
    ['https://api.example.com/\u007f', CHARACTER],
    ['https://u:p@api.example.com/', USERINFO],
    ['https://u@api.example.com/', USERINFO],
    ['https://@api.example.com/', USERINFO],
    ['https://:@api.example.com/', USERINFO],
    ['https://api.example.com/#f', 'has a fragment; leave out "#" and what follows'],
    ['https://api.example.com/#', 'has a fragment; leave out "#" and what follows'],
    ['ftp://api.example.com/', 'has the scheme "ftp:"; use https'],
    ['file://api.example.com/x', 'has the scheme "file:"; use https'],
    ['http://api.example.com/notes', `uses http for another machine; ${SCHEME}`],
    ['http://localhost.evil.com/', `uses http for another machine; ${SCHEME}`],
    ['http://127.0.0.1.evil.com/', `uses http for another machine; ${SCHEME}`],
    ['http://128.0.0.1/', `uses http for another machine; ${SCHEME}`],
  ])('says of %j what is wrong', (value, problem) => {
    expect(urlProblem(value)).toBe(problem);
  });
});

describe('identifierProblem', () => {
  it.each([
    'https://api.example.com',
    'https://api.example.com/',
    'https://api.example.com/notes/',
    'https://api.example.com/..notes/.a/a.../%2fa',
    'http://127.0.0.1:3000/mcp',
  ])('accepts %s', (value) => {
    expect(identifierProblem(value)).toBeUndefined();
  });

  it.each([
    ['https://api.example.com/?', 'has a query; leave out "?" and what follows'],
    ['https://api.example.com/notes?tenant=a', 'has a query; leave out "?" and what follows'],
    ['https://api.example.com/a/../notes', DOTS],
    ['https://api.example.com/notes/..', DOTS],
    ['https://api.example.com/./notes', DOTS],
    ['https://api.example.com/a/%2E%2e/notes', DOTS],
    ['https://api.example.com/a/.%2e', DOTS],
    ['http://api.example.com/', `uses http for another machine; ${SCHEME}`],
  ])('says of %j what is wrong', (value, problem) => {
    expect(identifierProblem(value)).toBe(problem);
  });
});

describe('parseUrl', () => {
  it('gives a URL, or undefined without throwing', () => {
    expect(parseUrl('https://a.example')?.href).toBe('https://a.example/');
    expect(parseUrl('https://a b.example')).toBeUndefined();
    expect(parseUrl('mailto:a@b.example')).toBeUndefined();
  });
});

describe('splitUrl', () => {
  it.each([
    ['https://API.example.com', 'https://API.example.com', ''],
    ['https://api.example.com/', 'https://api.example.com', '/'],
    ['https://api.example.com:443/a/../%62?q=/c#/d', 'https://api.example.com:443', '/a/../%62'],
    ['https://api.example.com?q', 'https://api.example.com', ''],
    ['not a URL', '', ''],
  ])('cuts %s as it is written', (value, origin, path) => {
    expect(splitUrl(value)).toEqual({ origin, path });
  });
});

describe('canonicalResource', () => {
  verifies('AUD-02', 'leaves scheme and host case, a default port and one slash out of account', () => {
    for (const same of [
      'https://api.example.com/notes',
      'HTTPS://API.Example.com/notes',
      'https://api.example.com:443/notes',
      'https://api.example.com/notes/',
    ]) {
      expect(canonicalResource(same)).toBe('https://api.example.com/notes');
    }
    expect(canonicalResource('http://127.0.0.1:80/')).toBe('http://127.0.0.1');
  });

  it.each([
    ['https://api.example.com:80/notes', 'https://api.example.com:80/notes'],
    ['http://api.example.com:443/notes', 'http://api.example.com:443/notes'],
    ['https://api.example.com/Notes', 'https://api.example.com/Notes'],
    ['https://api.example.com/notes//', 'https://api.example.com/notes/'],
    ['https://api.example.com/a/../notes', 'https://api.example.com/a/../notes'],
    ['https://api.example.com/%6eotes', 'https://api.example.com/%6eotes'],
    ['https://api.example.com/notes?x', 'https://api.example.com/notes?x'],
    ['https://\u212Aapi.example.com', 'https://\u212Aapi.example.com'],
    ['api://GUID/', 'api://GUID/'],
    ['Default API', 'Default API'],
    ['', ''],
  ])('keeps all else of %j', (value, canonical) => {
    expect(canonicalResource(value)).toBe(canonical);
  });
});
