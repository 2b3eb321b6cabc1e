import { performance } from 'node:perf_hooks';
import type { MeterOptions, Snapshot, StateReason } from '@wcc/progress';
import type { GoneReason, SnapshotView } from '@wcc/progress/protocol';
import { ProgressError, createOperationId, isTerminal } from '@wcc/progress';
import type { Hub, HubOptions } from './hub/contract.ts';
import { createEntry } from './hub/entry.ts';
import type { Entry } from './hub/entry.ts';
import { assertOptions } from './assert-options.ts';
import { createListeners } from './hub/listeners.ts';
import type { Listeners } from './hub/listeners.ts';
import { createSources } from './hub/sources.ts';
import type { Sources } from './hub/sources.ts';
import { assertStartOptions, runOperation } from './hub/operation.ts';
import type { Operation, StartOptions } from './hub/operation.ts';
import { assertRecord } from './hub/record.ts';
import type { OperationRecord } from './hub/record.ts';
import { OperationHandle, OperationRecorder } from './hub/recorder.ts';
import type { RecorderHost } from './hub/recorder.ts';
import { Relays } from './hub/relay.ts';
import { createRetention } from './hub/retention.ts';
import { warnOnError } from './on-error.ts';
import type { OnError } from './on-error.ts';
import { createTicker } from './hub/ticker.ts';
import type { Ticker } from './hub/ticker.ts';

export type { Hub, HubOptions } from './hub/contract.ts';

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
  readonly #recorders = new Map<string, OperationRecorder>();
  readonly #sources: Sources;
  readonly #retention = createRetention();
  readonly #relays: Relays;
  readonly #ticker: Ticker;
  readonly #retiring: NodeJS.Timeout;
  readonly #changed: Listeners<[ReadonlySet<string>]>;
  readonly #retired: Listeners<[readonly string[]]>;
  readonly #removed: Listeners<[string, GoneReason]>;
  readonly #reauthorizing: Listeners<[filter?: ReauthorizeFilter]>;
  #dirty = new Set<string>();
  #closed = false;

  constructor(options: HubOptions) {
    this.epoch = options.epoch ?? createOperationId();
    this.#now = options.now ?? (() => performance.now());
    this.#onError = options.onError ?? warnOnError;
    this.#meterOptions = options.meter ?? (() => ({}));
    const report = (stage: string) => (error: unknown) => this.#onError(error, { stage });
    this.#changed = createListeners(report('change'));
    this.#retired = createListeners(report('retire'));
    this.#removed = createListeners(report('remove'));
    this.#reauthorizing = createListeners(report('reauthorize'));
    this.#sources = createSources((record) => void this.#update(record, 'pull'), report('pull'));
    this.#relays = new Relays({
      own: (id) => this.#entries.get(id)?.snapshot(),
      release: (id) => this.#release(id),
      retention: this.#retention,
      now: this.#now,
      unreachableEpoch: createOperationId(),
      report: report('relay'),
    });
    this.#ticker = createTicker(options.tickMs ?? 100, () => {
      this.flush();
      return this.#sources.size() > 0 || this.#dirty.size > 0;
    });
    this.#retiring = setInterval(() => this.retire(), retentionEveryMs).unref();
  }

  get tickMs(): number {
    return this.#ticker.intervalMs();
  }

  start(options: StartOptions): Operation {
    assertStartOptions(options);
    const host: RecorderHost = {
      putFirst: (record, recorder) => this.#putFirst(record, recorder),
      // Another operation may have the id by now.
      put: (record, recorder) => (this.#recorders.get(record.id) === recorder ? this.put(record) : null),
      pull: (id, read) => this.pull(id, read),
    };
    return new OperationHandle(new OperationRecorder(host, options));
  }

  async run<T>(options: StartOptions, work: (op: Operation) => T | Promise<T>): Promise<T> {
    assertOptions({ work }, { required: ['work'] });
    return runOperation(this.start(options), work);
  }

  abort(id: string, reason?: unknown): boolean {
    const recorder = this.#recorders.get(id);
    if (recorder === undefined || recorder.isOver) return false;
    recorder.abort(reason);
    return true;
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
    return this.#entries.get(id)?.snapshot() ?? this.#relays.get(id);
  }

  *list(): Iterable<Snapshot> {
    for (const entry of this.#entries.values()) yield entry.snapshot();
    yield* this.#relays.list();
  }

  bytes(id: string, view: SnapshotView = 'full'): Buffer | undefined {
    try {
      return this.#entries.get(id)?.bytes(view) ?? this.#relays.bytes(id, view);
    } catch (error) {
      this.#onError(error, { stage: 'serialise' });
      return undefined;
    }
  }

  remove(id: string, why: GoneReason): void {
    this.#sources.stop(id);
    this.#recorders.delete(id);
    this.#dirty.delete(id);
    this.#retention.forget(id);
    this.#entries.delete(id);
    this.#relays.remove(id);
    // Also for operations not in memory: a connection may watch them through `lookup`.
    this.#removed.call(id, why);
  }

  onRemove(listener: (id: string, why: GoneReason) => void): () => void {
    return this.#removed.add(listener);
  }

  onChange(listener: (ids: ReadonlySet<string>) => void): () => void {
    return this.#changed.add(listener);
  }

  onRetire(listener: (ids: readonly string[]) => void): () => void {
    return this.#retired.add(listener);
  }

  relay(from: string, snapshots: readonly Snapshot[]): void {
    if (this.#closed) throw new ProgressError('hub_closed');
    this.#callChanged(this.#relays.take(from, snapshots));
  }

  markUnreachable(from: string, reason: StateReason): void {
    this.#callChanged(this.#relays.markUnreachable(from, reason));
  }

  relayedFrom(id: string): string | undefined {
    return this.#relays.sourceOf(id);
  }

  reauthorize(filter?: ReauthorizeFilter): void {
    this.#reauthorizing.call(filter);
  }

  onReauthorize(listener: (filter?: ReauthorizeFilter) => void): () => void {
    return this.#reauthorizing.add(listener);
  }

  flush(): void {
    this.#sources.readAll();
    const ids = this.#dirty;
    this.#dirty = new Set();
    this.#callChanged(ids);
  }

  retire(): void {
    // Watchers receive the end before it is removed.
    this.flush();
    const nowMs = this.#now();
    const ids = [...this.#retention.due(nowMs), ...this.#relays.due(nowMs)];
    for (const id of ids) {
      this.#entries.delete(id);
      this.#recorders.delete(id);
      this.#relays.remove(id);
    }
    for (const entry of this.#entries.values()) entry.trim();
    if (ids.length > 0) this.#retired.call(ids);
  }

  close(): void {
    this.#closed = true;
    this.#ticker.stop();
    clearInterval(this.#retiring);
    this.#sources.clear();
    this.#recorders.clear();
    for (const listeners of [this.#changed, this.#retired, this.#removed, this.#reauthorizing])
      listeners.clear();
  }

  #callChanged(ids: ReadonlySet<string>): void {
    if (ids.size > 0) this.#changed.call(ids);
  }

  /** Another hub continues this operation. */
  #release(id: string): void {
    this.#sources.stop(id);
    this.#dirty.delete(id);
    this.#entries.delete(id);
    this.#recorders.delete(id);
  }

  #putFirst(record: OperationRecord, recorder: OperationRecorder): Snapshot {
    // What another process left interrupted can start here under the same id.
    const isLeft = this.#relays.get(record.id)?.state === 'interrupted';
    if (!isLeft && this.get(record.id) !== undefined)
      throw new ProgressError('operation_exists', { detail: record.id });
    const snapshot = this.put(record);
    this.#recorders.set(record.id, recorder);
    return snapshot;
  }

  #update(record: OperationRecord, stage: 'put' | 'pull'): Snapshot {
    assertRecord(record);
    const known = this.#entries.get(record.id);
    const elsewhere = this.#relays.keepsFrom(record);
    if (elsewhere !== undefined) return elsewhere;
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
      this.#recorders.delete(record.id);
    }
    return entry.snapshot();
  }

  #addEntry(record: OperationRecord, stage: string): Entry {
    const report = (error: ProgressError): void => this.#onError(error, { stage });
    const entry = createEntry(record, {
      epoch: this.epoch,
      nowMs: this.#now(),
      firstSeq: this.#relays.remove(record.id) + 1,
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
