import type { CallOptions } from '../../hypervisor.ts';
import { assertNotAborted, HypervisorError } from '../hypervisor-error.ts';
import type { MachineSpec } from '../machine-spec.ts';
import { assertMachineSpec, isSameSpec, normalizeSpec } from '../machine-spec.ts';
import type { QemuContext } from './context.ts';
import { isOn, probe } from './context.ts';
import { assertEmulator } from './host.ts';

export async function define(
  context: QemuContext,
  requested: MachineSpec,
  { signal }: CallOptions = {},
): Promise<void> {
  assertMachineSpec(requested);
  const spec = normalizeSpec(requested);
  const { definitions } = context;
  const existing = await definitions.read(spec.uuid);
  if (existing !== null && isSameSpec(existing.spec, spec)) return;
  if (existing !== null && isOn(await probe(context, spec.uuid)))
    throw new HypervisorError('invalid_state', { detail: 'the machine is running' });
  const { machineType } = assertEmulator(await context.host(), spec);
  await assertNameFree(context, spec);
  assertNotAborted(signal);
  await definitions.write({ spec, machineType: existing?.machineType ?? machineType });
  context.changed();
}

async function assertNameFree({ definitions }: QemuContext, { uuid, name }: MachineSpec): Promise<void> {
  for (const other of await definitions.list()) {
    if (other === uuid) continue;
    const definition = await definitions.read(other);
    if (definition?.spec.name === name) throw new HypervisorError('name_taken', { detail: name });
  }
}

export async function undefine(context: QemuContext, uuid: string): Promise<void> {
  if ((await context.definitions.read(uuid)) === null) return;
  if (isOn(await probe(context, uuid)))
    throw new HypervisorError('invalid_state', { detail: 'the machine is running' });
  context.monitors.drop(uuid);
  await context.definitions.remove(uuid);
  context.changed();
}

/** Removes directories that a crash left half created or half removed, unless their process lives. */
export async function removeOrphanDirectories(context: QemuContext): Promise<void> {
  for (const uuid of await context.definitions.orphanDirectories()) {
    if (!isOn(await probe(context, uuid))) await context.definitions.remove(uuid);
  }
}
