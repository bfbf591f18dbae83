import { describe, expect, it } from 'vitest';
import {
  canonicalOrigin,
  hostProblem,
  isBrowserHost,
  originProblem,
  parseHost,
  parseOrigin,
} from './origin-rules.js';

const HERE = 'https://app.example.com';
const NO_SCHEME = `has no scheme; write it such as ${HERE}`;
const USERINFO = 'has a user name or password; leave them out';
const PATH = 'has a path, query or fragment; leave out what follows host and port';
const STAR = 'has "*" in it; list each origin, with ":*" for every port, or "*" alone for any origin';
const CANNOT_BE = `has a host or port that cannot be; write it such as ${HERE}:8443`;
const NULL = 'is what browsers send for files and sandboxed frames of anybody; it cannot be allowed';
const NO_HOST = 'is no host; write it such as api.example.com, api.example.com:8443 or [::1]';

const canonical = (value: string): string | undefined => {
  const parts = parseOrigin(value);
  return parts && canonicalOrigin(parts);
};

describe('parseOrigin', () => {
  it.each([
    [HERE, HERE],
    ['HTTPS://App.EXAMPLE.com', HERE],
    [`${HERE}:443`, HERE],
    [`${HERE}:80`, `${HERE}:80`],
    ['http://localhost:80', 'http://localhost'],
    ['http://localhost:443', 'http://localhost:443'],
    ['http://localhost:1', 'http://localhost:1'],
    ['http://localhost:65535', 'http://localhost:65535'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['chrome-extension://abcdefgh', 'chrome-extension://abcdefgh'],
    ['http://localhost.', 'http://localhost.'],
  ])('reads %s as %s', (value, expected) => {
    expect(canonical(value)).toBe(expected);
  });

  it.each([
    ...[
      '',
      ' ',
      'null',
      '*',
      'localhost',
      '//localhost',
      'http:localhost',
      'http:/localhost',
      'http://',
      '://a',
    ],
    ...[
      'http:///localhost',
      'http://localhost/',
      'http://localhost?',
      'http://localhost#',
      'http://localhost\\',
    ],
    ...['http://@localhost', 'http://a@localhost', 'http://a:b@localhost', 'http://localhost@evil.example'],
    ...['http://localhost:', 'http://localhost:0', 'http://localhost:080', 'http://localhost:65536'],
    ...['http://localhost:-1', 'http://localhost:+1', 'http://localhost:8e1', 'http://localhost:*'],
    ...[
      'http://localhost:99999999999999999999',
      'http://localhost:80:80',
      'http://a b',
      ' http://a',
      'http://a ',
    ],
    ...[
      'http://a,http://a',
      'http://a, http://a',
      'http://a\n',
      'http://a\r\nX: y',
      'http://a\t',
      'http://a%2e',
    ],
    ...[
      'http://m\u00fcnchen.example',
      'http://\u212Aelvin.example',
      '\uFF48ttp://a',
      'http://a\u3002example',
    ],
    ...[
      'http://[::1',
      'http://::1',
      'http://[::1%25eth0]',
      'http://[::1%eth0]',
      'http://[]',
      'http://[v1.a]',
    ],
    ...['1http://a', 'ht tp://a', 'http//a', "http://a'b", 'http://a;b', 'http://a~b', 'http://(a)'],
  ])('finds no origin in %j', (value) => {
    expect(parseOrigin(value)).toBeUndefined();
  });
});

describe('parseHost', () => {
  it.each([
    ['LocalHost', 'localhost'],
    ['localhost:80', 'localhost:80'],
    ['[::1]:3000', '[::1]:3000'],
  ])('reads %s as %s', (value, expected) => {
    const parts = parseHost(value);
    expect(parts && canonicalOrigin(parts)).toBe(expected);
  });

  it.each([
    ...[
      '',
      ' ',
      'a:',
      'a:0',
      'a:65536',
      'a:b',
      'a/',
      'a@b',
      '::1',
      '[::1%eth0]',
      'a,b',
      'http://a',
      'a\n',
      ':80',
    ],
  ])('finds no host in %j', (value) => {
    expect(parseHost(value)).toBeUndefined();
  });
});

describe('isBrowserHost', () => {
  it.each(['localhost', '127.0.0.1', '[::1]', 'xn--mnchen-3ya.example', 'a_b.example', 'a'.repeat(253)])(
    'takes %s as it is',
    (host) => {
      expect(isBrowserHost(host)).toBe(true);
    },
  );

  it.each([
    ...['127.1', '127.0.0.01', '0x7f000001', '2130706433', '0177.0.0.1', '256.0.0.1', '1.2.3.4.5', 'a.1'],
    ...['[0:0:0:0:0:0:0:1]', '[::0001]', '[::ffff:127.0.0.1]', '[1]', 'xn--a', 'a'.repeat(254)],
  ])('knows that no browser sends %s', (host) => {
    expect(isBrowserHost(host)).toBe(false);
  });
});

describe('originProblem', () => {
  it.each([
    HERE,
    'HTTPS://App.example.com',
    `${HERE}:443`,
    'http://localhost:*',
    '*',
    'vscode-webview://abc',
  ])('accepts %s', (value) => {
    expect(originProblem(value)).toBeUndefined();
  });

  it.each([
    ['null', NULL],
    ['app.example.com', NO_SCHEME],
    ['localhost:3000', NO_SCHEME],
    ['//app.example.com', NO_SCHEME],
    ['*.example.com', NO_SCHEME],
    ['https://u:p@app.example.com', USERINFO],
    ['https://@app.example.com', USERINFO],
    [`${HERE}/`, 'has a slash at the end; leave it out'],
    [`${HERE}/mcp`, PATH],
    [`${HERE}//`, PATH],
    [`${HERE}?`, PATH],
    [`${HERE}#a`, PATH],
    ['http://localhost:*/', 'has a slash at the end; leave it out'],
    ['https://*.example.com', STAR],
    ['https://*', STAR],
    ['*://app.example.com', NO_SCHEME],
    ['http://localhost:3*', STAR],
    ['http://localhost:*:*', STAR],
    ['http://localhost:0', CANNOT_BE],
    ['http://127.1:*', 'is sent by browsers as http://127.0.0.1:*; write that'],
    [`https://${'a'.repeat(254)}`, CANNOT_BE],
    ['http://localhost:65536', CANNOT_BE],
    ['http://localhost:', 'is sent by browsers as http://localhost; write that'],
    ['https://', CANNOT_BE],
    ['https://app example.com', CANNOT_BE],
    ['x://app example', CANNOT_BE],
    ['http://127.1:3000', 'is sent by browsers as http://127.0.0.1:3000; write that'],
    ['http://[0:0:0:0:0:0:0:1]', 'is sent by browsers as http://[::1]; write that'],
    ['https://m\u00fcnchen.example', 'is sent by browsers as https://xn--mnchen-3ya.example; write that'],
  ])('says of %j what is wrong', (value, problem) => {
    expect(originProblem(value)).toBe(problem);
  });
});

describe('hostProblem', () => {
  it.each(['api.example.com', 'API.example.com:8443', 'localhost', '[::1]:3000', '127.0.0.1'])(
    'accepts %s',
    (value) => {
      expect(hostProblem(value)).toBeUndefined();
    },
  );

  it.each([
    ['https://api.example.com', 'has a scheme; write the host alone, such as api.example.com'],
    ['u@api.example.com', USERINFO],
    ['api.example.com/', 'has a path, query or fragment; write the host alone'],
    ['localhost:*', 'has ":*" at the end; leave it out, a host alone is allowed on every port'],
    ['*', 'has "*" in it; list each host'],
    ['*.example.com', 'has "*" in it; list each host'],
    ['::1', NO_HOST],
    ['localhost:65536', NO_HOST],
    ['a b', NO_HOST],
    ['a:0', NO_HOST],
    ['a'.repeat(254), NO_HOST],
    ['127.1', 'is sent by browsers as 127.0.0.1; write that'],
    ['m\u00fcnchen.example', 'is sent by browsers as xn--mnchen-3ya.example; write that'],
  ])('says of %j what is wrong', (value, problem) => {
    expect(hostProblem(value)).toBe(problem);
  });
});
