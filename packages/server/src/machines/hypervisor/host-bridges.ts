import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { HostNetwork } from '../hypervisor.ts';
import { isNetworkName } from './machine-spec.ts';

/** Bridges of this host that a machine can use. */
export async function listBridges(): Promise<HostNetwork[]> {
  const names = await readdir('/sys/class/net').catch(() => []);
  return names
    .filter((name) => isNetworkName('bridge', name) && existsSync(`/sys/class/net/${name}/bridge`))
    .map((name) => ({ kind: 'bridge', name }));
}
