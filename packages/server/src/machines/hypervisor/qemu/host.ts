import { existsSync } from 'node:fs';
import type { HypervisorFacts } from '../../hypervisor.ts';
import { HypervisorError } from '../hypervisor-error.ts';
import type { MachineSpec } from '../machine-spec.ts';
import { findAcceleration } from '../acceleration.ts';
import { findTool, packageOf } from '../../../images/tools/find-tool.ts';
import { runTool } from '../../../images/tools/run-tool.ts';
import { findUefi } from '../uefi.ts';
import type { Emulator } from './arguments.ts';

/** The host as the driver probed it. */
export interface QemuHost {
  readonly facts: HypervisorFacts;
  /** Null when machines cannot run. */
  readonly emulator: Emulator | null;
}

/** @param workDir directory for the temporary disk of a trial guest */
export async function examineHost(workDir: string): Promise<QemuHost> {
  const program = findTool('qemu-system-x86_64');
  const missing = (['qemu-system-x86_64', 'qemu-img'] as const).filter((name) => findTool(name) === null);
  if (program === null || missing.length > 0) return withoutEmulator(missing.map((name) => packageOf[name]));
  const [version, machineType] = await Promise.all([readVersion(), readMachineType()]);
  const acceleration = await findAcceleration(program, workDir);
  if (acceleration === null || machineType === null) return withoutEmulator(['qemu-system-x86'], version);
  const uefi = findUefi();
  const facts = { driver: 'qemu', acceleration, version, missing: null, hasUefi: uefi !== null } as const;
  return { facts, emulator: { program, acceleration, machineType, uefiCode: uefi?.code ?? null } };
}

function withoutEmulator(packages: string[], version: string | null = null): QemuHost {
  const missing = { code: 'packages_missing', packages } as const;
  return { facts: { driver: 'qemu', acceleration: null, version, missing, hasUefi: false }, emulator: null };
}

/** `QEMU emulator version 7.2.22 (Debian …)` */
async function readVersion(): Promise<string | null> {
  return /version (\d+(?:\.\d+)+)/.exec(await runQemu('--version'))?.[1] ?? null;
}

/** `q35   Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)` */
async function readMachineType(): Promise<string | null> {
  const output = await runQemu('-machine', 'help');
  return /^q35\s.*\(alias of (pc-q35-[\d.]+)\)/m.exec(output)?.[1] ?? null;
}

/** Standard output of QEMU; empty when QEMU cannot start. Machines are then unavailable, and the rest of wcc works. */
async function runQemu(...args: string[]): Promise<string> {
  const tool = { tool: 'qemu-system-x86_64', args, limits: null } as const;
  return runTool(tool).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

/** The emulator, if it can run this machine. @throws HypervisorError `packages_missing`, `unsupported` */
export function assertEmulator({ facts, emulator }: QemuHost, spec: MachineSpec): Emulator {
  if (emulator === null)
    throw new HypervisorError('packages_missing', { packages: facts.missing?.packages ?? [] });
  if (spec.firmware === 'uefi' && emulator.uefiCode === null)
    throw new HypervisorError('packages_missing', { packages: ['ovmf'] });
  const { network } = spec;
  if (network.kind === 'network')
    throw new HypervisorError('unsupported', {
      detail: `network ${network.name}: this driver supports bridges only`,
    });
  if (network.kind === 'bridge' && !existsSync(`/sys/class/net/${network.name}/bridge`))
    throw new HypervisorError('unsupported', { detail: `no bridge ${network.name} on this host` });
  return emulator;
}
