import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineState, MachineStateReason } from '../../hypervisor.ts';
import { machineFiles } from './arguments.ts';
import type { Monitors } from './monitors.ts';
import type { ProcessIdentity } from './process.ts';
import { findProcess } from './process.ts';

/** The current state of a machine. */
export interface MachineProbe {
  readonly state: MachineState;
  readonly reason: MachineStateReason;
  /** Null when the machine has no process. */
  readonly process: ProcessIdentity | null;
}

/** Maps QEMU's run states to states of wcc. */
const states: Readonly<Record<string, [MachineState, MachineStateReason]>> = {
  running: ['running', null],
  paused: ['paused', null],
  suspended: ['suspended', null],
  'io-error': ['paused', 'io_error'],
  'internal-error': ['crashed', 'internal_error'],
  'guest-panicked': ['crashed', 'guest_panic'],
};

/** The current state of a machine, from its process and its monitor. */
export async function probeMachine(
  uuid: string,
  directory: string,
  monitors: Monitors,
): Promise<MachineProbe> {
  const process = await findProcess(directory, uuid);
  if (process === null)
    return { state: (await hasCrashed(directory)) ? 'crashed' : 'shut_off', reason: null, process };
  try {
    const qmp = await monitors.of(uuid);
    const { status } = (await qmp.execute('query-status')) as { status: string };
    const [state, reason] = states[status] ?? ['paused', null];
    const isFull = reason === 'io_error' && (await lacksSpace(qmp));
    return { state, reason: isFull ? 'no_space' : reason, process };
  } catch {
    // The process may have exited since the first probe.
    const now = await findProcess(directory, uuid);
    if (now === null)
      return { state: (await hasCrashed(directory)) ? 'crashed' : 'shut_off', reason: null, process: null };
    return { state: 'unknown', reason: 'no_answer', process: now };
  }
}

async function lacksSpace(qmp: Awaited<ReturnType<Monitors['of']>>): Promise<boolean> {
  const devices = (await qmp.execute('query-block')) as { 'io-status'?: string }[];
  return devices.some((device) => device['io-status'] === 'nospace');
}

/** QEMU removes its pid file at a clean exit. A pid file from before the host's boot means that the host went down, not QEMU. */
async function hasCrashed(directory: string): Promise<boolean> {
  const path = join(directory, machineFiles.pid);
  if (!existsSync(path)) return false;
  const [facts, kernel] = await Promise.all([stat(path).catch(() => null), readFile('/proc/stat', 'latin1')]);
  const bootedAtS = Number(/^btime (\d+)$/m.exec(kernel)?.[1] ?? 0);
  return facts !== null && facts.mtimeMs / 1000 > bootedAtS;
}
