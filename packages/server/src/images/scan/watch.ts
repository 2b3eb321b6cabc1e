import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { OnError } from '@wcc/progress/server';

export interface PoolWatchOptions {
  onHint: () => void;
  onError: OnError;
  /** Looks anyway after this long: NFS and some others tell nothing. @default 30000 */
  pollMs?: number;
  /** Hints that come together are one. @default 1000 */
  settleMs?: number;
}

/** Says when it is worth looking at a pool's directory again. Keeps no process alive. */
export interface PoolWatch {
  /** The directory is there (again): hints can be had from it. */
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
          // Hidden files are our own partials and checkpoints: they change all the time.
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
