import { HypervisorError } from '../hypervisor-error.ts';
import type { Definition, Definitions } from './definitions.ts';
import type { QemuHost } from './host.ts';
import type { MachineProbe } from './probe.ts';
import { probeMachine } from './probe.ts';
import type { Monitors } from './monitors.ts';
import type { Qmp } from './qmp.ts';

/** Shared by all calls of the driver. */
export interface QemuContext {
  readonly definitions: Definitions;
  readonly monitors: Monitors;
  host(options?: { afresh?: boolean }): Promise<QemuHost>;
  /** Emits a hint that something may have changed. */
  readonly changed: () => void;
}

/** @throws HypervisorError `unknown_machine` */
export async function assertDefinition({ definitions }: QemuContext, uuid: string): Promise<Definition> {
  const definition = await definitions.read(uuid);
  if (definition === null) throw new HypervisorError('unknown_machine', { detail: uuid });
  return definition;
}

export function probe({ definitions, monitors }: QemuContext, uuid: string): Promise<MachineProbe> {
  return probeMachine(uuid, definitions.directory(uuid), monitors);
}

/** Whether the machine has a process, in any state. */
export const isOn = ({ process }: MachineProbe): boolean => process !== null;

/** The monitor of a machine that is on. @throws HypervisorError `unknown_machine`, `invalid_state`, `no_answer` */
export async function assertMonitor(context: QemuContext, uuid: string): Promise<Qmp> {
  await assertDefinition(context, uuid);
  const current = await probe(context, uuid);
  if (!isOn(current)) throw new HypervisorError('invalid_state', { detail: current.state });
  return context.monitors.of(uuid);
}
