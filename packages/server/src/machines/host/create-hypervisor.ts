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
  /** Where the drivers keep what they know, e.g. `<data directory>/machines`; absolute, made when it is missing. */
  dir: string;
  /** `auto`: see {@link createHypervisor}. @default 'auto' */
  driver?: DriverName | 'auto';
  /**
   * What libvirt's programs need to find the session of the user that runs wcc: HOME and XDG_RUNTIME_DIR, as `main.ts` read them.
   * Nothing else of our environment reaches them.
   */
  environment: { readonly HOME?: string; readonly XDG_RUNTIME_DIR?: string };
  onError: OnError;
}

/**
 * The hypervisor of this host. `auto` is QEMU when machines were made with it before (a machine never changes its driver), else the libvirt
 * session of this user, when `virsh` answers, else QEMU. Root has no session, and gets the system's libvirt only when asked for.
 * Without QEMU there is a hypervisor too: it tells what to install.
 */
export async function createHypervisor(options: HypervisorOptions): Promise<Hypervisor> {
  const { dir, driver = 'auto', onError } = options;
  const connection = connectionOf(options);
  const chosen = driver === 'auto' ? await chooseDriver(dir, connection) : driver;
  if (chosen === 'libvirt') return createLibvirtDriver({ dir: join(dir, 'libvirt'), connection, onError });
  return createQemuDriver({ dir: join(dir, 'qemu'), onError });
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
