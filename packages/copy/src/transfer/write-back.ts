import { fdatasyncSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Extent } from '../run/extent-list.ts';
import type { FileRange, Kernel } from '../kernel/calls.ts';
import { systemCode } from '../kernel/errno.ts';
import { withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

/** A copied window. */
export interface Window extends Extent {
  bytes: bigint;
}

export interface WriteBack {
  /** Adds a copied window. Returns the number of data bytes with completed write-back. */
  add(window: Window): bigint;
  /** Waits for the remaining write-back. Returns its data bytes. */
  drain(): bigint;
}

/** Files larger than a quarter of the memory drop their pages, or they would evict the rest of the page cache. */
const cacheShare = 4;

/** Writes back while copying, so that dirty pages stay bounded and the last flush is short. */
export function createWriteBack(run: CopyRun): WriteBack {
  if (!run.request.durable) return { add: (window) => window.bytes, drain: () => 0n };
  if (run.kernel === null) return syncEachWindow(run);
  return syncOneBehind(run, run.kernel);
}

function syncEachWindow(run: CopyRun): WriteBack {
  return {
    add(window) {
      runFlush(run, window.start, () => fdatasyncSync(partialOf(run).fd));
      return window.bytes;
    },
    drain: () => 0n,
  };
}

/** Starts the write-back of the new window, then waits for that of the previous one. */
function syncOneBehind(run: CopyRun, kernel: Kernel): WriteBack {
  const { fd } = partialOf(run);
  const dropsCache = run.dataBytes > BigInt(Math.floor(totalmem() / cacheShare));
  let pending: Window | null = null;
  const settle = (): bigint => {
    if (pending === null) return 0n;
    const { bytes } = pending;
    const range = rangeOf(fd, pending);
    runFlush(run, pending.start, () => kernel.awaitWriteBack(range));
    if (dropsCache) {
      kernel.dropCache(range);
      kernel.dropCache({ ...range, fd: sourceOf(run).fd });
    }
    pending = null;
    return bytes;
  };
  return {
    add(window) {
      const range = rangeOf(fd, window);
      runFlush(run, window.start, () => kernel.startWriteBack(range));
      const settled = settle();
      pending = window;
      return settled;
    },
    drain: settle,
  };
}

function rangeOf(fd: number, window: Window): FileRange {
  return { fd, offset: window.start, lengthBytes: window.end - window.start };
}

/** Errors of file systems without sync_file_range. The final flush then writes everything back. */
const unsupportedCodes: ReadonlySet<string> = new Set([
  'ESPIPE',
  'EINVAL',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUP',
]);

function runFlush(run: CopyRun, offset: bigint, step: () => void): void {
  withDestinationErrors(
    run,
    () => {
      try {
        step();
      } catch (error) {
        if (unsupportedCodes.has(systemCode(error) ?? '')) return;
        run.flushFailed = true;
        throw error;
      }
    },
    offset,
  );
}
