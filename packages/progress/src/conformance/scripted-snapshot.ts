import type { Snapshot } from '@wcc/progress';

/** The operation of the scripted session: shaped like any id. */
export const scriptedOperation: string = 'scriptedsessionscriptedsea';

const beganAt = '2026-01-02T03:04:05.000Z';
const totalBytes = 100;

/** The operation as the script tells it: a copy of 100 bytes. */
export function scriptedSnapshot(told: {
  epoch: string;
  seq: number;
  done: number;
  /** @default 'running' */
  state?: 'running' | 'succeeded';
}): Snapshot {
  const { epoch, seq, done, state = 'running' } = told;
  const isOver = state === 'succeeded';
  const elapsedMs = seq * 1000;
  const phase = { name: 'copy', unit: 'bytes', done, durable: done, total: totalBytes, elapsedMs } as const;
  return {
    ...unchanging,
    epoch,
    seq,
    state,
    phases: [{ ...phase, state: isOver ? 'done' : 'running' }],
    elapsedMs,
    etaAbsence: isOver ? 'not_running' : 'too_early',
    endedAt: isOver ? beganAt : null,
    result: isOver ? { kind: 'image', id: 101 } : null,
  };
}

const unchanging = {
  id: scriptedOperation,
  at: beganAt,
  label: 'copy_vm_image_100',
  action: 'copy_vm_image',
  subject: { kind: 'image', id: 100, name: 'debian-13' },
  target: { kind: 'image', id: 101, name: 'web-07-disk' },
  owner: 'u1',
  ownerName: 'sato',
  queuePosition: null,
  stateReason: null,
  phaseIndex: 0,
  rate: null,
  etaMs: null,
  bytes: null,
  method: 'kernel-copy',
  sinceProgressMs: 0,
  stalled: false,
  createdAt: beganAt,
  startedAt: beganAt,
  warnings: [],
  error: null,
  retryOf: null,
  partOf: null,
} as const satisfies Partial<Snapshot>;
