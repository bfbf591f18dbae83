import { BlockList, isIP } from 'node:net';

/**
 * The addresses of proxies whose headers count.
 *
 * @internal
 */
export class TrustedProxies {
  private readonly list = new BlockList();

  /** @param ranges - IP addresses and ranges, checked */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      if (prefix === undefined) this.list.addAddress(address, family);
      else this.list.addSubnet(address, Number(prefix), family);
    }
  }

  /**
   * Whether a peer is one of them. An IPv4 address that an IPv6 socket reports (`::ffff:10.0.0.1`) counts as that address.
   *
   * @param remoteAddress - of the connection; undefined for a closed connection and for a Unix domain socket
   */
  includes(remoteAddress: string | undefined): boolean {
    const [plain = ''] = (remoteAddress ?? '').split('%', 1);
    const address = plain.replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(address);
    return family !== 0 && this.list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}
