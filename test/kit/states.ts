import type { Phase, Snapshot } from '@wcc/progress';
import { sampleSnapshot } from '@wcc/progress/testing';

const gib = 2 ** 30;
const letters = 'abcdefghijklmnopqrstuvwxyz';

/** A valid operation id that encodes the number in its last letters. */
export function operationId(number: number): string {
  const tail = Array.from(String(number), (digit) => letters[Number(digit)]).join('');
  return tail.padStart(26, 'z');
}

/** A snapshot of a copy that has transferred 61 % of its data. `changes` replace its fields. */
export function sampleCopy(number: number, target: string, changes: Partial<Snapshot> = {}): Snapshot {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 14, 0, number)).toISOString();
  return sampleSnapshot({
    id: operationId(number),
    seq: 0,
    label: `copy_vm_image_${100 + number}`,
    target: { kind: 'image', id: null, name: target },
    owner: 'user-1',
    phases: sampleCopyPhases(0.61 * 2.4 * gib, 2.4 * gib),
    rate: 400 * 2 ** 20,
    bytes: {
      virtual: 40 * gib,
      data: Math.floor(2.4 * gib),
      skipped: Math.floor(37.6 * gib),
      shared: 0,
      written: Math.floor(1.5 * gib),
    },
    createdAt,
    startedAt: createdAt,
    ...changes,
  });
}

export function sampleCopyPhases(done: number, total: number | null): Snapshot['phases'] {
  const transfer: Phase = {
    name: 'transfer',
    unit: 'bytes',
    done: Math.floor(done),
    durable: 0,
    total: total === null ? null : Math.floor(total),
    state: 'running',
    elapsedMs: 4000,
  };
  return [
    { name: 'inspect', state: 'done', elapsedMs: 12 },
    transfer,
    { name: 'flush', state: 'pending' },
    { name: 'publish', state: 'pending' },
  ];
}

const ended = { endedAt: '2026-01-01T14:02:00.000Z', rate: null, etaMs: null } as const;

/** An example of each displayed state except `unknown`, which needs a server that has removed the operation. */
export const exampleStates: Readonly<Record<string, Partial<Snapshot>>> = {
  queued: {
    state: 'queued',
    queuePosition: 3,
    stateReason: {
      code: 'waiting_for_place',
      params: { limit: 2 },
    },
    phases: [],
    phaseIndex: -1,
    bytes: null,
    startedAt: null,
    rate: null,
    etaMs: null,
  },
  running: {},
  indeterminate: { phases: sampleCopyPhases(gib, null), etaMs: null, etaAbsence: 'total_unknown' },
  stalled: { stalled: true, sinceProgressMs: 40_000, rate: 0, etaMs: null, etaAbsence: 'stalled' },
  paused: { state: 'paused', stateReason: { code: 'requested' }, rate: null, etaMs: null },
  cancelling: { state: 'cancelling', rate: null, etaMs: null },
  cancelled: { state: 'cancelled', ...ended },
  succeeded: { state: 'succeeded', elapsedMs: 12_000, result: { kind: 'image', id: 107 }, ...ended },
  warned: { state: 'succeeded', elapsedMs: 12_000, warnings: ['source_open_for_writing'], ...ended },
  failed: {
    state: 'failed',
    error: {
      code: 'io_error',
      message: 'The disk reported an error.',
      hint: 'Look at the kernel log of the host.',
      detail: 'EIO: i/o error, write',
    },
    ...ended,
  },
  interrupted: { state: 'interrupted', stateReason: { code: 'server_restarted' }, rate: null, etaMs: null },
  silent: {
    target: null,
    action: 'backup_database',
    subject: { kind: 'database', id: null, name: 'nightly' },
    state: 'interrupted',
    stateReason: { code: 'publisher_silent' },
    bytes: null,
    method: null,
    phases: [
      { name: 'work', unit: 'steps', done: 12, durable: 12, total: 40, state: 'running', elapsedMs: 9000 },
    ],
    phaseIndex: 0,
    rate: null,
    etaMs: null,
  },
};
