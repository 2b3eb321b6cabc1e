import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { OnError } from '@wcc/progress/server';

export interface PoolWatchOptions {
  onHint: () => void;
  onError: OnError;
  /** Interval of polling: NFS and some other file systems send no events. @default 30000 */
  pollMs?: number;
  /** Events within this time are one hint. @default 1000 */
  settleMs?: number;
}

/** Calls `onHint` when the directory of a pool may have changed. Does not keep the process alive. */
export interface PoolWatch {
  /** Watches a directory that is available, or available again. */
  attach(path: string): void;
  close(): void;
}

export function createPoolWatch(options: PoolWatchOptions): PoolWatch {
  const { onHint, onError, pollMs = 30_000, settleMs = 1_000 } = options;
  let watcher: FSWatcher | null = null;
  let settling: NodeJS.Timeout | null = null;
  const polling = setInterval(onHint, pollMs).unref();

  function hint(): void {
    settling ??= setTimeout(() => {
      settling = null;
      onHint();
    }, settleMs).unref();
  }
  function detach(): void {
    watcher?.close();
    watcher = null;
  }
  return {
    attach(path) {
      detach();
      try {
        watcher = watch(path, { persistent: false }, (_event, name) => {
          // Hidden files are wcc's own partials and checkpoints, which change often.
          if (name === null || !name.startsWith('.')) hint();
        });
        watcher.on('error', (error) => onError(error, { stage: `pool ${path}: watch` }));
      } catch (error) {
        onError(error, { stage: `pool ${path}: watch` });
      }
    },
    close() {
      clearInterval(polling);
      if (settling) clearTimeout(settling);
      detach();
    },
  };
}
