import { X509Certificate } from 'node:crypto';
import { describe, expect } from 'vitest';
import { ADA, BOB, boundTo, inHeader } from '../../test/fixtures/client-certificates.js';
import { verifies } from '../../test/verifies.js';
import { thumbprintIn, thumbprintOf } from './certificate-thumbprint.js';

const { 'x5t#S256': OF_ADA } = boundTo(ADA);
const DER = new X509Certificate(ADA.cert).raw;
const PEM = encodeURIComponent(ADA.cert);

describe('thumbprintIn', () => {
  verifies('POP-34', 'reads one certificate in each form', () => {
    expect(thumbprintOf(DER)).toBe(OF_ADA);
    const good = [
      ['url-encoded-pem', PEM],
      ['url-encoded-pem', inHeader.nginx(ADA)],
      ['url-encoded-pem', inHeader.aws(ADA)],
      ['url-encoded-pem', encodeURIComponent(ADA.cert.replaceAll('\n', '\r\n'))],
      ['xfcc', inHeader.envoy(ADA)],
      ['xfcc', inHeader.envoyHash(ADA)],
      ['xfcc', `hash=${Buffer.from(OF_ADA, 'base64url').toString('hex').toUpperCase()};`],
      ['xfcc', `Cert="${PEM}"`],
      ['rfc9440', inHeader.rfc9440(ADA)],
    ] as const;
    for (const [format, value] of good) expect([value, thumbprintIn(value, format)]).toEqual([value, OF_ADA]);
  });

  verifies('POP-34', 'reads nothing else', () => {
    const base64 = DER.toString('base64');
    const hex = Buffer.from(OF_ADA, 'base64url').toString('hex');
    const bad = {
      'url-encoded-pem': [
        '',
        '%',
        '%FF',
        base64,
        inHeader.rfc9440(ADA),
        encodeURIComponent(`${ADA.cert}\n${BOB.cert}`),
        encodeURIComponent(`x${ADA.cert}`),
        encodeURIComponent(`${ADA.cert}x`),
        encodeURIComponent(ADA.key),
        encodeURIComponent(ADA.cert.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')),
        encodeURIComponent(`-----BEGIN CERTIFICATE-----\n${base64.slice(0, -8)}\n-----END CERTIFICATE-----`),
        encodeURIComponent(
          `-----BEGIN CERTIFICATE-----\n${Buffer.concat([DER, Buffer.from([0])]).toString('base64')}\n-----END CERTIFICATE-----`,
        ),
        encodeURIComponent(PEM),
      ],
      xfcc: [
        '',
        'Hash=',
        `Hash=${hex.slice(1)}`,
        `Hash=${hex}0`,
        `Hash=${OF_ADA}`,
        `By=spiffe://a`,
        `Hash=${hex},Hash=${hex}`,
        `URI=a,b;Hash=${hex}`,
        `By=a;Hash=${hex},By=b;Hash=${hex}`,
        `Hash=${hex};Hash=${hex}`,
        `Hash=${hex};hash=${hex}`,
        `Cert="${PEM}";Cert="${PEM}"`,
        `Hash=${hex};Cert="x"`,
        `Hash=${hex};Cert=""`,
        `Subject="a";Hash=${hex};"`,
        `Subject="Hash=${hex}`,
        `Subject="\\";Hash=${hex}`,
        `Subject="a\\";Hash=${hex}"`,
        ` Hash=${hex}`,
        `Hash=${hex} `,
        `=;Hash=${hex}`,
        PEM,
      ],
      rfc9440: [
        '',
        '::',
        ':',
        base64,
        `:${base64}`,
        `:${base64}:;a=1`,
        `:${base64.replace(/=+$/, '')}:`,
        `:${base64}=:`,
        `:${base64}:, :${base64}:`,
        `: ${base64}:`,
        ':%:',
        ':AAA:',
        ':A=AA:',
      ],
    } as const;
    for (const [format, values] of Object.entries(bad))
      for (const value of values)
        expect([format, value, thumbprintIn(value, format as keyof typeof bad)]).toEqual([
          format,
          value,
          undefined,
        ]);
  });

  verifies('POP-34', 'takes linear time for hostile values', () => {
    const started = performance.now();
    for (const value of ['Subject="'.repeat(1800), 'a=;'.repeat(5000), `Subject="${'\\"'.repeat(8000)}`])
      expect(thumbprintIn(value, 'xfcc')).toBeUndefined();
    expect(
      thumbprintIn(`-----BEGIN CERTIFICATE-----\n${'\n'.repeat(16_000)}`, 'url-encoded-pem'),
    ).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
