import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { TrustedProxies } from './trusted-proxies.js';

describe('TrustedProxies', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);

  verifies('POP-35', 'knows addresses and ranges, also IPv4 addresses of an IPv6 socket', () => {
    for (const address of [
      '10.0.0.0',
      '10.255.255.255',
      '192.0.2.7',
      '::ffff:10.1.2.3',
      '::FFFF:192.0.2.7',
      '2001:db8::1',
      '2001:db8:ffff::1%eth0',
      '::1',
      '0:0:0:0:0:0:0:1',
    ])
      expect([address, proxies.includes(address)]).toEqual([address, true]);
  });

  verifies('POP-35', 'knows no other address', () => {
    for (const address of [
      '11.0.0.0',
      '9.255.255.255',
      '192.0.2.6',
      '192.0.2.8',
      '192.0.2.70',
      '::ffff:11.0.0.1',
      '2001:db9::1',
      '::2',
      '',
      'localhost',
      '10.0.0',
      '10.0.0.1, 10.0.0.2',
      undefined,
    ])
      expect([address, proxies.includes(address)]).toEqual([address, false]);
  });

  it('knows none if it has no address', () => {
    expect(new TrustedProxies([]).includes('127.0.0.1')).toBe(false);
  });
});
