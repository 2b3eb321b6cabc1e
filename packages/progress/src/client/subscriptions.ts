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
import { Held } from './snapshot-cache.ts';
import type { WatchListener } from './snapshot-cache.ts';
import { Watchers } from './watchers.ts';

/** `not_found`: the server does not know it (any more), or this user may not see it: the two look alike. */
export type LeaveReason = GoneReason | 'not_found';
export type GoneListener = (id: string, why: LeaveReason) => void;

/** More operations are watched by name than one connection may. */
export class TooManySubscriptions extends Error {
  override readonly name = 'TooManySubscriptions';
  readonly code = 'too_many_subs';
  readonly hint = 'Watch a list instead, or fewer operations at once.';
}

export interface SubscriptionsOptions {
  send: (message: ClientMessage) => void;
  isUp: () => boolean;
  /** A listener threw (the others still hear), or the server refused a subscription. */
  onError: (error: unknown) => void;
}

/** What is watched, what is held, and how the two are put right again after each connection. */
export class Subscriptions {
  readonly held: Held = new Held();
  readonly #options: SubscriptionsOptions;
  readonly #watchers = new Watchers();
  readonly #goneListeners = new Set<GoneListener>();
  readonly #pending = new Set<string>();
  #flushPlanned = false;
  #nextMessage = 1;
  #epoch: string | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  watch(id: string, listener: WatchListener): () => void {
    const isFirst = !this.#watchers.hasId(id);
    const leave = this.#watchers.onId(id, listener);
    this.#replay(id, listener);
    if (isFirst) this.#plan(id);
    return () => {
      if (!leave()) return;
      if (!this.#pending.delete(id)) this.#send({ t: 'unsub', id: this.#number(), ops: [id] });
    };
  }

  watchAll(scope: ListScope, listener: WatchListener): () => void {
    const isFirst = !this.#watchers.hasScope(scope);
    const leave = this.#watchers.onScope(scope, listener);
    for (const id of this.held.ids()) this.#replay(id, listener);
    if (isFirst) this.#send({ t: 'sub', id: this.#number(), list: scope });
    return () => {
      if (leave()) this.#send({ t: 'unsub', id: this.#number(), list: scope });
    };
  }

  onGone(listener: GoneListener): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  /** A new connection: asks for everything again, naming what is held so that nothing comes twice. */
  resume(epoch: string): void {
    this.#epoch = epoch;
    for (const scope of this.#watchers.scopes()) this.#send({ t: 'sub', id: this.#number(), list: scope });
    for (const id of this.#watchers.ids()) this.#pending.add(id);
    this.#flush();
  }

  close(): void {
    clearTimeout(this.#retry);
  }

  receive(message: ServerMessage): void {
    if (message.t === 'ops') for (const snapshot of message.d) this.#take(snapshot);
    else if (message.t === 'ok') this.#answer(message);
    else if (message.t === 'may') this.#allow(message.op, message.may);
    else if (message.t === 'gone') this.#leave(message.op, message.why);
    else if (message.t === 'err' && message.retry) this.#askAgain(message);
  }

  /**
   * A snapshot that came another way, e.g. in the answer to a POST. Never takes the place of a newer one; its
   * rights neither, since what a user may do hangs on the state that they were told with.
   */
  offer(snapshot: Snapshot, rights?: Rights): void {
    const held = this.held.get(snapshot.id);
    const isSame = held?.epoch === snapshot.epoch && held.seq === snapshot.seq;
    // A slow answer of a server that was replaced meanwhile: its seq says nothing against the new epoch.
    const isOutlived = held !== undefined && held.epoch === this.#epoch && snapshot.epoch !== held.epoch;
    if (isOutlived || (!isSame && !isNewer(held, snapshot))) return;
    const isAllowedAnew = rights !== undefined && this.held.allow(snapshot.id, rights);
    if (this.held.take(snapshot) || isAllowedAnew) this.#tell(snapshot.id);
  }

  #take(snapshot: Snapshot): void {
    if (this.held.take(snapshot)) this.#tell(snapshot.id);
  }

  #allow(id: string, rights: Rights): void {
    if (this.held.allow(id, rights)) this.#tell(id);
  }

  #leave(id: string, why: LeaveReason): void {
    this.held.forget(id);
    for (const listener of this.#goneListeners) this.#guard(() => listener(id, why));
  }

  #answer(message: Ok): void {
    for (const row of message.res ?? []) {
      if (row.err === 'not_found') this.#leave(row.op, 'not_found');
      else if (row.err !== undefined)
        this.#options.onError(new TooManySubscriptions(`${row.err}: ${row.op}`));
      else if (row.may !== undefined) this.#allow(row.op, row.may);
    }
    if (message.list !== undefined && message.more !== true) this.#askForMissing(message);
  }

  /** Which message was dropped matters little: asking for all again is cheap, since what is held is named. */
  #askAgain(error: WireError): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#epoch !== null) this.resume(this.#epoch);
    }, error.ms);
  }

  /** What ran when the connection broke and is in no list now has ended meanwhile: its end is fetched. */
  #askForMissing(message: Ok): void {
    const listed = new Set((message.res ?? []).map((row) => row.op));
    for (const id of this.held.ids()) {
      const held = this.held.get(id);
      if (held !== undefined && !isTerminal(held.state) && !listed.has(id)) this.#plan(id);
    }
  }

  #replay(id: string, listener: WatchListener): void {
    const snapshot = this.held.get(id);
    if (snapshot !== undefined) this.#guard(() => listener(snapshot, this.held.rights(id)));
  }

  #tell(id: string): void {
    const snapshot = this.held.get(id);
    if (snapshot === undefined) return;
    const rights = this.held.rights(id);
    for (const listener of this.#watchers.of(id)) this.#guard(() => listener(snapshot, rights));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** Many `watch` calls in one turn become one message. */
  #plan(id: string): void {
    this.#pending.add(id);
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    queueMicrotask(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    // Without a connection they wait: `resume` asks for all of them.
    if (!this.#options.isUp()) return;
    const ids = [...this.#pending];
    this.#pending.clear();
    for (let start = 0; start < ids.length; start += LIMITS.opsPerMessage) {
      const ops = ids.slice(start, start + LIMITS.opsPerMessage).map((id) => this.#resumePoint(id));
      this.#send({ t: 'sub', id: this.#number(), ops });
    }
  }

  #resumePoint(id: string): { op: string; epoch?: string; seq?: number } {
    const held = this.held.get(id);
    return held === undefined ? { op: id } : { op: id, epoch: held.epoch, seq: held.seq };
  }

  #number(): number {
    return this.#nextMessage++;
  }

  #send(message: ClientMessage): void {
    if (this.#options.isUp()) this.#options.send(message);
  }
}
