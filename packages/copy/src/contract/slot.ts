import { copyPhaseNames } from './types.ts';
import type { CopyPhaseName, CopyProgress } from './types.ts';

const states = ['waiting', 'running', 'paused', 'ended'] as const;
export type SlotState = (typeof states)[number];

/** Stop requests of the caller to the worker. The stronger request wins. */
export type StopRequest = 'none' | 'suspend' | 'cancel';
const stopRequests: readonly StopRequest[] = ['none', 'suspend', 'cancel'];

// Int32 cells: requests of the caller, and values that change rarely.
const wakeCell = 0;
const pauseCell = 1;
const stopCell = 2;
const stateCell = 3;
/** The index of the phase in `copyPhaseNames`. */
const phaseCell = 4;
/** Odd while the worker changes several cells together. */
const epochCell = 5;
const int32Cells = 8;

// BigInt64 cells.
const longCells = {
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
  data: 11,
} as const;
const bigint64Cells = 12;
const unknownValue = -1n;

export type Counter = 'done' | 'durable' | 'skipped' | 'shared' | 'written' | 'data';

interface Views {
  int32: Int32Array<SharedArrayBuffer>;
  int64: BigInt64Array<SharedArrayBuffer>;
}

function createViews(memory: SharedArrayBuffer): Views {
  return {
    int32: new Int32Array(memory, 0, int32Cells),
    int64: new BigInt64Array(memory, int32Cells * 4, bigint64Cells),
  };
}

/** The caller's view of the slot: it writes requests and reads progress. Caller and worker never wait for each other. */
export interface SlotReader {
  readonly memory: SharedArrayBuffer;
  read(): CopyProgress;
  setPaused(paused: boolean): void;
  stop(request: StopRequest): void;
  setLimit(bytesPerSecond: number | null): void;
  end(): void;
  /** Resolves when the copy is resumed or stopped. The slot then shows that it waits for a thread. */
  whenResumed(): Promise<void>;
}

export function createSlot(bytesPerSecond: number | null): SlotReader {
  const memory = new SharedArrayBuffer(int32Cells * 4 + bigint64Cells * 8);
  const views = createViews(memory);
  const now = process.hrtime.bigint();
  for (const cell of [longCells.progressAt, longCells.startedAt, longCells.phaseAt])
    Atomics.store(views.int64, cell, now);
  Atomics.store(views.int64, longCells.total, unknownValue);
  Atomics.store(views.int64, longCells.data, unknownValue);
  Atomics.store(views.int64, longCells.limit, limitCell(bytesPerSecond));
  const listeners: (() => void)[] = [];
  const notify = (): void => {
    Atomics.add(views.int32, wakeCell, 1);
    Atomics.notify(views.int32, wakeCell);
    for (const listener of listeners.splice(0)) listener();
  };
  /** Whether the caller has asked for a pause, and for nothing else. */
  const isPaused = (): boolean =>
    Atomics.load(views.int32, pauseCell) === 1 && Atomics.load(views.int32, stopCell) === 0;
  return {
    memory,
    read: () => readProgress(views),
    setPaused(paused) {
      Atomics.store(views.int32, pauseCell, paused ? 1 : 0);
      notify();
    },
    stop(request) {
      if (Atomics.load(views.int32, stopCell) < stopRequests.indexOf(request)) {
        Atomics.store(views.int32, stopCell, stopRequests.indexOf(request));
      }
      notify();
    },
    setLimit(limit) {
      Atomics.store(views.int64, longCells.limit, limitCell(limit));
      notify();
    },
    end() {
      Atomics.store(views.int64, longCells.endedAt, process.hrtime.bigint());
      Atomics.store(views.int32, stateCell, states.indexOf('ended'));
    },
    async whenResumed() {
      while (isPaused()) await new Promise<void>((resolve) => listeners.push(resolve));
      Atomics.store(views.int32, stateCell, states.indexOf('waiting'));
    },
  };
}

function limitCell(bytesPerSecond: number | null): bigint {
  return bytesPerSecond === null ? unknownValue : BigInt(Math.max(1, Math.floor(bytesPerSecond)));
}

/** Maximum reads during a phase change. If all fail, the next call reads consistent values. */
const readAttempts = 100;

function readProgress(views: Views): CopyProgress {
  let progress = readOnce(views);
  for (let attempt = 0; attempt < readAttempts; attempt += 1) {
    const epoch = Atomics.load(views.int32, epochCell);
    progress = readOnce(views);
    if (epoch % 2 === 0 && Atomics.load(views.int32, epochCell) === epoch) break;
  }
  return progress;
}

function readOnce(views: Views): CopyProgress {
  const long = (cell: number): bigint => Atomics.load(views.int64, cell);
  const state = states[Atomics.load(views.int32, stateCell)] ?? 'waiting';
  const now = state === 'ended' ? long(longCells.endedAt) : process.hrtime.bigint();
  const since = (cell: number): number => Math.max(0, Number(now - long(cell)) / 1e6);
  const known = (cell: number): number | null => (long(cell) === unknownValue ? null : Number(long(cell)));
  return {
    phase: copyPhaseNames[Atomics.load(views.int32, phaseCell)] ?? 'inspect',
    state,
    doneBytes: Number(long(longCells.done)),
    durableBytes: Number(long(longCells.durable)),
    totalBytes: known(longCells.total),
    dataBytes: known(longCells.data),
    skippedBytes: Number(long(longCells.skipped)),
    sharedBytes: Number(long(longCells.shared)),
    writtenBytes: Number(long(longCells.written)),
    sinceProgressMs: since(longCells.progressAt),
    elapsedMs: since(longCells.startedAt),
    phaseElapsedMs: since(longCells.phaseAt),
  };
}

/** The worker's view of the slot: it reads requests and writes progress. */
export interface SlotWriter {
  stopRequest(): StopRequest;
  isPaused(): boolean;
  /** Bytes per second; null: no limit. */
  limit(): number | null;
  /**
   * Sleeps until a request arrives or the timeout ends. Read `wakeCount()` before you check the requests, and
   * pass it: then the sleep misses no request.
   */
  sleep(wakeCount: number, timeoutMs: number): void;
  /** Counts the requests so far. */
  wakeCount(): number;
  setState(state: SlotState): void;
  /** Starts a phase: done, durable and total change together. */
  begin(phase: CopyPhaseName, at: { totalBytes: bigint | null; doneBytes: bigint }): void;
  set(counter: Counter, value: bigint): void;
  touch(): void;
}

export function openSlot(memory: SharedArrayBuffer): SlotWriter {
  const { int32, int64 } = createViews(memory);
  const touch = (): void => {
    Atomics.store(int64, longCells.progressAt, process.hrtime.bigint());
  };
  return {
    stopRequest: () => stopRequests[Atomics.load(int32, stopCell)] ?? 'none',
    isPaused: () => Atomics.load(int32, pauseCell) === 1,
    limit() {
      const limit = Atomics.load(int64, longCells.limit);
      return limit === unknownValue ? null : Number(limit);
    },
    wakeCount: () => Atomics.load(int32, wakeCell),
    sleep(wakeCount, timeoutMs) {
      Atomics.wait(int32, wakeCell, wakeCount, timeoutMs);
    },
    setState(state) {
      Atomics.store(int32, stateCell, states.indexOf(state));
    },
    begin(phase, { totalBytes, doneBytes }) {
      Atomics.add(int32, epochCell, 1);
      Atomics.store(int32, phaseCell, copyPhaseNames.indexOf(phase));
      Atomics.store(int64, longCells.total, totalBytes ?? unknownValue);
      Atomics.store(int64, longCells.done, doneBytes);
      Atomics.store(int64, longCells.durable, phase === 'transfer' ? doneBytes : 0n);
      Atomics.store(int64, longCells.phaseAt, process.hrtime.bigint());
      Atomics.add(int32, epochCell, 1);
      touch();
    },
    set(counter, value) {
      Atomics.store(int64, longCells[counter], value);
      touch();
    },
    touch,
  };
}
