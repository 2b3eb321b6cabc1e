import { atLeast, callback, integer, optional, readOptions, throwWrong } from '../contract/read-options.ts';
import type { Readers } from '../contract/read-options.ts';
import { createBatchWriter } from './batch-writer.ts';
import type { BatchWriter } from './batch-writer.ts';
import { createDurability } from './durability.ts';
import type { Durability, Limit } from './durability.ts';
import type { PartialFile } from './partial-file.ts';

/** Options of `createDurableWriter`. */
export interface DurableWriterOptions {
  file: PartialFile;
  /** Offset of the first byte in the file. @default `file.offsetBytes` */
  offsetBytes?: number;
  /**
   * Bytes per write.
   * @default 262144, which is still in the processor's cache when the kernel copies it
   */
  batchBytes?: number;
  /**
   * Maximum bytes that are received but not durable, and so lost by a crash. The offset becomes durable at half of
   * them, so that bytes can arrive until then.
   * @default 268435456
   */
  atRiskBytes?: number;
  /**
   * Bytes after which a sync starts, one at a time. Small syncs keep the disk busy while bytes arrive, and leave
   * little for the end.
   * @default half of `atRiskBytes`
   */
  syncBytes?: number;
  /**
   * Time after which the offset becomes durable, even for a few bytes.
   * @default 2000
   */
  syncIntervalMs?: number;
  /**
   * Runs each `fdatasync`, for example with limited concurrency: each one occupies one of Node's threads for files.
   * @default runs it at once
   */
  limit?: Limit;
  /** A write or a sync has ended: offsets, `isFull` and `failure` may have changed. */
  onChange?: () => void;
}

/**
 * Writes bytes that arrive from elsewhere into a partial and makes them durable step by step. Every offset in
 * `durableBytes` survives a crash and a power cut.
 */
export interface DurableWriter {
  /** Every byte below this offset was passed to `write`. */
  readonly takenBytes: number;
  /** Every byte below this offset is written, but may not be durable. */
  readonly writtenBytes: number;
  /** Every byte below this offset is durable, and the sidecar says so. */
  readonly durableBytes: number;
  /** True: the caller should stop until `onChange` or `ready()`. */
  readonly isFull: boolean;
  /** The failed write, or else the failed sync; null: none has failed. */
  readonly failure: { error: unknown } | null;
  /**
   * Writes the chunk after all earlier ones. Never waits; see `ready`.
   * @param chunk must not be used afterwards: its memory is freed once it is written
   */
  write(chunk: Buffer): void;
  /** Resolves when the writer has room for more bytes, or after a failure. Never rejects. */
  ready(): Promise<void>;
  /** Resolves when all received bytes are written, or after a failure. Never rejects. */
  drained(): Promise<void>;
  /**
   * Makes all received bytes durable. After a failed write, it makes the bytes before that write durable,
   * unless they are held, and then rejects.
   * @throws the error of {@link failure}
   */
  flush(): Promise<void>;
  /**
   * While held, bytes are written and synced, but the sidecar records no new offset. Hold bytes that you may
   * roll back.
   */
  hold(isHeld: boolean): void;
  /** Discards all bytes that are not durable. Call it only when drained. @returns the durable offset */
  rollBack(): Promise<number>;
  /** Stops the sync timer. Call it before the file is closed. */
  close(): void;
}

const defaultBatchBytes = 256 * 1024;
const defaultAtRiskBytes = 256 * 1024 ** 2;
const defaultSyncIntervalMs = 2_000;

interface WriterSettings extends Required<
  Omit<DurableWriterOptions, 'offsetBytes' | 'syncBytes' | 'limit' | 'onChange'>
> {
  offsetBytes: number | undefined;
  syncBytes: number | undefined;
  limit: Limit | undefined;
  onChange: (() => void) | undefined;
}

const writerReaders: Readers<WriterSettings> = {
  file: readPartialFile,
  offsetBytes: optional(integer(Number.MAX_SAFE_INTEGER)),
  batchBytes: atLeast(1, defaultBatchBytes),
  atRiskBytes: atLeast(1, defaultAtRiskBytes),
  syncBytes: optional(atLeast(1)),
  syncIntervalMs: atLeast(1, defaultSyncIntervalMs),
  limit: callback(),
  onChange: callback(),
};

function readPartialFile(value: unknown, name: string): PartialFile {
  const isPartial = typeof value === 'object' && value !== null && 'handle' in value && 'record' in value;
  return isPartial ? (value as PartialFile) : throwWrong(name, 'the result of create() or open()', value);
}

/** @throws CopyError `invalid_option` for sizes or an interval below 1, and any other wrong option */
export function createDurableWriter(options: DurableWriterOptions): DurableWriter {
  return new Writer(options);
}

class Writer implements DurableWriter {
  readonly #batches: BatchWriter;
  readonly #durability: Durability;
  readonly #atRiskBytes: number;
  readonly #syncBytes: number;
  readonly #syncIntervalMs: number;
  readonly #onChange: () => void;
  #isHeld = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: DurableWriterOptions) {
    const read = readOptions(options, writerReaders);
    const { file, batchBytes } = read;
    const offsetBytes = read.offsetBytes ?? file.offsetBytes;
    this.#atRiskBytes = read.atRiskBytes;
    this.#syncBytes = read.syncBytes ?? read.atRiskBytes / 2;
    this.#syncIntervalMs = read.syncIntervalMs;
    this.#onChange = read.onChange ?? (() => {});
    this.#batches = createBatchWriter({
      handle: file.handle,
      offsetBytes,
      batchBytes,
      onWritten: () => this.#afterWrite(),
    });
    this.#durability = createDurability({
      file,
      offsetBytes,
      writtenBytes: () => this.#batches.writtenBytes,
      recordBytes: read.atRiskBytes / 2,
      limit: read.limit ?? ((work) => work()),
      onSynced: () => this.#afterSync(),
    });
  }

  get takenBytes(): number {
    return this.#batches.takenBytes;
  }

  get writtenBytes(): number {
    return this.#batches.writtenBytes;
  }

  get durableBytes(): number {
    return this.#durability.durableBytes;
  }

  get isFull(): boolean {
    return this.#batches.isFull || this.#atRisk >= this.#atRiskBytes;
  }

  get failure(): DurableWriter['failure'] {
    return this.#batches.failure ?? this.#durability.failure;
  }

  /** Bytes that a crash would lose. Held ones never become durable, so for them the sync counts. */
  get #atRisk(): number {
    const { syncedBytes, durableBytes } = this.#durability;
    return this.#batches.takenBytes - (this.#isHeld ? syncedBytes : durableBytes);
  }

  write(chunk: Buffer): void {
    this.#batches.put(chunk);
    this.#armTimer();
  }

  async ready(): Promise<void> {
    while (this.isFull && this.failure === null) {
      await this.#batches.push();
      if (this.isFull && !this.#batches.isFull) await this.#durability.startRecord();
    }
  }

  drained(): Promise<void> {
    return this.#batches.drained();
  }

  async flush(): Promise<void> {
    await this.#batches.drained();
    const { failure } = this.#batches;
    if (failure === null) return this.#durability.sync();
    if (!this.#isHeld) await this.#durability.sync().catch(() => {});
    throw failure.error;
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#durability.hold(isHeld);
  }

  async rollBack(): Promise<number> {
    const offsetBytes = await this.#durability.rollBack();
    this.#batches.reset(offsetBytes);
    return offsetBytes;
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #afterWrite(): void {
    this.#startSync();
    this.#onChange();
  }

  /** While the caller waits for room, no write starts the next sync. */
  #startSync(): void {
    if (this.#atRisk >= this.#atRiskBytes) void this.#durability.startRecord();
    else void this.#durability.start(this.#syncBytes);
  }

  #afterSync(): void {
    if (!this.#isClosed) this.#startSync();
    this.#armTimer();
    this.#onChange();
  }

  #armTimer(): void {
    if (this.#timer !== null || this.#isClosed || this.failure !== null || this.#atRisk === 0) return;
    this.#timer = setTimeout(() => void this.#syncByTime(), this.#syncIntervalMs);
    this.#timer.unref();
  }

  async #syncByTime(): Promise<void> {
    await this.#batches.push();
    this.#timer = null;
    if (this.#isClosed) return;
    await this.#durability.startRecord();
    this.#armTimer();
  }
}
