import { isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** What decides which names a certificate of this host has. */
export interface HostFacts {
  /** As `--host`. */
  host: string;
  publicUrl: string | null;
  hostname: string;
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>;
}

const maxNames = 100;

/**
 * The names and addresses under which clients reach this host. The first one is for people: the name if it has a domain,
 * else an address, because a name alone means nothing on other hosts.
 */
export function namesOfHost({ host, publicUrl, hostname, interfaces }: HostFacts): string[] {
  const name = /^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i.test(hostname)
    ? hostname.toLowerCase()
    : null;
  const isWildcard = host === '0.0.0.0' || host === '::';
  const addresses = isWildcard ? addressesOf(interfaces, { withIPv6: host === '::' }) : [host.toLowerCase()];
  const publicName = publicUrl === null ? [] : [new URL(publicUrl).hostname.replace(/^\[(.*)\]$/, '$1')];
  // Hosts of a LAN find each other by multicast DNS under this name.
  const own = name === null ? [] : name.includes('.') ? [name] : [name, `${name}.local`];
  const first = own[0]?.includes('.') === true ? [...own, ...addresses] : [...addresses, ...own];
  const all = [...publicName, ...first, 'localhost', '127.0.0.1', '::1'];
  return [...new Set(all)].filter((each) => !each.includes('%')).slice(0, maxNames);
}

function addressesOf(interfaces: HostFacts['interfaces'], { withIPv6 }: { withIPv6: boolean }): string[] {
  const infos = Object.values(interfaces).flatMap((list) => list ?? []);
  const isUseful = ({ address, internal }: NetworkInterfaceInfo): boolean =>
    // Addresses of one link need the name of an interface, which a certificate cannot have.
    !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.');
  const addresses = infos.filter(isUseful).map(({ address }) => address);
  return addresses.filter((address) => withIPv6 || isIP(address) === 4).toSorted((a, b) => isIP(a) - isIP(b));
}
