import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { RequestOriginRejectedError } from 'nestjs-mcp-auth';
import { resolveOptions } from '../../lib/options/resolve-options.js';
import { originProblem } from '../../lib/options/origin-rules.js';
import { policyOf } from '../../lib/policy/request-origin-policy.js';
import { ISSUER, NOTES } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';
import { bounded, outcomeOf } from './arbitraries.js';

const LOCAL = 'http://localhost:3000/notes';
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

const policy = (resource: string, more: object = {}) =>
  policyOf(
    resolveOptions({ resources: { resource, authorizationServers: [ISSUER], ...more } }).resources[0]!,
  );

interface WellFormed {
  readonly scheme: string;
  readonly hostname: string;
  /** Without a default port. */
  readonly origin: string;
}

/**
 * What the URL standard makes of a text that is an origin as browsers write it, letter case and default port aside.
 * The standard has no rules for names behind schemes that it does not know, so they are read as behind http.
 */
function wellFormed(text: string): WellFormed | undefined {
  const [, given = '', tail = ''] = /^([a-z][a-z\d+.-]*)(:.*)$/is.exec(text) ?? [];
  const scheme = given.toLowerCase();
  const lower = (scheme === 'https' ? 'https' : 'http') + tail.toLowerCase();
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(lower)) return undefined;
  const url = new URL(lower);
  const { origin, hostname, port, protocol } = url;
  if (!isWrittenOut(lower, url) || port === '0') return undefined;
  return { scheme, hostname, origin: scheme + origin.slice(protocol.length - 1) };
}

function isWrittenOut(text: string, { origin, hostname, port, protocol }: URL): boolean {
  const withDefaultPort = origin + (protocol === 'http:' ? ':80' : ':443');
  // The standard lets names have "!" and the like, and be of any length.
  const isName = /^(\[[\da-f:]+\]|[\w.-]{1,253})$/.test(hostname);
  return isName && (text === origin || (port === '' && text === withDefaultPort));
}

/** Policies, and whether each allows an origin. */
const SUBJECTS: readonly (readonly [ReturnType<typeof policy>, (url: WellFormed) => boolean])[] = [
  [policy(NOTES), ({ origin }) => origin === 'https://api.example.com'],
  [
    policy(LOCAL),
    ({ scheme, hostname }) => ['http', 'https'].includes(scheme) && LOOPBACK.includes(hostname),
  ],
  [
    policy(NOTES, { allowedOrigins: ['https://app.example.com', 'http://dev.example.com:*'] }),
    ({ origin, scheme, hostname }) =>
      ['https://api.example.com', 'https://app.example.com'].includes(origin) ||
      (scheme === 'http' && hostname === 'dev.example.com'),
  ],
  [policy(NOTES, { allowedOrigins: ['*'] }), () => true],
];

const cased = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.boolean()).map(([value, isUpper]) => (isUpper ? value.toUpperCase() : value));

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...LOOPBACK, 'dev.example.com') },
  fc.constantFrom(
    ...[
      ...LOOPBACK,
      'api.example.com',
      'app.example.com',
      'dev.example.com',
      'localhost.',
      'localhost.evil.com',
    ],
    ...[
      '127.0.0.1.nip.io',
      '127.1',
      '0x7f000001',
      '2130706433',
      '[0:0:0:0:0:0:0:1]',
      '[::1%25lo]',
      'xn--a',
      '',
    ],
    ...['localhost@evil.com', 'evil.com#localhost', 'user:pw@localhost', 'localhost\\', 'l\u043ecalhost'],
  ),
  fc.domain(),
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6().map((address) => `[${address}]`),
);
const port = fc.oneof(
  fc.constantFrom('', '', ':80', ':443', ':0', ':65535', ':65536', ':080', ':', ':*', ':-1', ':8080:1'),
  fc.nat(70_000).map((each) => `:${String(each)}`),
);
const scheme = fc.constantFrom('http', 'http', 'https', 'https', 'ws', 'ftp', 'file', 'null', '');
const separator = fc.constantFrom(...Array<string>(8).fill('://'), ':', ':/', '//', ':///', ':\\\\');
const rest = fc.constantFrom(
  ...Array<string>(8).fill(''),
  '/',
  '?',
  '#',
  ' ',
  '\t',
  '\r\n',
  ', http://localhost',
  '/a',
);
const likely = cased(fc.tuple(scheme, separator, name, port, rest).map((parts) => parts.join('')));
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.webUrl(),
  fc.constantFrom('null', '', '*', 'http://localhost:3000', 'https://api.example.com'),
);
const origin = fc.oneof({ weight: 5, arbitrary: likely }, { weight: 1, arbitrary: anyText });

describe('any Origin', () => {
  verifies(['ORG-03', 'ORG-04', 'OPS-02'], 'is decided on as by the URL standard', () => {
    const counts = { allowed: 0, rejected: 0 };
    const property = fc.property(origin, fc.constantFrom(...SUBJECTS), (text, [subject, allows]) => {
      const outcome = outcomeOf(() =>
        subject.check({ headers: {}, rawHeaders: ['Host', 'localhost', 'Origin', text] }),
      );
      const url = wellFormed(text);
      if (url && allows(url)) {
        counts.allowed += 1;
        expect(outcome).toBe(text);
      } else {
        counts.rejected += 1;
        expect(outcome).toEqual(new RequestOriginRejectedError('origin'));
      }
    });
    fc.assert(property, bounded(5000, 20_000));
    expect(Math.min(counts.allowed, counts.rejected)).toBeGreaterThan(100);
  });

  verifies('ORG-03', 'is rejected where it comes twice', () => {
    const property = fc.property(origin, origin, fc.constantFrom(...SUBJECTS), (one, two, [subject]) => {
      const rawHeaders = ['Host', 'localhost', 'Origin', one, 'origin', two];
      expect(outcomeOf(() => subject.check({ headers: {}, rawHeaders }))).toEqual(
        new RequestOriginRejectedError('origin'),
      );
      const headers = { host: 'localhost', origin: `${one}, ${two}` };
      expect(outcomeOf(() => subject.check({ headers }))).toEqual(new RequestOriginRejectedError('origin'));
    });
    fc.assert(property, bounded(2000));
  });

  verifies('ORG-04', 'is allowed once it is configured, or cannot be configured', () => {
    let configured = 0;
    const property = fc.property(origin, (text) => {
      fc.pre(text !== '' && text !== '*' && !text.endsWith(':*'));
      if (originProblem(text) !== undefined) {
        expect(() => policy(NOTES, { allowedOrigins: [text] })).toThrow(
          'resources[0].allowedOrigins: member 0',
        );
        return;
      }
      configured += 1;
      expect(policy(NOTES, { allowedOrigins: [text] }).check({ headers: { origin: text } })).toBe(text);
    });
    fc.assert(property, bounded(1000, 20_000));
    expect(configured).toBeGreaterThan(50);
  });
});

describe('any Host', () => {
  const host = cased(fc.tuple(name, port, rest).map((parts) => parts.join('')));

  verifies(
    ['ORG-05', 'OPS-02'],
    'is decided on as by the URL standard, where the resource is loopback',
    () => {
      let passed = 0;
      const property = fc.property(fc.oneof(host, anyText), (text) => {
        const outcome = outcomeOf(() => policy(LOCAL).check({ headers: {}, rawHeaders: ['Host', text] }));
        const url = text.includes('://') ? undefined : wellFormed(`http://${text}`);
        if (url && LOOPBACK.includes(url.hostname)) passed += 1;
        expect(outcome).toEqual(
          url && LOOPBACK.includes(url.hostname) ? undefined : new RequestOriginRejectedError('host'),
        );
      });
      fc.assert(property, bounded(2000, 20_000));
      expect(passed).toBeGreaterThan(30);
    },
  );
});
