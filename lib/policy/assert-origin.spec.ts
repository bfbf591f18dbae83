import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { RequestOriginRejectedError } from '../errors/rejection.errors.js';
import { resolveAllowedOrigins } from '../options/resolve-origins.js';
import { assertOrigin, originRules } from './assert-origin.js';

const REMOTE = 'https://api.example.com/notes';
const LOCAL = 'http://localhost:3000/notes';
const DUPLICATE = ['Origin', 'https://api.example.com', 'origin', 'https://api.example.com'];

/** What is made of an origin: what is given back, or the reason of the rejection. */
function outcome(origin: string | readonly string[], resource = REMOTE, allowed: string[] = []): unknown {
  const rawHeaders = typeof origin === 'string' ? ['Host', 'x', 'Origin', origin] : origin;
  try {
    return assertOrigin({ headers: {}, rawHeaders }, originRules(resolveAllowedOrigins(resource, allowed)));
  } catch (error) {
    if (error instanceof RequestOriginRejectedError) return { rejected: error.reason };
    throw error;
  }
}

const REJECTED = { rejected: 'origin' };

describe('assertOrigin', () => {
  verifies('ORG-03', 'lets requests without Origin pass', () => {
    for (const resource of [REMOTE, LOCAL]) {
      expect(outcome([], resource)).toBeUndefined();
      expect(outcome(['Host', 'evil.example', 'Referer', 'https://evil.example'], resource)).toBeUndefined();
    }
  });

  verifies('ORG-04', 'gives back the origin of the resource as it was sent', () => {
    for (const origin of [
      'https://api.example.com',
      'HTTPS://API.Example.com',
      'https://api.example.com:443',
      'https://API.example.com:443',
    ]) {
      expect(outcome(origin)).toBe(origin);
    }
  });

  verifies(['ORG-01', 'ORG-04'], 'rejects an origin that differs by scheme, host or port', () => {
    for (const origin of [
      ...['http://api.example.com', 'https://api.example.com:80', 'https://api.example.com:8443'],
      ...['https://example.com', 'https://api.example.co', 'https://api.example.com.evil.example'],
      ...[
        'https://evil.example',
        'https://xapi.example.com',
        'https://api.example.com.',
        'wss://api.example.com',
      ],
      ...[
        'http://localhost:3000',
        'http://127.0.0.1',
        'https://a.api.example.com',
        'https://api-example.com',
      ],
    ]) {
      expect(outcome(origin)).toEqual(REJECTED);
    }
  });

  verifies(['ORG-03', 'H13'], 'rejects what is not exactly an origin, or is there twice', () => {
    const own = 'https://api.example.com';
    for (const origin of [
      ...['null', 'NULL', '', ' ', '*', `${own}/`, `${own}/notes`, `${own}?`, `${own}#`, `${own}, ${own}`],
      ...[`${own},${own}`, `${own} ${own}`, `${own}, https://evil.example`, `https://u:p@api.example.com`],
      ...[
        `https://@api.example.com`,
        `${own}\\`,
        ` ${own}`,
        `${own} `,
        `${own}:`,
        `${own}:0443`,
        `${own}\u0000`,
      ],
      ...[
        'https:api.example.com',
        'https:/api.example.com',
        'api.example.com',
        '//api.example.com',
        own.slice(0, 8),
      ],
      ...['https://\u212Api.example.com', 'https://api\u3002example.com', 'https://%61pi.example.com'],
    ]) {
      for (const allowed of [[], ['*']]) expect(outcome(origin, REMOTE, allowed)).toEqual(REJECTED);
    }
    for (const allowed of [[], ['*']]) {
      expect(outcome(DUPLICATE, REMOTE, allowed)).toEqual(REJECTED);
      expect(outcome([...DUPLICATE.slice(0, 2), 'ORIGIN', ''], REMOTE, allowed)).toEqual(REJECTED);
    }
  });

  verifies('ORG-04', 'lets loopback pass on every port, where the resource is loopback', () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
      for (const port of ['', ':1', ':80', ':443', ':3000', ':65535']) {
        for (const scheme of ['http', 'https', 'HTTP']) {
          const origin = `${scheme}://${host}${port}`;
          expect(outcome(origin, LOCAL)).toBe(origin);
          expect(outcome(origin)).toEqual(REJECTED);
        }
      }
    }
  });

  verifies(['ORG-04', 'H13'], 'is not taken in by what looks like loopback', () => {
    for (const origin of [
      ...[
        'http://localhost.evil.com',
        'http://evil.com#localhost',
        'http://localhost@evil.com',
        'http://localhost.',
      ],
      ...[
        'http://127.0.0.1.nip.io',
        'http://evil.com/localhost',
        'http://evil.com?localhost',
        'http://xlocalhost',
      ],
      ...['http://localhost:3000@evil.com', 'http://localhost#@evil.com', 'http://localhost\\.evil.com'],
      ...[
        'http://127.1',
        'http://0x7f000001',
        'http://0x7f.1',
        'http://2130706433',
        'http://0177.0.0.1',
        'http://0',
      ],
      ...[
        'http://127.0.0.2',
        'http://0.0.0.0:3000',
        'http://[::]',
        'http://[::2]',
        'http://[0:0:0:0:0:0:0:1]',
      ],
      ...[
        'http://[::ffff:127.0.0.1]',
        'http://[::ffff:7f00:1]',
        'http://[::1%25lo]',
        'http://[::1%lo]',
        'http://::1',
      ],
      ...['http://localhost:0', 'http://localhost:65536', 'http://localhost:', 'http://localhost:3000:3000'],
      ...[
        'http://localhost:*',
        'http://localhost:3000/',
        'ftp://localhost',
        'ws://localhost:3000',
        'file://localhost',
      ],
      ...[
        'http://xn--localhost-',
        'http://l\u043ecalhost',
        'http://loca\u017Fhost',
        'http://localhost\u0000.evil.com',
      ],
    ]) {
      expect(outcome(origin, LOCAL)).toEqual(REJECTED);
    }
  });

  verifies('ORG-04', 'lets listed origins pass, with a port that is written or any', () => {
    const allowed = ['https://app.example.com', 'https://dev.example.com:*', 'chrome-extension://abcdef'];
    for (const origin of [
      ...['https://app.example.com', 'https://APP.example.com:443', 'https://dev.example.com'],
      ...['https://dev.example.com:1', 'https://dev.example.com:65535', 'chrome-extension://abcdef'],
    ]) {
      expect(outcome(origin, REMOTE, allowed)).toBe(origin);
    }
    for (const origin of [
      ...[
        'https://app.example.com:8443',
        'http://app.example.com',
        'http://dev.example.com:1',
        'https://x.dev.example.com:1',
      ],
      ...[
        'https://dev.example.com:0',
        'https://dev.example.com:65536',
        'https://dev.example.com:*',
        'chrome-extension://abcdeg',
      ],
    ]) {
      expect(outcome(origin, REMOTE, allowed)).toEqual(REJECTED);
    }
  });

  verifies('ORG-04', 'lets any origin that browsers can send pass by choice, and nothing else', () => {
    for (const origin of [
      ...['https://evil.example', 'http://EVIL.example:81', 'http://192.0.2.1', 'http://[2001:db8::1]:3000'],
      ...[
        'https://xn--mnchen-3ya.example',
        'chrome-extension://abcdef',
        'http://localhost',
        'http://a_b.example',
      ],
    ]) {
      expect(outcome(origin, REMOTE, ['*'])).toBe(origin);
    }
    for (const origin of [
      ...[
        'http://127.1',
        'http://0x7f000001',
        'http://[0:0:0:0:0:0:0:1]',
        'http://[1]',
        'https://xn--a',
        'null',
      ],
      ...['http://1.2.3.256', `http://${'a'.repeat(254)}`],
    ]) {
      expect(outcome(origin, REMOTE, ['*'])).toEqual(REJECTED);
    }
  });

  it('takes linear time', () => {
    const many = 100_000;
    for (const origin of [
      ...[
        'a'.repeat(many),
        `http://${'a'.repeat(many)}`,
        `http://${'a.'.repeat(many)}`,
        `http://${'1.'.repeat(many)}`,
      ],
      ...[
        `http://[${':'.repeat(many)}]`,
        `http://[${':'.repeat(many)}`,
        `http://a:${'1'.repeat(many)}`,
        'a:'.repeat(many),
      ],
      ...[
        `http://${'xn--a'.repeat(many)}`,
        `http://xn--${'a'.repeat(many)}-${'a'.repeat(many)}`,
        'http://'.repeat(many),
      ],
    ]) {
      for (const allowed of [[], ['*']]) {
        const times = [1, 2, 3].map(() => {
          const start = performance.now();
          expect(outcome(origin, LOCAL, allowed)).toEqual(REJECTED);
          return performance.now() - start;
        });
        expect(Math.min(...times)).toBeLessThan(20);
      }
    }
  });
});
