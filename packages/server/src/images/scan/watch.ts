import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { OnError } from '@wcc/progress/server';
import { repeat } from '../../concurrency/repeat.ts';
import type { RepeatOptions } from '../../concurrency/repeat.ts';
import { createNameQueue } from './name-queue.ts';
import type { NameQueue } from './name-queue.ts';

export interface PoolWatchOptions {
  /** Looks at files that may have appeared, changed or gone. Returns those that it must see again. */
  onNames: (names: readonly string[]) => Promise<readonly string[]>;
  /** Compares the whole directory. */
  onPoll: () => Promise<void>;
  onError: OnError;
  /** Interval of polling: NFS and some other file systems send no events. @default 30000 */
  pollMs?: number;
  /** Events within this time are one look. @default 1000 */
  settleMs?: number;
}

/** Says what may have changed in the directory of a pool. Does not keep the process alive. */
export interface PoolWatch {
  /** Watches a directory that is available, or available again. */
  attach(path: string): void;
  close(): void;
}

/** A pause is this many times as long as its look, so looks take a tenth of the time at most. */
const pausePerLook = 9;
/** A look may have waited for storage that hangs, or for another scan. That must not stop the next looks for long. */
const longestPauseMs = { names: 10_000, polls: 2 * 60_000 };
/** More names than this are compared as a whole directory. */
const maxNames = 500;
const shortestPauseMs = 250;

export function createPoolWatch(options: PoolWatchOptions): PoolWatch {
  const { onError, pollMs = 30_000 } = options;
  const names = createNameQueue(options);
  let watcher: FSWatcher | null = null;
  let path = '';
  const report = (error: unknown): void => onError(error, { stage: `pool ${path}: watch` });
  const pausing = (everyMs: number, longestMs: number): RepeatOptions => ({
    everyMs,
    onError: report,
    pauseAfter: (tookMs) => Math.max(everyMs, Math.min(tookMs * pausePerLook, longestMs), shortestPauseMs),
  });
  const stopNames = repeat(() => lookAtDue(names, options), pausing(shortestPauseMs, longestPauseMs.names));
  const stopPolls = repeat(options.onPoll, pausing(pollMs, longestPauseMs.polls));
  function detach(): void {
    watcher?.close();
    watcher = null;
  }
  return {
    attach(directory) {
      detach();
      path = directory;
      try {
        watcher = watch(directory, { persistent: false }, (event, name) => {
          // Hidden files are wcc's own partials and checkpoints, which change often.
          // A name that is not UTF-8 opens no file, so the next poll finds it.
          if (name !== null && !name.startsWith('.') && !name.includes('\u{fffd}')) names.add(name, event);
        });
        watcher.on('error', report);
      } catch (error) {
        report(error);
      }
    },
    close() {
      stopNames();
      stopPolls();
      detach();
    },
  };
}

async function lookAtDue(names: NameQueue, { onNames, onPoll }: PoolWatchOptions): Promise<void> {
  const due = names.takeDue();
  if (due.length > maxNames) return onPoll();
  if (due.length === 0) return;
  try {
    names.again(await onNames(due));
  } catch (error) {
    names.again(due);
    throw error;
  }
}
