import type { CopyPhaseName, CopyProgress } from './types.ts';

/** In the order in which they are numbered in the slot. */
export const phaseNames: readonly CopyPhaseName[] = [
  'inspect',
  'reserve',
  'clone',
  'transfer',
  'flush',
  'verify',
  'publish',
];
const states = ['waiting', 'running', 'paused', 'ended'] as const;
export type SlotState = (typeof states)[number];

/** What the main thread asks of the worker; the stronger wish wins. */
export type StopWish = 'none' | 'interrupt' | 'cancel';
const wishes: readonly StopWish[] = ['none', 'interrupt', 'cancel'];

// Int32 cells: wishes of the main thread, and what changes rarely.
const wakeCell = 0;
const pause = 1;
const stopCell = 2;
const stateCell = 3;
const phaseCell = 4;
/** Odd while the worker changes several cells at once. */
const epochCell = 5;
const int32Cells = 8;

// BigInt64 cells.
const longs = {
  done: 0,
  durable: 1,
  total: 2,
  skipped: 3,
  shared: 4,
  written: 5,
  progressAt: 6,
  startedAt: 7,
  phaseAt: 8,
  endedAt: 9,
  limit: 10,
} as const;
const bigint64Cells = 11;
const unknownValue = -1n;

export type Counter = 'done' | 'durable' | 'skipped' | 'shared' | 'written';

interface Views {
  shorts: Int32Array<SharedArrayBuffer>;
  longs: BigInt64Array<SharedArrayBuffer>;
}

function viewsOf(memory: SharedArrayBuffer): Views {
  return {
    shorts: new Int32Array(memory, 0, int32Cells),
    longs: new BigInt64Array(memory, int32Cells * 4, bigint64Cells),
  };
}

/** The main thread's side: wishes go in, progress comes out, and no side ever waits for the other. */
export interface SlotReader {
  readonly memory: SharedArrayBuffer;
  read(): CopyProgress;
  setPaused(paused: boolean): void;
  stop(wish: StopWish): void;
  setLimit(bytesPerSecond: number | null): void;
  end(): void;
}

export function createSlot(bytesPerSecond: number | null): SlotReader {
  const memory = new SharedArrayBuffer(int32Cells * 4 + bigint64Cells * 8);
  const views = viewsOf(memory);
  const now = process.hrtime.bigint();
  for (const cell of [longs.progressAt, longs.startedAt, longs.phaseAt])
    Atomics.store(views.longs, cell, now);
  Atomics.store(views.longs, longs.total, unknownValue);
  Atomics.store(views.longs, longs.limit, limitCell(bytesPerSecond));
  const ring = (): void => {
    Atomics.add(views.shorts, wakeCell, 1);
    Atomics.notify(views.shorts, wakeCell);
  };
  return {
    memory,
    read: () => readProgress(views),
    setPaused(paused) {
      Atomics.store(views.shorts, pause, paused ? 1 : 0);
      ring();
    },
    stop(wish) {
      if (Atomics.load(views.shorts, stopCell) < wishes.indexOf(wish)) {
        Atomics.store(views.shorts, stopCell, wishes.indexOf(wish));
      }
      ring();
    },
    setLimit(limit) {
      Atomics.store(views.longs, longs.limit, limitCell(limit));
      ring();
    },
    end() {
      Atomics.store(views.longs, longs.endedAt, process.hrtime.bigint());
      Atomics.store(views.shorts, stateCell, states.indexOf('ended'));
    },
  };
}

function limitCell(bytesPerSecond: number | null): bigint {
  return bytesPerSecond === null ? unknownValue : BigInt(Math.max(1, Math.floor(bytesPerSecond)));
}

/** How often a reader looks again when it meets a phase change half-way; the next look is right in any case. */
const readAttempts = 100;

function readProgress(views: Views): CopyProgress {
  let progress = readOnce(views);
  for (let attempt = 0; attempt < readAttempts; attempt += 1) {
    const epoch = Atomics.load(views.shorts, epochCell);
    progress = readOnce(views);
    if (epoch % 2 === 0 && Atomics.load(views.shorts, epochCell) === epoch) break;
  }
  return progress;
}

function readOnce(views: Views): CopyProgress {
  const long = (cell: number): bigint => Atomics.load(views.longs, cell);
  const state = states[Atomics.load(views.shorts, stateCell)] ?? 'waiting';
  const now = state === 'ended' ? long(longs.endedAt) : process.hrtime.bigint();
  const since = (cell: number): number => Math.max(0, Number(now - long(cell)) / 1e6);
  const total = long(longs.total);
  return {
    phase: phaseNames[Atomics.load(views.shorts, phaseCell)] ?? 'inspect',
    state,
    doneBytes: Number(long(longs.done)),
    durableBytes: Number(long(longs.durable)),
    totalBytes: total === unknownValue ? null : Number(total),
    skippedBytes: Number(long(longs.skipped)),
    sharedBytes: Number(long(longs.shared)),
    writtenBytes: Number(long(longs.written)),
    sinceProgressMs: since(longs.progressAt),
    elapsedMs: since(longs.startedAt),
    phaseElapsedMs: since(longs.phaseAt),
  };
}

/** The worker's side. */
export interface SlotWriter {
  stopWish(): StopWish;
  isPaused(): boolean;
  /** Bytes per second; null: no limit. */
  limit(): number | null;
  /** Sleeps until a wish arrives or the time is over. Compare-and-wait: a wish sent meanwhile is never missed. */
  sleep(bell: number, timeoutMs: number): void;
  bell(): number;
  setState(state: SlotState): void;
  /** Begins a phase: done, durable and total change together. */
  begin(phase: CopyPhaseName, at: { totalBytes: bigint | null; doneBytes: bigint }): void;
  set(counter: Counter, value: bigint): void;
  touch(): void;
}

export function openSlot(memory: SharedArrayBuffer): SlotWriter {
  const { shorts, longs: cells } = viewsOf(memory);
  const touch = (): void => {
    Atomics.store(cells, longs.progressAt, process.hrtime.bigint());
  };
  return {
    stopWish: () => wishes[Atomics.load(shorts, stopCell)] ?? 'none',
    isPaused: () => Atomics.load(shorts, pause) === 1,
    limit() {
      const limit = Atomics.load(cells, longs.limit);
      return limit === unknownValue ? null : Number(limit);
    },
    bell: () => Atomics.load(shorts, wakeCell),
    sleep(bell, timeoutMs) {
      Atomics.wait(shorts, wakeCell, bell, timeoutMs);
    },
    setState(state) {
      Atomics.store(shorts, stateCell, states.indexOf(state));
    },
    begin(phase, { totalBytes, doneBytes }) {
      Atomics.add(shorts, epochCell, 1);
      Atomics.store(shorts, phaseCell, phaseNames.indexOf(phase));
      Atomics.store(cells, longs.total, totalBytes ?? unknownValue);
      Atomics.store(cells, longs.done, doneBytes);
      Atomics.store(cells, longs.durable, phase === 'transfer' ? doneBytes : 0n);
      Atomics.store(cells, longs.phaseAt, process.hrtime.bigint());
      Atomics.add(shorts, epochCell, 1);
      touch();
    },
    set(counter, value) {
      Atomics.store(cells, longs[counter], value);
      touch();
    },
    touch,
  };
}
