import { expect, it } from 'vitest';
import type { MachineStatus } from '../hypervisor.ts';
import { waitForRun } from './run-state.ts';

type RunState = Pick<MachineStatus, 'state' | 'reason'>;
const running: RunState = { state: 'running', reason: null };
const full: RunState = { state: 'paused', reason: 'no_space' };
const asleep: RunState = { state: 'suspended', reason: null };

/** Reports these states, and the last one again and again. */
function reports(...states: RunState[]): () => Promise<RunState> {
  return () => Promise.resolve((states.length > 1 ? states.shift() : states[0])!);
}

it('waitForRun waits for a guest that wakes', async () => {
  await expect(waitForRun(asleep, reports(asleep, asleep, running))).resolves.toBeUndefined();
});

it('waitForRun names a guest that stops again for its disk, also after it ran for a moment', async () => {
  const stopped = { code: 'disk_stopped' };
  await expect(waitForRun(full, reports(running, full))).rejects.toMatchObject(stopped);
  await expect(waitForRun(full, reports(full))).rejects.toMatchObject(stopped);
  await expect(waitForRun(full, reports(running))).resolves.toBeUndefined();
});

it('waitForRun accepts a guest that ran and has ended since', async () => {
  const panicked: RunState = { state: 'crashed', reason: 'guest_panic' };
  await expect(waitForRun(asleep, reports(asleep, panicked))).resolves.toBeUndefined();
});
