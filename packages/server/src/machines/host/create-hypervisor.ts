import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnError } from '@wcc/progress/server';
import type { DriverName, Hypervisor } from '../hypervisor.ts';
import { createLibvirtDriver } from '../hypervisor/libvirt/driver.ts';
import type { LibvirtConnection } from '../hypervisor/libvirt/virsh.ts';
import { createVirsh } from '../hypervisor/libvirt/virsh.ts';
import { createQemuDriver } from '../hypervisor/qemu/driver.ts';
import { findTool } from '../../images/tools/find-tool.ts';

export interface HypervisorOptions {
  /** Absolute path of the directory of the drivers, e.g. `<data directory>/machines`; created when missing. */
  dir: string;
  /** `auto`: see {@link createHypervisor}. @default 'auto' */
  driver?: DriverName | 'auto';
  /**
   * Environment variables from which libvirt's programs find the session of the user that runs wcc. They get no
   * other variable of the server.
   */
  environment: { readonly HOME?: string; readonly XDG_RUNTIME_DIR?: string };
  /** True: a server may use the directory now, as for a command that stops its machines. @default false */
  isBesideServer?: boolean;
  onError: OnError;
}

/**
 * The hypervisor of this host. `auto` chooses, in this order:
 * 1. `qemu` when that driver has machines, because a machine never changes its driver;
 * 2. `libvirt` when `virsh` reaches the session of this user; not for root, who has no session;
 * 3. `qemu`.
 * On a host without QEMU, the hypervisor reports the packages to install.
 */
export async function createHypervisor(options: HypervisorOptions): Promise<Hypervisor> {
  const { dir, driver = 'auto', isBesideServer = false, onError } = options;
  const shared = { isBesideServer, onError };
  const connection = connectionOf(options);
  const chosen = driver === 'auto' ? await chooseDriver(dir, connection) : driver;
  if (chosen === 'libvirt') return createLibvirtDriver({ dir: join(dir, 'libvirt'), connection, ...shared });
  return createQemuDriver({ dir: join(dir, 'qemu'), ...shared });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function connectionOf({ environment }: HypervisorOptions): LibvirtConnection {
  const { HOME, XDG_RUNTIME_DIR } = environment;
  return {
    uri: isRoot() ? 'qemu:///system' : 'qemu:///session',
    environment: {
      ...(HOME === undefined ? {} : { HOME }),
      ...(XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR }),
    },
  };
}

async function chooseDriver(dir: string, connection: LibvirtConnection): Promise<DriverName> {
  const hasMachines = (await readdir(join(dir, 'qemu', 'machines')).catch(() => [])).length > 0;
  if (hasMachines || isRoot() || findTool('virsh') === null) return 'qemu';
  const answers = await createVirsh(connection)
    .run('uri')
    .then(
      () => true,
      () => false,
    );
  return answers ? 'libvirt' : 'qemu';
}
