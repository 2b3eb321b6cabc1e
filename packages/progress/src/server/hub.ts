import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { GoneReason, MeterOptions, Snapshot, SnapshotView } from '@wcc/progress';
import { ProgressError, createOperationId, isTerminal } from '@wcc/progress';
import { createEntry } from './hub/entry.ts';
import type { Entry } from './hub/entry.ts';
import { createListeners } from './hub/listeners.ts';
import type { Listeners } from './hub/listeners.ts';
import { createPulls } from './hub/sources.ts';
import type { Pulls } from './hub/sources.ts';
import type { OperationRecord } from './hub/record.ts';
import { createRetention } from './hub/retention.ts';
import { warnOnError } from './on-error.ts';
import type { OnError } from './on-error.ts';
import { createTicker } from './hub/ticker.ts';
import type { Ticker } from './hub/ticker.ts';

export interface HubOptions {
  /**
   * Names the life of this hub. Must differ from every earlier one: a client takes `seq` anew with it.
   * @default 128 random bits
   */
  epoch?: string;
  /**
   * Shortest time between two looks at the operations. Grows by itself when the event loop is late.
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
  /** @default written to the process as a warning */
  onError?: OnError;
}

/**
 * The latest state of every operation. Latest value wins and nobody waits: publishers write, watchers are
 * told once per tick, and what came in between is skipped.
 */
export interface Hub {
  readonly epoch: string;
  /**
   * Puts the record as it is now. Raises `seq` when anything visible differs from the held snapshot. An
   * ended operation stays as it ended: another state is reported to `onError` and not taken.
   *
   * @returns the snapshot that watchers see from the next tick on
   * @throws {ProgressError} `hub_closed`
   */
  put(record: OperationRecord): Snapshot;
  /**
   * Reads the record at each tick, so that the work itself never calls out. Ends by itself when the
   * operation has ended.
   *
   * @returns stops it
   */
  pull(id: string, read: () => OperationRecord | null): () => void;
  /** With full texts; ended operations stay for more than ten minutes. */
  get(id: string): Snapshot | undefined;
  list(): Iterable<Snapshot>;
  /** Nobody may see it any more, or it exists no longer. */
  gone(id: string, why: GoneReason): void;
  onGone(listener: (id: string, why: GoneReason) => void): () => void;
  /**
   * The snapshot as it goes over the wire, serialised once for all watchers of a view, at most 2 KiB.
   * @param view @default 'full'
   */
  bytes(id: string, view?: SnapshotView): Buffer | undefined;
  /** Called once per tick with what changed. */
  onChange(listener: (ids: ReadonlySet<string>) => void): () => void;
  /** Called when ended operations leave the memory; their watchers keep what they have. */
  onRetire(listener: (ids: readonly string[]) => void): () => void;
  /** Lets every connection ask anew what its principal may watch. */
  reauthorize(filter?: (principal: unknown) => boolean): void;
  onReauthorize(listener: (filter?: (principal: unknown) => boolean) => void): () => void;
  /** What the tick does, now. */
  flush(): void;
  /** Forgets ended operations that are old enough; comes by itself every 30 s. */
  retire(): void;
  /** Pause before the next tick, in ms: more than `tickMs` when the event loop is late. */
  readonly tickMs: number;
  close(): void;
}

const retentionEveryMs = 30_000;

/** Makes a hub. It keeps no process alive and needs `close()` only to end early. */
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
  readonly #pulls: Pulls;
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
    this.#pulls = createPulls((record) => void this.#take(record, 'pull'), report('pull'));
    this.#ticker = createTicker(options.tickMs ?? 100, () => {
      this.flush();
      return this.#pulls.size() > 0 || this.#dirty.size > 0;
    });
    this.#retiring = setInterval(() => this.retire(), retentionEveryMs).unref();
  }

  get tickMs(): number {
    return this.#ticker.intervalMs();
  }

  put(record: OperationRecord): Snapshot {
    if (this.#closed) throw new ProgressError('hub_closed');
    const snapshot = this.#take(record, 'put');
    this.#ticker.arm();
    return snapshot;
  }

  pull(id: string, read: () => OperationRecord | null): () => void {
    const stop = this.#pulls.add(id, read);
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
    this.#pulls.stop(id);
    this.#dirty.delete(id);
    this.#retention.forget(id);
    this.#entries.delete(id);
    // Told of one that is not held as well: somebody may watch it through `lookup`.
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
    this.#pulls.readAll();
    if (this.#dirty.size === 0) return;
    const ids = this.#dirty;
    this.#dirty = new Set();
    this.#changed.call(ids);
  }

  retire(): void {
    // Watchers hear of an end before it is forgotten.
    this.flush();
    const ids = this.#retention.due(this.#now());
    for (const id of ids) this.#entries.delete(id);
    if (ids.length > 0) this.#retired.call(ids);
  }

  close(): void {
    this.#closed = true;
    this.#ticker.stop();
    clearInterval(this.#retiring);
    this.#pulls.clear();
    for (const listeners of [this.#changed, this.#retired, this.#gone, this.#reauthorizing])
      listeners.clear();
  }

  #take(record: OperationRecord, stage: 'put' | 'pull'): Snapshot {
    const held = this.#entries.get(record.id);
    if (held !== undefined && endedOtherwise(held, record)) {
      // A pull that read just before the end is no defect; a put is.
      const detail = `${record.id}: ${held.snapshot().state} → ${record.state}`;
      if (stage === 'put') this.#onError(new ProgressError('terminal_replaced', { detail }), { stage });
      return held.snapshot();
    }
    const entry = held ?? this.#enter(record, stage);
    if (held?.take(record, this.#now()) ?? true) this.#dirty.add(record.id);
    const endedAtMs = entry.endedAtMs();
    if (endedAtMs !== null) {
      this.#retention.ended(record.id, endedAtMs);
      this.#pulls.stop(record.id);
    }
    return entry.snapshot();
  }

  #enter(record: OperationRecord, stage: string): Entry {
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

function endedOtherwise(held: Entry, record: OperationRecord): boolean {
  const { state } = held.snapshot();
  return isTerminal(state) && record.state !== state;
}
