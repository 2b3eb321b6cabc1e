import { maxOpsPerMessage, unknownBaseMs, unknownCapMs, unknownForMs } from '../core/protocol.ts';
import type {
  ClientMessage,
  GoneReason,
  ListScope,
  Ok,
  Rights,
  ServerMessage,
  SubscribeOps,
} from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';
import { isNewer } from '../core/version.ts';
import { isEnded, setRights } from './entry.ts';
import type { Entry, WatchListener } from './entry.ts';
import { ClientError } from './errors.ts';
import { listen } from './listen.ts';
import type { WatchOptions } from './listen.ts';

/** Called when an operation leaves the view. `not_found`: unknown to the server or forbidden; the two look the same. */
export type GoneListener = (id: string, why: GoneReason | 'not_found') => void;

export interface SubscriptionsOptions {
  /** Sends a message; without a connection it is dropped, because the next one begins with {@link Subscriptions.messages}. */
  send: (message: ClientMessage) => void;
  /** A listener threw, or the server refused a subscription. */
  onError: (error: unknown) => void;
  now: () => number;
  /** Factor of all timers. */
  scale: number;
}

/** The epoch of snapshots that are read from a database instead of a live hub. */
const storedEpoch = 'stored';
/** Maximum operations in memory; beyond it the oldest ended one is removed. A tab may stay open for months. */
const maxEntries = 2000;

/** The watched operations and their newest snapshots. Subscribes again after each reconnect. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #send: SubscriptionsOptions['send'];
  readonly #entries = new Map<string, Entry>();
  readonly #lists: Readonly<Record<ListScope, Set<WatchListener>>> = { mine: new Set(), all: new Set() };
  readonly #goneListeners = new Set<GoneListener>();
  /** Operations to request in the next message. */
  readonly #pending = new Set<string>();
  /** Watched operations that the server does not know, and since when. They are requested again. */
  readonly #unknown = new Map<string, number>();
  #connection = 1;
  #nextId = 1;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #unknownTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.#send = options.send;
  }

  get(id: string): Snapshot | undefined {
    return this.#entries.get(id)?.snapshot;
  }

  watch(id: string, listener: WatchListener, watching?: WatchOptions): () => void {
    const entry = this.#entry(id);
    return listen(entry.listeners, {
      listener,
      ...watching,
      replay: (own) => this.#call(own, entry),
      open: () => this.#request(id),
      close: () => {
        entry.connection = 0;
        this.#unknown.delete(id);
        if (!entry.snapshot) this.#entries.delete(id);
        if (!this.#pending.delete(id)) this.#send({ t: 'unsub', id: this.#nextId++, ops: [id] });
      },
    });
  }

  watchList(list: ListScope, listener: WatchListener, watching?: WatchOptions): () => void {
    return listen(this.#lists[list], {
      listener,
      ...watching,
      replay: (own) => {
        for (const entry of this.#entries.values()) this.#call(own, entry);
      },
      open: () => this.#send({ t: 'sub', id: this.#nextId++, list }),
      close: () => {
        // What the list showed is not followed any more.
        this.#connection += 1;
        this.#send({ t: 'unsub', id: this.#nextId++, list });
      },
    });
  }

  onGone(listener: GoneListener): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  /**
   * Everything that is watched, for a new connection. Names the snapshots it has, so the server does not send them
   * again.
   *
   * @param most operations by name; more are reported. A server refuses the request of a stream that names more
   */
  messages(most: number = Infinity): ClientMessage[] {
    for (const [id, { listeners }] of this.#entries) if (listeners.size > 0) this.#pending.add(id);
    const messages = this.#takePending(most);
    for (const list of Object.keys(this.#lists) as ListScope[])
      if (this.#lists[list].size > 0) messages.push({ t: 'sub', id: this.#nextId++, list });
    return messages;
  }

  /** Called when a connection opens. @param isSubscribed whether its request carried {@link messages} */
  opened(isSubscribed: boolean): void {
    clearTimeout(this.#unknownTimer);
    this.#unknown.clear();
    this.#connection += 1;
    if (!isSubscribed) this.#sendAll(this.messages());
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#unknownTimer);
  }

  receive(message: ServerMessage): void {
    if (message.t === 'ops') for (const snapshot of message.d) this.#take(snapshot);
    else if (message.t === 'ok') this.#answer(message);
    else if (message.t === 'may') this.#setRights(message.op, message.may);
    else if (message.t === 'gone') this.#remove(message.op, message.why);
    else if (message.t === 'err' && message.retry) {
      clearTimeout(this.#retryTimer);
      // Subscribes to everything again. This is cheap, because the client names its snapshots.
      this.#retryTimer = setTimeout(() => this.#sendAll(this.messages()), message.ms);
    }
  }

  /**
   * Adds a snapshot that arrived in another way, e.g. in the answer to a POST. Neither it nor its rights replace
   * newer ones: rights depend on the state that they were sent with.
   */
  offer(snapshot: Snapshot, rights?: Rights): void {
    const entry = this.#entry(snapshot.id);
    if (!this.#mayReplace(entry, snapshot)) return;
    const hasNewRights = rights && setRights(entry, rights);
    if (this.#store(entry, snapshot) || hasNewRights === true) this.#notify(entry);
  }

  /** Epochs have no order: only an end is surely the newer one, and what came over the present connection. */
  #mayReplace({ snapshot: current, connection }: Entry, offered: Snapshot): boolean {
    if (!current) return true;
    if (current.epoch === offered.epoch) return offered.seq >= current.seq;
    if (isTerminal(current.state) || isTerminal(offered.state)) return !isTerminal(current.state);
    return connection !== this.#connection && offered.epoch !== storedEpoch;
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id) ?? { listeners: new Set(), may: null };
    this.#entries.set(id, entry);
    return entry;
  }

  #take(snapshot: Snapshot): void {
    const entry = this.#entry(snapshot.id);
    entry.connection = this.#connection;
    this.#unknown.delete(snapshot.id);
    if (this.#store(entry, snapshot)) this.#notify(entry);
  }

  #store(entry: Entry, snapshot: Snapshot): boolean {
    if (!isNewer(entry.snapshot, snapshot)) return false;
    entry.snapshot = snapshot;
    for (const [id, old] of this.#entries) {
      if (this.#entries.size <= maxEntries) break;
      if (isEnded(old) && old.listeners.size === 0) this.#entries.delete(id);
    }
    return true;
  }

  #setRights(id: string, rights: Rights): void {
    const entry = this.#entry(id);
    if (setRights(entry, rights)) this.#notify(entry);
  }

  #remove(id: string, why: Parameters<GoneListener>[1]): void {
    const entry = this.#entry(id);
    this.#unknown.delete(id);
    entry.snapshot = undefined;
    entry.may = null;
    if (entry.listeners.size === 0) this.#entries.delete(id);
    for (const listener of this.#goneListeners) this.#callSafely(() => listener(id, why));
  }

  #answer({ res = [], list, more }: Ok): void {
    for (const { op, err, cur, may } of res) {
      if (err === 'not_found') this.#notFound(op);
      else if (err) this.#options.onError(new ClientError(err, op));
      else if (may) this.#setRights(op, may);
      if (cur) this.#entry(op).connection = this.#connection;
    }
    if (!list || more) return;
    const listed = new Set(res.map(({ op }) => op));
    // Requests what ran before the reconnect and has ended long ago.
    for (const [id, entry] of this.#entries)
      if (entry.snapshot && !isEnded(entry) && !listed.has(id)) this.#request(id);
  }

  /**
   * The work may not have begun, or another process has it: a watch by name is repeated before the operation counts
   * as gone. All unknown ones are requested in one message.
   */
  #notFound(id: string): void {
    const { now, scale } = this.#options;
    const waitedMs = now() - (this.#unknown.get(id) ?? now());
    const isOver = waitedMs >= unknownForMs * scale;
    if (isOver || this.#entry(id).listeners.size === 0) return this.#remove(id, 'not_found');
    this.#unknown.set(id, now() - waitedMs);
    // As long again as it has lasted, which doubles the wait each time.
    const waitMs = Math.min(unknownCapMs * scale, Math.max(unknownBaseMs * scale, waitedMs));
    clearTimeout(this.#unknownTimer);
    this.#unknownTimer = setTimeout(() => {
      for (const each of this.#unknown.keys()) this.#pending.add(each);
      this.#flush();
    }, waitMs);
  }

  #notify(entry: Entry): void {
    const { mine, all } = this.#lists;
    for (const listener of [...entry.listeners, ...mine, ...all]) this.#call(listener, entry);
  }

  #call(listener: WatchListener, { snapshot, may }: Entry): void {
    if (snapshot) this.#callSafely(() => listener(snapshot, may));
  }

  #callSafely(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** Subscribes in a microtask, so that several `watch` calls become one message. */
  #request(id: string): void {
    if (this.#pending.size === 0) queueMicrotask(() => this.#flush());
    this.#pending.add(id);
  }

  #flush(): void {
    this.#sendAll(this.#takePending());
  }

  #takePending(most: number = Infinity): ClientMessage[] {
    const ops = [...this.#pending].map((op) => {
      const { epoch, seq } = this.get(op) ?? {};
      // JSON has no field for `undefined`.
      return { op, epoch, seq } as SubscribeOps['ops'][number];
    });
    this.#pending.clear();
    for (const { op } of ops.splice(most)) this.#options.onError(new ClientError('too_many_subs', op));
    const messages: ClientMessage[] = [];
    while (ops.length > 0)
      messages.push({ t: 'sub', id: this.#nextId++, ops: ops.splice(0, maxOpsPerMessage) });
    return messages;
  }

  #sendAll(messages: ClientMessage[]): void {
    for (const message of messages) this.#send(message);
  }
}
