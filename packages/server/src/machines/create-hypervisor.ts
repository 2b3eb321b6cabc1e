import { join } from 'node:path';
import type { DriverName, Hypervisor } from './hypervisor.ts';
import { createQemuDriver } from './hypervisor/qemu/driver.ts';

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
  onError: (error: unknown, context: { stage: string }) => void;
}

/** The hypervisor of this host. Without QEMU there is one too: it tells what to install. */
export function createHypervisor({ dir, onError }: HypervisorOptions): Promise<Hypervisor> {
  return createQemuDriver({ dir: join(dir, 'qemu'), onError });
}
