import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineStatus } from '../hypervisor.ts';
import { HypervisorError } from './hypervisor-error.ts';

type RunState = Pick<MachineStatus, 'state' | 'reason'>;

/** A guest that has been woken may take this long to run. */
const wakeMs = 20_000;
/** QEMU repeats a failed disk request at once, so that a guest that must stop again has stopped by then. */
const settleMs = 300;
const pollMs = 30;

/** Whether the process is still there, and its guest cannot run before a reset. */
export const isDead = ({ reason }: Pick<RunState, 'reason'>): boolean =>
  reason === 'guest_panic' || reason === 'internal_error';

/** Whether the machine has memory and a screen: its guest runs, is paused, sleeps or is dead. */
export const isOn = ({ state, reason }: RunState): boolean =>
  state === 'running' || state === 'paused' || state === 'suspended' || isDead({ reason });

/** Whether the guest has stopped for a disk that fails or is full. */
export const stopsForDisk = ({ reason }: Pick<RunState, 'reason'>): boolean =>
  reason === 'no_space' || reason === 'io_error';

/**
 * Waits until a guest that was paused, or slept, runs.
 * @param before its state before it was woken
 * @throws HypervisorError `disk_stopped` when it stops again for its disk, `no_answer`
 */
export async function waitForRun(before: RunState, read: () => Promise<RunState>): Promise<void> {
  const startMs = performance.now();
  const leastMs = stopsForDisk(before) ? settleMs : 0;
  for (;;) {
    const now = await read();
    if (stopsForDisk(now)) throw new HypervisorError('disk_stopped');
    const { state } = now;
    const elapsedMs = performance.now() - startMs;
    if (state === 'running' && elapsedMs >= leastMs) return;
    // It ran, and has ended since.
    if (state === 'shut_off' || state === 'crashed') return;
    if (elapsedMs > wakeMs) throw new HypervisorError('no_answer', { detail: state });
    await sleep(pollMs);
  }
}
