import { HypervisorError } from '../hypervisor-error.ts';
import type { Definition, Definitions } from './definitions.ts';
import type { QemuHost } from './host.ts';
import type { MachineProbe } from './probe.ts';
import { probeMachine } from './probe.ts';
import type { Monitors } from './monitors.ts';
import type { Qmp } from './qmp.ts';

/** What every call of the driver works with. */
export interface QemuContext {
  readonly definitions: Definitions;
  readonly monitors: Monitors;
  host(options?: { afresh?: boolean }): Promise<QemuHost>;
  /** Something may have changed. */
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

/** Whether a process stands behind the machine, whatever it does. */
export const isOn = ({ process }: MachineProbe): boolean => process !== null;

/** The monitor of a machine that must be on. @throws HypervisorError `unknown_machine`, `invalid_state`, `no_answer` */
export async function assertMonitor(context: QemuContext, uuid: string): Promise<Qmp> {
  await assertDefinition(context, uuid);
  const now = await probe(context, uuid);
  if (!isOn(now)) throw new HypervisorError('invalid_state', { detail: now.state });
  return context.monitors.of(uuid);
}
