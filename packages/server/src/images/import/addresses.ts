import { BlockList, isIP } from 'node:net';

/** Networks outside the public internet, by IANA's registries of special-purpose addresses. */
const special: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
];

/** The only IPv6 addresses that IANA gives out for the internet. All others are reserved or special. */
const unicast = new BlockList();
unicast.addSubnet('2000::', 3, 'ipv6');

const notPublic = new BlockList();
for (const [network, bits] of special)
  notPublic.addSubnet(network, bits, isIP(network) === 6 ? 'ipv6' : 'ipv4');

/** IPv6 networks that embed an IPv4 address (mapped, NAT64, 6to4), with the group where it starts. */
const carriers: readonly (readonly [network: string, bits: number, group: number])[] = [
  ['::ffff:0:0', 96, 6],
  ['64:ff9b::', 96, 6],
  ['2002::', 16, 1],
];

/**
 * Whether an address belongs to the public internet. An unknown kind of address counts as private: a name could
 * resolve to this host or to its network.
 */
export function isPublicAddress(text: string): boolean {
  const address = text.split('%', 1)[0] ?? '';
  const family = isIP(address);
  if (family === 0) return false;
  if (family === 4) return !notPublic.check(address, 'ipv4');
  const carried = carriedAddress(address);
  if (carried !== null) return !notPublic.check(carried, 'ipv4');
  return unicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
}

/** The IPv4 address that an IPv6 address embeds; null if it embeds none. */
export function carriedAddress(address: string): string | null {
  for (const [network, bits, group] of carriers) {
    const list = new BlockList();
    list.addSubnet(network, bits, 'ipv6');
    if (!list.check(address, 'ipv6')) continue;
    const groups = groupsOf(address);
    const [high = 0, low = 0] = [groups[group], groups[group + 1]];
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  return null;
}

/** The eight groups of an IPv6 address, as the WHATWG parser writes them out. */
function groupsOf(address: string): number[] {
  const compact = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = compact.split('::');
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((digits) => Number.parseInt(digits, 16));
  if (tail === undefined) return read(head);
  const [left, right] = [read(head), read(tail)];
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}
