import type { Snapshot } from '@wcc/progress';

/**
 * A complete snapshot for tests: a copy of an image, 62.5 % through the second of its four phases.
 *
 * @param changes fields that replace those of the sample
 */
export function sampleSnapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return { ...sample, phases: [...sample.phases], ...changes };
}

const createdAt = '2026-01-01T14:00:00.000Z';

const sample = {
  id: 'aaaaaaaaaaaaaaaaaaaaaaaaaa',
  epoch: 'e1',
  seq: 1,
  at: '2026-01-01T14:02:00.000Z',
  label: 'copy_vm_image_100',
  action: 'copy_vm_image',
  title: null,
  subject: { kind: 'image', id: 100, name: 'debian-13.raw' },
  target: { kind: 'image', id: null, name: 'web-07.raw' },
  owner: 'u1',
  ownerName: 'sato',
  host: null,
  state: 'running',
  queuePosition: null,
  stateReason: null,
  phases: [
    { name: 'inspect', state: 'done' },
    {
      name: 'transfer',
      unit: 'bytes',
      done: 1_610_700_000,
      durable: 1_073_741_824,
      total: 2_576_980_378,
      state: 'running',
      elapsedMs: 4000,
    },
    { name: 'flush', state: 'pending' },
    { name: 'publish', state: 'pending' },
  ],
  phaseIndex: 1,
  rate: 432_013_312,
  etaMs: 12_300,
  etaAbsence: null,
  bytes: {
    virtual: 42_949_672_960,
    data: 2_576_980_378,
    skipped: 40_372_692_582,
    shared: 0,
    written: 1_610_612_736,
  },
  method: 'kernel-copy',
  elapsedMs: 4200,
  sinceProgressMs: 0,
  stalled: false,
  createdAt,
  startedAt: createdAt,
  endedAt: null,
  warnings: [],
  error: null,
  result: null,
  retryOf: null,
  partOf: null,
} satisfies Snapshot;
