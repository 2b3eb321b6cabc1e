import { assertSpace } from '../reserve/space.ts';
import { setCheckpoint } from '../resume/sidecar.ts';
import { waitWhilePaused } from '../run/control.ts';
import { beginPhase, extentsOf, withDestinationErrors, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { chooseMethod } from './choose-method.ts';
import { createPacer } from './limit.ts';
import { createMover } from './mover.ts';
import type { Mover } from './read-write.ts';
import { preallocate } from './preallocate.ts';
import { createWindowSize } from './window-size.ts';
import { createWriteBack } from './write-back.ts';
import type { Window, WriteBack } from './write-back.ts';

/** Copies the data window by window. Checks the caller's requests between two windows. */
export function transfer(run: CopyRun): void {
  run.facts.method = chooseMethod(run);
  assertSpace(run);
  beginPhase(run, 'transfer', run.dataBytes);
  if (run.request.preallocate) preallocate(run);
  const writeBack = createWriteBack(run);
  let done = run.copiedBytes;
  const credit = (bytes: bigint): void => {
    done += bytes;
    run.slot.set('done', done);
  };
  try {
    copyWindows(run, { writeBack, credit });
    credit(writeBack.drain());
  } finally {
    reportZeros(run);
  }
  run.copiedOffset = sourceOf(run).stat.size;
}

interface TransferProgress {
  writeBack: WriteBack;
  credit: (bytes: bigint) => void;
}

function copyWindows(run: CopyRun, { writeBack, credit }: TransferProgress): void {
  const move = createMover(run);
  const sizes = createWindowSize();
  const pacer = createPacer(run);
  const checkpoints = createCheckpointClock(run);
  const settle = (): void => {
    credit(writeBack.drain());
    checkpoints.set();
  };
  for (;;) {
    pacer.wait();
    if (waitWhilePaused(run, settle)) continue;
    const startedMs = performance.now();
    const sizeBytes = sizes.next(run.slot.limit());
    const window = copyWindow(run, move, sizeBytes);
    if (window.bytes === 0n) return;
    credit(writeBack.add(window));
    const filled = Number(window.bytes) / sizeBytes;
    if (filled === 1 || window.isCut) sizes.learn((performance.now() - startedMs) / filled);
    pacer.spent(Number(window.bytes));
    if (checkpoints.isDue()) settle();
  }
}

/** Maximum time of a window. Without it, many small extents on a slow disk could take minutes. */
const windowDeadlineMs = 100;

/** Copies up to `sizeBytes` of data from one or more extents. */
function copyWindow(run: CopyRun, move: Mover, sizeBytes: number): Window & { isCut: boolean } {
  const extents = extentsOf(run);
  let rest = BigInt(sizeBytes);
  let start: bigint | null = null;
  const deadlineMs = performance.now() + windowDeadlineMs;
  let isCut = false;
  while (rest > 0n && !isCut) {
    const extent = extents.next(run.copiedOffset);
    if (extent === null) break;
    const end = extent.end - extent.start > rest ? extent.start + rest : extent.end;
    start ??= extent.start;
    run.writtenBytes += move({ start: extent.start, end });
    rest -= end - extent.start;
    run.copiedOffset = end;
    run.copiedBytes += end - extent.start;
    run.slot.set('written', run.writtenBytes);
    isCut = performance.now() > deadlineMs;
  }
  return { start: start ?? run.copiedOffset, end: run.copiedOffset, bytes: BigInt(sizeBytes) - rest, isCut };
}

interface CheckpointClock {
  isDue(): boolean;
  set(): void;
}

function createCheckpointClock(run: CopyRun): CheckpointClock {
  const { durable, checkpointBytes, checkpointIntervalMs } = run.request;
  let atMs = performance.now();
  let atBytes = run.copiedBytes;
  return {
    isDue() {
      if (!durable || run.copiedBytes === run.dataBytes) return false; // the flush follows
      const sinceBytes = run.copiedBytes - atBytes;
      return sinceBytes >= BigInt(checkpointBytes) || performance.now() - atMs >= checkpointIntervalMs;
    },
    set() {
      if (!durable) return;
      withDestinationErrors(run, () => setCheckpoint(run), run.copiedOffset);
      atMs = performance.now();
      atBytes = run.copiedBytes;
    },
  };
}

/** Reports zeros that were not written as skipped, because they are holes now. */
function reportZeros(run: CopyRun): void {
  const { size } = sourceOf(run).stat;
  if (run.copiedBytes > run.writtenBytes) {
    run.slot.set('skipped', size - run.dataBytes + run.copiedBytes - run.writtenBytes);
  }
}
