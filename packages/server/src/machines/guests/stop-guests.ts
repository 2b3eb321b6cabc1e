import { setTimeout as sleep } from 'node:timers/promises';
import type { Hypervisor, MachineStatus } from '../hypervisor.ts';
import { isOn } from '../hypervisor/run-state.ts';

/** How a machine went off. `running`: it could not be stopped. */
export type StopResult = 'shut_down' | 'powered_off' | 'running';

export interface StoppedGuest {
  uuid: string;
  name: string;
  result: StopResult;
  /** Why it was not shut down, or not stopped; null: no reason is known. */
  reason: string | null;
}

export interface StopGuestsOptions {
  /**
   * UUID → place in the order of starts. Machines stop in the reverse order; those without a place first. Machines with
   * the same place stop at the same time.
   */
  order: ReadonlyMap<string, number>;
  /** For all guests together. Then wcc cuts their power. */
  timeoutMs: number;
  /** Called for each machine that is off. @default no call */
  onStopped?: (guest: StoppedGuest) => void;
}

const pollMs = 200;

/**
 * Shuts down the guests of all machines of wcc that are on, in the reverse order of their starts, and cuts the power of
 * those that take too long. A group of machines gets its share of the time that is left, so a guest that hangs takes
 * no time from the groups behind it, and a quick group leaves them more.
 */
export async function stopGuests(
  hypervisor: Hypervisor,
  options: StopGuestsOptions,
): Promise<StoppedGuest[]> {
  const { order, timeoutMs, onStopped = () => {} } = options;
  const endMs = performance.now() + timeoutMs;
  const groups = groupsOf(await listOn(hypervisor), order);
  const stopped: StoppedGuest[] = [];
  for (const [index, group] of groups.entries()) {
    const leftMs = Math.max(0, endMs - performance.now());
    const deadlineMs = performance.now() + leftMs / (groups.length - index);
    const results = group.map(async (machine) => {
      const guest = await stopGuest(hypervisor, machine, deadlineMs);
      stopped.push(guest);
      onStopped(guest);
    });
    await Promise.all(results);
  }
  return stopped;
}

/** Machines that are on, or may be: the hypervisor does not know the state of every process. */
async function listOn(hypervisor: Hypervisor): Promise<MachineStatus[]> {
  const all = await hypervisor.list();
  return all.filter((machine) => !machine.foreign && (isOn(machine) || machine.state === 'unknown'));
}

function groupsOf(
  machines: readonly MachineStatus[],
  order: ReadonlyMap<string, number>,
): (readonly MachineStatus[])[] {
  const groups = new Map<number, MachineStatus[]>();
  for (const machine of machines) {
    const place = order.get(machine.uuid) ?? Number.POSITIVE_INFINITY;
    groups.set(place, [...(groups.get(place) ?? []), machine]);
  }
  return [...groups].toSorted(([a], [b]) => (a === b ? 0 : b > a ? 1 : -1)).map(([, group]) => group);
}

async function stopGuest(
  hypervisor: Hypervisor,
  machine: MachineStatus,
  deadlineMs: number,
): Promise<StoppedGuest> {
  const { uuid, name } = machine;
  const reason = await shutDown(hypervisor, machine, deadlineMs).catch(messageOf);
  if (reason === null) return { uuid, name, result: 'shut_down', reason };
  try {
    await hypervisor.powerOff(uuid);
    return { uuid, name, result: 'powered_off', reason };
  } catch (error) {
    return { uuid, name, result: 'running', reason: messageOf(error) };
  }
}

/** @returns null when the guest has shut down, else the reason why not */
async function shutDown(
  hypervisor: Hypervisor,
  { uuid, state, reason }: MachineStatus,
  deadlineMs: number,
): Promise<string | null> {
  if (reason !== null) return `its guest does not run (${reason})`;
  // A paused or sleeping guest does not see the power button.
  if (state === 'paused' || state === 'suspended') await hypervisor.start(uuid);
  await hypervisor.shutdown(uuid);
  for (;;) {
    const now = await hypervisor.status(uuid);
    if (now === null || now.state === 'shut_off' || now.state === 'saved') return null;
    if (now.state === 'crashed') return 'its guest crashed';
    if (performance.now() > deadlineMs) return 'its guest did not shut down in time';
    await sleep(pollMs);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
