import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { GoneReason, MeterOptions, Snapshot, SnapshotView } from '@wcc/progress';
import { ProgressError, createOperationId, isTerminal } from '@wcc/progress';
import { createEntry } from './hub/entry.ts';
import type { Entry } from './hub/entry.ts';
import { createListeners } from './hub/listeners.ts';
import type { Listeners } from './hub/listeners.ts';
import { createSources } from './hub/sources.ts';
import type { Sources } from './hub/sources.ts';
import type { OperationRecord } from './hub/record.ts';
import { createRetention } from './hub/retention.ts';
import { warnOnError } from './on-error.ts';
import type { OnError } from './on-error.ts';
import { createTicker } from './hub/ticker.ts';
import type { Ticker } from './hub/ticker.ts';

/** Options of {@link createHub}. */
export interface HubOptions {
  /**
   * Identifies this hub. Must differ from all earlier ones, because clients accept any `seq` of a new epoch.
   * @default 128 random bits
   */
  epoch?: string;
  /**
   * Minimum time between two ticks. The hub extends it when the event loop is busy.
   * @default 100
   */
  tickMs?: number;
  /**
   * Options of the meter behind rate and ETA, by action. A shorter half-life follows a changing network sooner.
   * @default those of {@link createMeter}
   */
  meter?: (action: string) => MeterOptions;
  /** Monotonic clock in milliseconds. @default performance.now */
  now?: () => number;
  /** @default emits a process warning */
  onError?: OnError;
}

/**
 * The latest state of every operation. Publishers write and never wait. Watchers are notified once per tick with
 * the newest state; states in between are skipped.
 */
export interface Hub {
  readonly epoch: string;
  /**
   * Stores the current record. Increases `seq` if anything visible changed. An ended operation keeps its state:
   * another one is reported to `onError` and ignored.
   *
   * @returns the snapshot that watchers receive at the next tick
   * @throws {ProgressError} `hub_closed`
   */
  put(record: OperationRecord): Snapshot;
  /**
   * Reads the record at each tick, so the work itself never calls the hub. Stops when the operation ends.
   *
   * @param read returns the current record, or `null` if there is none
   * @returns a function that stops the reading
   */
  pull(id: string, read: () => OperationRecord | null): () => void;
  /** The newest snapshot, with full texts. Ended operations stay for more than ten minutes. */
  get(id: string): Snapshot | undefined;
  /** The newest snapshots of all operations. */
  list(): Iterable<Snapshot>;
  /** Removes an operation that was deleted or that no one may see any more. */
  gone(id: string, why: GoneReason): void;
  /** Called when an operation was removed by `gone`. */
  onGone(listener: (id: string, why: GoneReason) => void): () => void;
  /**
   * The serialised snapshot, at most 2 KiB. Each view is serialised once for all its watchers.
   * @param view @default 'full'
   */
  bytes(id: string, view?: SnapshotView): Buffer | undefined;
  /** Called at most once per tick with the ids of all changed operations. */
  onChange(listener: (ids: ReadonlySet<string>) => void): () => void;
  /** Called when ended operations are removed from memory; watchers keep their last snapshot. */
  onRetire(listener: (ids: readonly string[]) => void): () => void;
  /** Makes every connection check its rights again; `filter` selects principals. */
  reauthorize(filter?: (principal: unknown) => boolean): void;
  /** Called by `reauthorize`. */
  onReauthorize(listener: (filter?: (principal: unknown) => boolean) => void): () => void;
  /** Runs a tick now. */
  flush(): void;
  /** Removes ended operations that are old enough. The hub calls it every 30 s. */
  retire(): void;
  /** Time until the next tick, in ms; more than the option `tickMs` when the event loop is busy. */
  readonly tickMs: number;
  /** Stops timers and listeners; `put` throws afterwards. */
  close(): void;
}

const retentionEveryMs = 30_000;

/** Creates a hub. It does not keep the process alive. */
export function createHub(options: HubOptions = {}): Hub {
  return new LatestValueHub(options);
}

type ReauthorizeFilter = (principal: unknown) => boolean;

class LatestValueHub implements Hub {
  readonly epoch: string;
  readonly #now: () => number;
  readonly #onError: OnError;
  readonly #meterOptions: (action: string) => MeterOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #sources: Sources;
  readonly #retention = createRetention();
  readonly #ticker: Ticker;
  readonly #retiring: NodeJS.Timeout;
  readonly #changed: Listeners<[ReadonlySet<string>]>;
  readonly #retired: Listeners<[readonly string[]]>;
  readonly #gone: Listeners<[string, GoneReason]>;
  readonly #reauthorizing: Listeners<[filter?: ReauthorizeFilter]>;
  #dirty = new Set<string>();
  #closed = false;

  constructor(options: HubOptions) {
    this.epoch = options.epoch ?? createOperationId(randomBytes);
    this.#now = options.now ?? (() => performance.now());
    this.#onError = options.onError ?? warnOnError;
    this.#meterOptions = options.meter ?? (() => ({}));
    const report = (stage: string) => (error: unknown) => this.#onError(error, { stage });
    this.#changed = createListeners(report('change'));
    this.#retired = createListeners(report('retire'));
    this.#gone = createListeners(report('gone'));
    this.#reauthorizing = createListeners(report('reauthorize'));
    this.#sources = createSources((record) => void this.#update(record, 'pull'), report('pull'));
    this.#ticker = createTicker(options.tickMs ?? 100, () => {
      this.flush();
      return this.#sources.size() > 0 || this.#dirty.size > 0;
    });
    this.#retiring = setInterval(() => this.retire(), retentionEveryMs).unref();
  }

  get tickMs(): number {
    return this.#ticker.intervalMs();
  }

  put(record: OperationRecord): Snapshot {
    if (this.#closed) throw new ProgressError('hub_closed');
    const snapshot = this.#update(record, 'put');
    this.#ticker.arm();
    return snapshot;
  }

  pull(id: string, read: () => OperationRecord | null): () => void {
    const stop = this.#sources.add(id, read);
    this.#ticker.arm();
    return stop;
  }

  get(id: string): Snapshot | undefined {
    return this.#entries.get(id)?.snapshot();
  }

  *list(): Iterable<Snapshot> {
    for (const entry of this.#entries.values()) yield entry.snapshot();
  }

  bytes(id: string, view: SnapshotView = 'full'): Buffer | undefined {
    try {
      return this.#entries.get(id)?.bytes(view);
    } catch (error) {
      this.#onError(error, { stage: 'serialise' });
      return undefined;
    }
  }

  gone(id: string, why: GoneReason): void {
    this.#sources.stop(id);
    this.#dirty.delete(id);
    this.#retention.forget(id);
    this.#entries.delete(id);
    // Also for operations not in memory: a connection may watch them through `lookup`.
    this.#gone.call(id, why);
  }

  onGone(listener: (id: string, why: GoneReason) => void): () => void {
    return this.#gone.add(listener);
  }

  onChange(listener: (ids: ReadonlySet<string>) => void): () => void {
    return this.#changed.add(listener);
  }

  onRetire(listener: (ids: readonly string[]) => void): () => void {
    return this.#retired.add(listener);
  }

  reauthorize(filter?: ReauthorizeFilter): void {
    this.#reauthorizing.call(filter);
  }

  onReauthorize(listener: (filter?: ReauthorizeFilter) => void): () => void {
    return this.#reauthorizing.add(listener);
  }

  flush(): void {
    this.#sources.readAll();
    if (this.#dirty.size === 0) return;
    const ids = this.#dirty;
    this.#dirty = new Set();
    this.#changed.call(ids);
  }

  retire(): void {
    // Watchers receive the end before it is removed.
    this.flush();
    const ids = this.#retention.due(this.#now());
    for (const id of ids) this.#entries.delete(id);
    if (ids.length > 0) this.#retired.call(ids);
  }

  close(): void {
    this.#closed = true;
    this.#ticker.stop();
    clearInterval(this.#retiring);
    this.#sources.clear();
    for (const listeners of [this.#changed, this.#retired, this.#gone, this.#reauthorizing])
      listeners.clear();
  }

  #update(record: OperationRecord, stage: 'put' | 'pull'): Snapshot {
    const known = this.#entries.get(record.id);
    if (known !== undefined && hasOtherEnd(known, record)) {
      // A pull may read just before the end; a put after the end is a defect of the publisher.
      const detail = `${record.id}: ${known.snapshot().state} → ${record.state}`;
      if (stage === 'put') this.#onError(new ProgressError('terminal_replaced', { detail }), { stage });
      return known.snapshot();
    }
    const entry = known ?? this.#addEntry(record, stage);
    if (known?.update(record, this.#now()) ?? true) this.#dirty.add(record.id);
    const endedAtMs = entry.endedAtMs();
    if (endedAtMs !== null) {
      this.#retention.ended(record.id, endedAtMs);
      this.#sources.stop(record.id);
    }
    return entry.snapshot();
  }

  #addEntry(record: OperationRecord, stage: string): Entry {
    const report = (error: ProgressError): void => this.#onError(error, { stage });
    const entry = createEntry(record, {
      epoch: this.epoch,
      nowMs: this.#now(),
      meter: this.#meterOptions(record.action),
      report,
    });
    this.#entries.set(record.id, entry);
    return entry;
  }
}

function hasOtherEnd(known: Entry, record: OperationRecord): boolean {
  const { state } = known.snapshot();
  return isTerminal(state) && record.state !== state;
}
