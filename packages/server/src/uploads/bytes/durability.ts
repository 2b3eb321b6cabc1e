import type { ReceivedFile } from '@wcc/copy';
import type { ByteSink } from './sink.ts';
import type { Gate } from './gate.ts';

/** So much may be taken and not yet on the disk: what a crash can cost at most. */
export const mostAtRiskBytes: number = 256 * 1024 ** 2;
/** A sync begins at half of it, so that bytes come in while it runs. */
const syncBytes = mostAtRiskBytes / 2;
/** A sync begins so often, however little has come. */
export const syncMs = 2_000;

/**
 * The durable-offset rule. Before anybody hears of offset N: (1) every byte below N is written without holes;
 * (2) an `fdatasync` that was issued after those writes has succeeded; (3) N stands in the sidecar, and its
 * directory is synced.
 */
export interface Durability {
  readonly durableBytes: number;
  /** Monotonic time at which the offset moved last. */
  readonly movedAtMs: number;
  /** A sync failed: what later ones say of earlier bytes cannot be trusted any more. */
  readonly hasFailed: boolean;
  /** Bytes on the disk, recorded or not. */
  readonly syncedBytes: number;
  /** Begins a sync, when so much has gathered or the time has come; failures show in {@link hasFailed}. */
  nudge(options?: { isTime: boolean }): void;
  /** Makes durable all that is written, now. */
  sync(): Promise<void>;
  /** While held, bytes go to the disk but no offset beyond the present one is recorded. */
  hold(isHeld: boolean): void;
  /** Cuts off all that is not durable; only when nothing is being written. @returns the offset */
  rollBack(): Promise<number>;
}

export interface DurabilityOptions {
  file: ReceivedFile;
  sink: () => ByteSink;
  gate: Gate;
  /** A sync has ended: there may be room for more. */
  onSynced: () => void;
}

export function createDurability({ file, sink, gate, onSynced }: DurabilityOptions): Durability {
  let durableBytes = file.offsetBytes;
  let syncedBytes = file.offsetBytes;
  let movedAtMs = performance.now();
  let isHeld = false;
  let hasFailed = false;
  let running: Promise<void> | null = null;

  async function syncOnce(): Promise<void> {
    if (hasFailed) throw new Error('an earlier sync of this file has failed');
    // (1) Read before the sync is issued: what is written meanwhile is the next one's.
    const { writtenBytes } = sink();
    try {
      if (writtenBytes !== syncedBytes) await gate(() => file.handle.datasync()); // (2)
      syncedBytes = writtenBytes;
      if (isHeld || writtenBytes === durableBytes) return;
      await file.record(writtenBytes); // (3)
    } catch (error) {
      hasFailed = true;
      throw error;
    }
    durableBytes = writtenBytes;
    movedAtMs = performance.now();
  }
  function start(): Promise<void> {
    running = syncOnce().finally(() => {
      running = null;
      onSynced();
    });
    return running;
  }

  return {
    get durableBytes() {
      return durableBytes;
    },
    get movedAtMs() {
      return movedAtMs;
    },
    get hasFailed() {
      return hasFailed;
    },
    get syncedBytes() {
      return syncedBytes;
    },
    nudge({ isTime } = { isTime: false }) {
      const gatheredBytes = sink().writtenBytes - syncedBytes;
      if (running !== null || hasFailed || gatheredBytes < (isTime ? 1 : syncBytes)) return;
      // The failure is met again by whoever waits for the bytes.
      start().catch(() => {});
    },
    async sync() {
      // One that runs may have begun before the last bytes were written.
      await running?.catch(() => {});
      await start();
    },
    hold: (held) => void (isHeld = held),
    async rollBack() {
      await running?.catch(() => {});
      await file.handle.truncate(durableBytes);
      syncedBytes = durableBytes;
      return durableBytes;
    },
  };
}
