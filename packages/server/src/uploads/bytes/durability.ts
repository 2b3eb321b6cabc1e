import type { ReceivedFile } from '@wcc/copy';
import type { ByteSink } from './sink.ts';
import type { Gate } from './limiter.ts';

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

export function createDurability(options: DurabilityOptions): Durability {
  return new Syncs(options);
}

class Syncs implements Durability {
  readonly #options: DurabilityOptions;
  #isHeld = false;
  #running: Promise<void> | null = null;
  durableBytes: number;
  syncedBytes: number;
  movedAtMs = performance.now();
  hasFailed = false;

  constructor(options: DurabilityOptions) {
    this.#options = options;
    this.durableBytes = options.file.offsetBytes;
    this.syncedBytes = options.file.offsetBytes;
  }

  nudge({ isTime } = { isTime: false }): void {
    const gatheredBytes = this.#options.sink().writtenBytes - this.syncedBytes;
    if (this.#running !== null || this.hasFailed || gatheredBytes < (isTime ? 1 : syncBytes)) return;
    // The failure is met again by whoever waits for the bytes.
    this.#start().catch(() => {});
  }

  async sync(): Promise<void> {
    // One that runs may have begun before the last bytes were written.
    await this.#running?.catch(() => {});
    await this.#start();
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  async rollBack(): Promise<number> {
    await this.#running?.catch(() => {});
    await this.#options.file.handle.truncate(this.durableBytes);
    this.syncedBytes = this.durableBytes;
    return this.durableBytes;
  }

  #start(): Promise<void> {
    this.#running = this.#syncOnce().finally(() => {
      this.#running = null;
      this.#options.onSynced();
    });
    return this.#running;
  }

  async #syncOnce(): Promise<void> {
    if (this.hasFailed) throw new Error('an earlier sync of this file has failed');
    const { file, sink, gate } = this.#options;
    // (1) Read before the sync is issued: what is written meanwhile is the next one's.
    const { writtenBytes } = sink();
    try {
      if (writtenBytes !== this.syncedBytes) await gate(() => file.handle.datasync()); // (2)
      this.syncedBytes = writtenBytes;
      if (this.#isHeld || writtenBytes === this.durableBytes) return;
      await file.record(writtenBytes); // (3)
    } catch (error) {
      this.hasFailed = true;
      throw error;
    }
    this.durableBytes = writtenBytes;
    this.movedAtMs = performance.now();
  }
}
