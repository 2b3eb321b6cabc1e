import { isNewer } from '../core/version.ts';
import { LIMITS } from '../core/protocol.ts';
import type {
  ClientMessage,
  GoneReason,
  ListScope,
  Ok,
  Rights,
  ServerMessage,
  WireError,
} from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';
import { SnapshotCache } from './snapshot-cache.ts';
import type { WatchListener } from './snapshot-cache.ts';
import { Watchers } from './watchers.ts';

/** Why an operation left the view. `not_found`: unknown to the server or forbidden; the two look the same. */
export type LeaveReason = GoneReason | 'not_found';
/** Called when an operation leaves the view. */
export type GoneListener = (id: string, why: LeaveReason) => void;

/** Passed to `onError` when more operations are watched by name than the server allows. */
export class TooManySubscriptions extends Error {
  override readonly name = 'TooManySubscriptions';
  readonly code = 'too_many_subs';
  readonly hint = 'Watch a list instead, or fewer operations at once.';
}

export interface SubscriptionsOptions {
  send: (message: ClientMessage) => void;
  isUp: () => boolean;
  /** A listener threw, or the server refused a subscription. */
  onError: (error: unknown) => void;
}

/** The watched operations and their newest snapshots. Subscribes again after each reconnect. */
export class Subscriptions {
  readonly cache: SnapshotCache = new SnapshotCache();
  readonly #options: SubscriptionsOptions;
  readonly #watchers = new Watchers();
  readonly #goneListeners = new Set<GoneListener>();
  readonly #pending = new Set<string>();
  #isFlushScheduled = false;
  #nextMessage = 1;
  #epoch: string | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  watch(id: string, listener: WatchListener): () => void {
    const isFirst = !this.#watchers.hasId(id);
    const stop = this.#watchers.addForId(id, listener);
    this.#replay(id, listener);
    if (isFirst) this.#schedule(id);
    return () => {
      if (!stop()) return;
      if (!this.#pending.delete(id)) this.#send({ t: 'unsub', id: this.#nextId(), ops: [id] });
    };
  }

  watchAll(scope: ListScope, listener: WatchListener): () => void {
    const isFirst = !this.#watchers.hasScope(scope);
    const stop = this.#watchers.addForScope(scope, listener);
    for (const id of this.cache.ids()) this.#replay(id, listener);
    if (isFirst) this.#send({ t: 'sub', id: this.#nextId(), list: scope });
    return () => {
      if (stop()) this.#send({ t: 'unsub', id: this.#nextId(), list: scope });
    };
  }

  onGone(listener: GoneListener): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  /** Subscribes again on a new connection. Names the snapshots it has, so the server does not send them again. */
  resume(epoch: string): void {
    this.#epoch = epoch;
    for (const scope of this.#watchers.scopes()) this.#send({ t: 'sub', id: this.#nextId(), list: scope });
    for (const id of this.#watchers.ids()) this.#pending.add(id);
    this.#flush();
  }

  close(): void {
    clearTimeout(this.#retry);
  }

  receive(message: ServerMessage): void {
    if (message.t === 'ops') for (const snapshot of message.d) this.#take(snapshot);
    else if (message.t === 'ok') this.#answer(message);
    else if (message.t === 'may') this.#setRights(message.op, message.may);
    else if (message.t === 'gone') this.#remove(message.op, message.why);
    else if (message.t === 'err' && message.retry) this.#subscribeAgain(message);
  }

  /**
   * Adds a snapshot that arrived in another way, e.g. in the answer to a POST. Neither it nor its rights replace
   * newer ones: rights depend on the state that they were sent with.
   */
  offer(snapshot: Snapshot, rights?: Rights): void {
    const current = this.cache.get(snapshot.id);
    const isSame = current?.epoch === snapshot.epoch && current.seq === snapshot.seq;
    // A late answer from before a server restart has an older epoch than the current one.
    const isOfOldEpoch =
      current !== undefined && current.epoch === this.#epoch && snapshot.epoch !== current.epoch;
    if (isOfOldEpoch || (!isSame && !isNewer(current, snapshot))) return;
    const hasNewRights = rights !== undefined && this.cache.setRights(snapshot.id, rights);
    if (this.cache.put(snapshot) || hasNewRights) this.#notify(snapshot.id);
  }

  #take(snapshot: Snapshot): void {
    if (this.cache.put(snapshot)) this.#notify(snapshot.id);
  }

  #setRights(id: string, rights: Rights): void {
    if (this.cache.setRights(id, rights)) this.#notify(id);
  }

  #remove(id: string, why: LeaveReason): void {
    this.cache.delete(id);
    for (const listener of this.#goneListeners) this.#callSafely(() => listener(id, why));
  }

  #answer(message: Ok): void {
    for (const row of message.res ?? []) {
      if (row.err === 'not_found') this.#remove(row.op, 'not_found');
      else if (row.err !== undefined)
        this.#options.onError(new TooManySubscriptions(`${row.err}: ${row.op}`));
      else if (row.may !== undefined) this.#setRights(row.op, row.may);
    }
    if (message.list !== undefined && message.more !== true) this.#requestMissing(message);
  }

  /**
   * Subscribes to everything again after any failed message. This is cheap, because the client names its snapshots.
   */
  #subscribeAgain(error: WireError): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#epoch !== null) this.resume(this.#epoch);
    }, error.ms);
  }

  /** Requests operations that ran before the reconnect and are missing from the list, because they have ended. */
  #requestMissing(message: Ok): void {
    const listed = new Set((message.res ?? []).map((row) => row.op));
    for (const id of this.cache.ids()) {
      const current = this.cache.get(id);
      if (current !== undefined && !isTerminal(current.state) && !listed.has(id)) this.#schedule(id);
    }
  }

  #replay(id: string, listener: WatchListener): void {
    const snapshot = this.cache.get(id);
    if (snapshot !== undefined) this.#callSafely(() => listener(snapshot, this.cache.rights(id)));
  }

  #notify(id: string): void {
    const snapshot = this.cache.get(id);
    if (snapshot === undefined) return;
    const rights = this.cache.rights(id);
    for (const listener of this.#watchers.listenersOf(id)) this.#callSafely(() => listener(snapshot, rights));
  }

  #callSafely(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** Subscribes in a microtask, so that several `watch` calls become one message. */
  #schedule(id: string): void {
    this.#pending.add(id);
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    queueMicrotask(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    // Without a connection, `resume` sends the subscriptions later.
    if (!this.#options.isUp()) return;
    const ids = [...this.#pending];
    this.#pending.clear();
    for (let start = 0; start < ids.length; start += LIMITS.opsPerMessage) {
      const ops = ids.slice(start, start + LIMITS.opsPerMessage).map((id) => this.#resumePoint(id));
      this.#send({ t: 'sub', id: this.#nextId(), ops });
    }
  }

  #resumePoint(id: string): { op: string; epoch?: string; seq?: number } {
    const current = this.cache.get(id);
    return current === undefined ? { op: id } : { op: id, epoch: current.epoch, seq: current.seq };
  }

  #nextId(): number {
    return this.#nextMessage++;
  }

  #send(message: ClientMessage): void {
    if (this.#options.isUp()) this.#options.send(message);
  }
}
