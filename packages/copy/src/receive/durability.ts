import type { PartialFile } from './partial-file.ts';

/** Runs work now or later, for example with limited concurrency. */
export type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * The durable-offset rule. Before a caller sees offset N: (1) every byte below N is written without holes; (2) an
 * `fdatasync` that was issued after those writes has succeeded; (3) the sidecar contains N, and its directory is
 * synced.
 */
export interface Durability {
  readonly durableBytes: number;
  /** Bytes that are on the disk, whether or not the sidecar records them. */
  readonly syncedBytes: number;
  /**
   * The first sync that failed; null: none has failed. Later syncs do not prove that the bytes before it are
   * durable.
   */
  readonly failure: { error: unknown } | null;
  /**
   * Starts a sync if at least `leastBytes` have been written since the last one and none is running. The sidecar
   * records its offset when `recordBytes` are not recorded. Resolves when no sync is running; never rejects, see
   * {@link failure}.
   */
  start(leastBytes: number): Promise<void>;
  /** Like `start(1)`, but the sidecar records the offset of the next sync, also of few bytes. */
  startRecord(): Promise<void>;
  /** Makes all written bytes durable now. @throws the first failure */
  sync(): Promise<void>;
  /** While held, bytes are written and synced, but the sidecar records no new offset. */
  hold(isHeld: boolean): void;
  /** Cuts off all bytes that are not durable. Call it only while nothing is being written. @returns the offset */
  rollBack(): Promise<number>;
}

export interface DurabilityOptions {
  file: PartialFile;
  offsetBytes: number;
  writtenBytes: () => number;
  /** Synced bytes after which the sidecar records the offset. */
  recordBytes: number;
  limit: Limit;
  /** A sync has ended, successfully or not. */
  onSynced: () => void;
}

export function createDurability(options: DurabilityOptions): Durability {
  return new Syncs(options);
}

class Syncs implements Durability {
  readonly #options: DurabilityOptions;
  #isHeld = false;
  #isRecordDue = false;
  #running: Promise<void> | null = null;
  durableBytes: number;
  syncedBytes: number;
  failure: Durability['failure'] = null;

  constructor(options: DurabilityOptions) {
    this.#options = options;
    this.durableBytes = options.offsetBytes;
    this.syncedBytes = options.offsetBytes;
  }

  async start(leastBytes: number): Promise<void> {
    const unsyncedBytes = this.#options.writtenBytes() - this.syncedBytes;
    if (this.#running === null && this.failure === null && unsyncedBytes >= leastBytes) this.#launch();
    await this.#running;
  }

  async startRecord(): Promise<void> {
    this.#isRecordDue = true;
    while (this.#isRecordDue && this.failure === null && this.#isBehind) {
      if (this.#running === null) this.#launch();
      await this.#running;
    }
  }

  async sync(): Promise<void> {
    // A running sync may have started before the last bytes were written. No other may start between its end and this one.
    while (this.#running !== null) await this.#running;
    this.#isRecordDue = true;
    if (this.failure === null) this.#launch();
    await this.#idle();
    if (this.failure !== null) throw this.failure.error;
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  async rollBack(): Promise<number> {
    await this.#idle();
    await this.#options.file.handle.truncate(this.durableBytes);
    this.syncedBytes = this.durableBytes;
    return this.durableBytes;
  }

  get #isBehind(): boolean {
    return this.#options.writtenBytes() > (this.#isHeld ? this.syncedBytes : this.durableBytes);
  }

  /** One sync can follow another. */
  async #idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  #launch(): void {
    this.#running = this.#syncOnce()
      .catch((error: unknown) => void (this.failure = { error }))
      .finally(() => {
        this.#running = null;
        this.#options.onSynced();
      });
  }

  async #syncOnce(): Promise<void> {
    const { file, limit, recordBytes } = this.#options;
    // (1) Read before the sync is issued: bytes written during it belong to the next sync.
    const writtenBytes = this.#options.writtenBytes();
    if (writtenBytes !== this.syncedBytes) await limit(() => file.handle.datasync()); // (2)
    this.syncedBytes = writtenBytes;
    const unrecordedBytes = writtenBytes - this.durableBytes;
    const mustRecord = this.#isRecordDue || unrecordedBytes >= recordBytes;
    this.#isRecordDue = false;
    if (this.#isHeld || unrecordedBytes === 0 || !mustRecord) return;
    await file.record(writtenBytes); // (3)
    this.durableBytes = writtenBytes;
  }
}
