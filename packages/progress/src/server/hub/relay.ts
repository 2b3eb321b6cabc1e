import type { Snapshot, StateReason } from '@wcc/progress';
import { ProgressError, isNewer, isTerminal } from '@wcc/progress';
import type { SnapshotView } from '@wcc/progress/protocol';
import { publicSnapshot } from '@wcc/progress/protocol';
import { createRetention } from './retention.ts';
import type { Retention } from './retention.ts';
import { serialiseSnapshot } from './snapshot-size.ts';

/** An operation of another hub: its newest snapshot, unchanged, and whether that hub still reaches us. */
interface Relayed {
  from: string;
  /** As the other hub sent it. */
  original: Snapshot;
  /** What watchers see: the original, or the form of an unreachable operation. */
  shown: Snapshot;
  unreachable: StateReason | null;
  serialised: Partial<Record<SnapshotView, Buffer>>;
  /** The last `seq` of this id in this hub's own epoch; 0 if it was never ours. */
  ownSeq: number;
}

/** How the operations of other hubs meet those of this hub. */
export interface RelayOptions {
  /** The snapshot of an operation of this hub. */
  own(id: string): Snapshot | undefined;
  /** Removes an operation of this hub that another process continues. */
  release(id: string): void;
  /** When ended operations leave memory; the same as for operations of this hub. */
  retention: Retention;
  now(): number;
  /** Epoch of the snapshots that this hub makes of unreachable operations. Differs from the hub's own epoch. */
  unreachableEpoch: string;
  report(error: ProgressError): void;
}

/** Unreachable operations stay for a day, because their process may return after a repair. */
const unreachableRetainMs = 24 * 3_600_000;

/**
 * The operations of other hubs. An operation has one owner at a time: the hub that sent it first, until that hub is
 * unreachable or the operation is interrupted there. An end is final.
 */
export class Relays {
  readonly #options: RelayOptions;
  readonly #byId = new Map<string, Relayed>();
  readonly #idsBySource = new Map<string, Set<string>>();
  readonly #unreachable = createRetention({ retainMs: unreachableRetainMs });
  #unreachableSeq = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  get(id: string): Snapshot | undefined {
    return this.#byId.get(id)?.shown;
  }

  *list(): Iterable<Snapshot> {
    for (const { shown } of this.#byId.values()) yield shown;
  }

  /** The source that relayed the operation; `undefined` if it is not a relayed one. */
  sourceOf(id: string): string | undefined {
    return this.#byId.get(id)?.from;
  }

  /** @throws {ProgressError} `snapshot_too_large` */
  bytes(id: string, view: SnapshotView): Buffer | undefined {
    const relayed = this.#byId.get(id);
    if (relayed === undefined) return undefined;
    const { shown, serialised } = relayed;
    return (serialised[view] ??= serialiseSnapshot(view === 'public' ? publicSnapshot(shown) : shown));
  }

  /** Takes the snapshots that are newer. @returns the ids that changed for watchers */
  take(from: string, snapshots: readonly Snapshot[]): Set<string> {
    const changed = new Set<string>();
    for (const snapshot of snapshots) if (this.#takeOne(from, snapshot)) changed.add(snapshot.id);
    return changed;
  }

  /** Shows the unended operations of a source as interrupted. @returns the ids that changed for watchers */
  markUnreachable(from: string, reason: StateReason): Set<string> {
    const changed = new Set<string>();
    for (const id of this.#idsBySource.get(from) ?? []) {
      const relayed = this.#byId.get(id);
      if (relayed === undefined || isTerminal(relayed.original.state)) continue;
      if (relayed.unreachable?.code === reason.code) continue;
      relayed.unreachable = reason;
      this.#show(relayed, this.#interrupted(relayed.original, reason));
      this.#unreachable.ended(id, this.#options.now());
      changed.add(id);
    }
    return changed;
  }

  /** Removes an operation. @returns the last `seq` it had in this hub's own epoch */
  remove(id: string): number {
    const relayed = this.#byId.get(id);
    if (relayed === undefined) return 0;
    this.#byId.delete(id);
    this.#unreachable.forget(id);
    this.#removeFromSource(relayed.from, id);
    return relayed.ownSeq;
  }

  /**
   * The relayed snapshot that a record of this hub must not replace: an end, or the work of a hub that continues an
   * interrupted operation.
   */
  keepsFrom({ id, state }: Pick<Snapshot, 'id' | 'state'>): Snapshot | undefined {
    const relayed = this.#byId.get(id);
    if (relayed === undefined) return undefined;
    const { original, shown, unreachable } = relayed;
    const isWorking = unreachable === null && original.state !== 'interrupted' && state === 'interrupted';
    return isTerminal(original.state) || isWorking ? shown : undefined;
  }

  /** Returns the ids of operations that were unreachable for too long. */
  due(nowMs: number): string[] {
    return this.#unreachable.due(nowMs);
  }

  #takeOne(from: string, snapshot: Snapshot): boolean {
    const { id } = snapshot;
    const known = this.#byId.get(id);
    if (known !== undefined) return this.#replace(known, from, snapshot);
    const own = this.#options.own(id);
    if (own !== undefined && !isContinued(own, snapshot)) return false;
    if (own !== undefined) this.#options.release(id);
    const first: Relayed = {
      from,
      original: snapshot,
      shown: snapshot,
      unreachable: null,
      serialised: {},
      ownSeq: own?.seq ?? 0,
    };
    this.#byId.set(id, first);
    this.#addToSource(from, id);
    this.#noteEnd(snapshot);
    return true;
  }

  #replace(known: Relayed, from: string, snapshot: Snapshot): boolean {
    const { original, unreachable } = known;
    if (isTerminal(original.state) && !this.#isSameEnd(known, from, snapshot)) return false;
    const isSame = original.epoch === snapshot.epoch && original.seq === snapshot.seq;
    if (from === known.from) {
      if (isSame ? unreachable === null : !isNewer(original, snapshot)) return false;
    } else if (unreachable === null && !isContinued(original, snapshot)) return false;
    this.#removeFromSource(known.from, snapshot.id);
    this.#addToSource(from, snapshot.id);
    this.#unreachable.forget(snapshot.id);
    Object.assign(known, { from, original: snapshot, unreachable: null });
    this.#show(known, snapshot);
    this.#noteEnd(snapshot);
    return true;
  }

  /** The hub that ended an operation may still complete it, e.g. with its result. Another end is refused. */
  #isSameEnd({ from: owner, original }: Relayed, from: string, snapshot: Snapshot): boolean {
    if (snapshot.state === original.state) return from === owner;
    const detail = `${snapshot.id}: ${original.state} → ${snapshot.state}`;
    if (isNewer(original, snapshot)) this.#options.report(new ProgressError('terminal_replaced', { detail }));
    return false;
  }

  #show(relayed: Relayed, shown: Snapshot): void {
    relayed.shown = shown;
    relayed.serialised = {};
  }

  #interrupted(original: Snapshot, reason: StateReason): Snapshot {
    this.#unreachableSeq += 1;
    return {
      ...original,
      // Another epoch, so that clients accept this snapshot, and later the original one again.
      epoch: this.#options.unreachableEpoch,
      seq: this.#unreachableSeq,
      at: new Date().toISOString(),
      state: 'interrupted',
      stateReason: reason,
      queuePosition: null,
      rate: null,
      etaMs: null,
      etaAbsence: 'not_running',
      stalled: false,
    };
  }

  #noteEnd({ id, state }: Snapshot): void {
    if (isTerminal(state)) this.#options.retention.ended(id, this.#options.now());
  }

  #addToSource(from: string, id: string): void {
    const ids = this.#idsBySource.get(from) ?? new Set();
    this.#idsBySource.set(from, ids.add(id));
  }

  #removeFromSource(from: string, id: string): void {
    const ids = this.#idsBySource.get(from);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsBySource.delete(from);
  }
}

/** An interrupted operation belongs to the process that works on it now, or that ended it. */
function isContinued(known: Snapshot, next: Snapshot): boolean {
  return known.state === 'interrupted' && next.state !== 'interrupted';
}
