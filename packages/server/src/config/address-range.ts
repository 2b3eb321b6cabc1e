import { BlockList, isIP } from 'node:net';

/** True for an IP address or a CIDR range. */
export function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/** Tests membership in any of the ranges; an IPv4 address in IPv6 form counts as IPv4. */
export function createRangeTest(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const type = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return (text) => {
    const address = plainAddress(text);
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/** IPv4 for `::ffff:192.0.2.1` in every notation: a dual-stack socket has that form for an IPv4 peer. */
export function plainAddress(address: string): string {
  const groups = addressGroups(address);
  if (groups === null || groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xff_ff)
    return address;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The eight groups of an IPv6 address in any notation; null for everything else. */
function addressGroups(text: string): number[] | null {
  const [address = ''] = text.split('%', 1);
  if (isIP(address) !== 6) return null;
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const parse = (part = ''): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [parse(head), parse(tail)];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

/**
 * What counts as one client where calls are limited: an IPv4 address, or the /64 of an IPv6 address, because every
 * host may use all addresses of its /64.
 */
export function networkOf(text: string): string {
  const address = plainAddress(text);
  const network = addressGroups(address)?.slice(0, 4);
  return network === undefined ? address : `${network.map((group) => group.toString(16)).join(':')}::/64`;
}
