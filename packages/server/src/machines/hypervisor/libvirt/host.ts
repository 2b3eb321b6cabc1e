import type { HypervisorFacts } from '../../hypervisor.ts';
import { HypervisorError } from '../hypervisor-error.ts';
import { findAcceleration } from '../acceleration.ts';
import { findTool, packageOf } from '../../../images/tools/find-tool.ts';
import type { UefiFirmware } from '../uefi.ts';
import { findUefi } from '../uefi.ts';
import type { Virsh } from './virsh.ts';

/** The host as the driver probed it. */
export interface LibvirtHost {
  readonly facts: HypervisorFacts;
  /** Null when machines cannot run. */
  readonly emulator: { emulator: string; acceleration: 'kvm' | 'tcg'; uefi: UefiFirmware | null } | null;
}

/** @param workDir directory for the temporary disk of a trial guest */
export async function examineHost(virsh: Virsh, workDir: string): Promise<LibvirtHost> {
  const packages = missingPackages();
  const emulator = findTool('qemu-system-x86_64');
  if (packages.length > 0 || emulator === null) return withoutEmulator('packages_missing', packages);
  const [versions, acceleration] = await Promise.all([
    virsh.run('version').catch(() => null),
    findAcceleration(emulator, workDir),
  ]);
  if (versions === null) return withoutEmulator('unavailable', []);
  if (acceleration === null) return withoutEmulator('packages_missing', [packageOf['qemu-system-x86_64']]);
  // `Running hypervisor: QEMU 7.2.22`
  const version = /Running hypervisor: QEMU (\S+)/.exec(versions)?.[1] ?? null;
  const uefi = findUefi();
  const facts = { driver: 'libvirt', acceleration, version, missing: null, hasUefi: uefi !== null } as const;
  return { facts, emulator: { emulator, acceleration, uefi } };
}

function missingPackages(): string[] {
  const tools = ['virsh', 'qemu-system-x86_64', 'qemu-img'] as const;
  const packages: string[] = tools.filter((name) => findTool(name) === null).map((name) => packageOf[name]);
  // Either the daemon for all hypervisors, or the newer one for QEMU alone.
  const hasDaemon = findTool('libvirtd') !== null || findTool('virtqemud') !== null;
  return hasDaemon ? packages : [...packages, packageOf.libvirtd, packageOf.virtqemud];
}

function withoutEmulator(code: 'packages_missing' | 'unavailable', packages: string[]): LibvirtHost {
  const missing = { code, packages };
  return {
    facts: { driver: 'libvirt', acceleration: null, version: null, missing, hasUefi: false },
    emulator: null,
  };
}

/** @throws HypervisorError `packages_missing`, `unavailable` */
export function assertEmulator({ facts, emulator }: LibvirtHost): NonNullable<LibvirtHost['emulator']> {
  if (emulator !== null) return emulator;
  const { code = 'unavailable', packages = [] } = facts.missing ?? {};
  throw new HypervisorError(code, { packages });
}
