import { execFileSync, spawnSync } from 'node:child_process';

/** Another host of the network: a namespace with one address, joined to this host by a cable. */
export interface NetworkNamespace {
  /** This host, seen from the other one. */
  readonly hostAddress: string;
  /** Words before a command that run it in the namespace. */
  readonly prefix: readonly string[];
  close(): void;
}

/** Why no namespace can be made here; null if it can. */
export function namespaceRefusal(): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const name = `wccprobe${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'ip netns cannot make a namespace here';
  execFileSync('ip', ['netns', 'del', name]);
  return null;
}

/** @param number from 1 to 200; each one has addresses of its own (198.18.0.0/15 is for tests, RFC 2544) */
export function makeNamespace(number: number): NetworkNamespace {
  const name = `wcctest${process.pid}n${number}`;
  const [here, there] = [`wh${process.pid % 1e6}n${number}`, `wn${process.pid % 1e6}n${number}`];
  const [hostAddress, address] = [`198.18.${number}.1`, `198.18.${number}.2`];
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  ip('netns', 'add', name);
  try {
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name);
    ip('addr', 'add', `${hostAddress}/30`, 'dev', here);
    ip('link', 'set', here, 'up');
    ip('-n', name, 'addr', 'add', `${address}/30`, 'dev', there);
    ip('-n', name, 'link', 'set', there, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  } catch (error) {
    ip('netns', 'del', name);
    throw error;
  }
  return {
    hostAddress,
    prefix: ['ip', 'netns', 'exec', name],
    // The cable goes with one of its ends.
    close: () => ip('netns', 'del', name),
  };
}
