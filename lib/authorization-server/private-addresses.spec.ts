import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { hasPrivateHost, privateAddressProblem } from './private-addresses.js';

describe('hasPrivateHost', () => {
  it.each([
    ...[
      '10.0.0.1',
      '10.255.255.255',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '127.0.0.1',
      '127.8.9.1',
    ],
    ...[
      '169.254.169.254',
      '0.0.0.0',
      '100.64.0.1',
      '100.127.255.255',
      '192.0.0.1',
      '198.18.0.1',
      '198.19.1.1',
    ],
    ...['192.0.2.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    // The same in other spellings.
    ...['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0x7f.1', '3232235521', '0xa9fea9fe', '10.0.0.1.'],
    ...['[::]', '[::1]', '[fc00::1]', '[fdff::1]', '[fe80::1]', '[febf::1]', '[fec0::1]', '[ff02::1]'],
    ...['[::ffff:10.0.0.1]', '[::ffff:a9fe:a9fe]', '[0:0:0:0:0:ffff:7f00:1]', '[::10.0.0.1]'],
    ...[
      '[64:ff9b::10.0.0.1]',
      '[64:ff9b:1::1]',
      '[2002:a00:1::]',
      '[2001:0:1::1]',
      '[2001:db8::1]',
      '[100::1]',
    ],
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost'],
  ])('finds %s', (host) => {
    expect(hasPrivateHost(`https://${host}/jwks`)).toBe(true);
    expect(hasPrivateHost(`https://${host}:8443`)).toBe(true);
  });

  it.each([
    ...['9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
    ...['126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0', '100.63.255.255', '100.128.0.0'],
    ...['192.0.1.0', '198.17.255.255', '198.20.0.0', '223.255.255.255', '8.8.8.8', '134744072'],
    ...['[2606:4700::1]', '[fbff::1]', '[::ffff:8.8.8.8]', '[2003::1]', '[2001:4860::1]'],
    ...['as.example', '10.0.0.1.example', 'localhost.example', 'notlocalhost'],
  ])('lets %s be', (host) => {
    expect(hasPrivateHost(`https://${host}/jwks`)).toBe(false);
  });

  it('finds nothing in what is no URL', () => {
    expect(hasPrivateHost('10.0.0.1')).toBe(false);
  });
});

describe('privateAddressProblem', () => {
  const PUBLIC = 'https://as.example';
  const PRIVATE = 'https://10.0.0.5';
  const problem = 'is a private address while the issuer is a public one';

  verifies('ASM-12', 'rejects a private address in the document of a public server', () => {
    for (const host of ['169.254.169.254', '[::ffff:10.0.0.1]', '2130706433', '127.0.0.1']) {
      expect(privateAddressProblem(`https://${host}/jwks`, `${PUBLIC}/meta`, PUBLIC)).toBe(problem);
    }
    expect(privateAddressProblem('https://keys.example/jwks', `${PUBLIC}/meta`, PUBLIC)).toBeUndefined();
  });

  it('leaves a server alone that is in the private network, or configured by hand', () => {
    expect(privateAddressProblem(`${PRIVATE}/jwks`, `${PRIVATE}/meta`, PRIVATE)).toBeUndefined();
    expect(privateAddressProblem(`${PRIVATE}/jwks`, `${PRIVATE}/meta`, PUBLIC)).toBeUndefined();
    expect(privateAddressProblem(`${PRIVATE}/jwks`, undefined, PUBLIC)).toBeUndefined();
  });
});
