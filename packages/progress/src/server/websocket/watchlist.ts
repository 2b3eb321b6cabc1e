import type {
  GoneReason,
  Limits,
  ListScope,
  Ok,
  Row,
  Snapshot,
  SnapshotView,
  SubscribeOps,
} from '@wcc/progress';
import { isOperationId, isTerminal } from '@wcc/progress';
import type { Hub } from '../hub.ts';
import type { Access } from './access.ts';
import type { Flow } from './send-window.ts';
import { textMessage } from './messages.ts';

interface Watch {
  /** The newest one that the flow got. */
  snapshot: Snapshot;
  byName: boolean;
  listed: boolean;
  /** The rights as they were last told, serialised. */
  rights: string;
}

export interface WatchlistOptions<P> {
  hub: Hub;
  access: Access<P>;
  flow: Flow;
  limits: Limits;
  principal: () => P;
  user: string;
  view: SnapshotView;
  join(id: string): void;
  leave(id: string): void;
}

type Wanted = SubscribeOps['ops'][number];

/** A list shows what ended within this time. */
const listedAfterEndMs = 10 * 60_000;

function isListable(snapshot: Snapshot): boolean {
  if (!isTerminal(snapshot.state) || snapshot.endedAt === null) return true;
  return Date.now() - Date.parse(snapshot.endedAt) <= listedAfterEndMs;
}

/** Running ones first, then the newest: what a cut list loses is oldest history. */
function byInterest(a: Snapshot, b: Snapshot): number {
  const ended = Number(isTerminal(a.state)) - Number(isTerminal(b.state));
  return ended === 0 ? b.createdAt.localeCompare(a.createdAt) : ended;
}

/** What one connection watches. Each operation is authorised here, and nowhere is a name enough. */
export class Watchlist<P> {
  readonly #options: WatchlistOptions<P>;
  readonly #watches = new Map<string, Watch>();
  /** Refused for the list, so that a foreign operation's ticks cost nothing; forgotten when rights change. */
  readonly #refused = new Set<string>();
  #named = 0;
  #scope: ListScope | null = null;

  constructor(options: WatchlistOptions<P>) {
    this.#options = options;
  }

  /** Operations that are watched. */
  get size(): number {
    return this.#watches.size;
  }

  get scope(): ListScope | null {
    return this.#scope;
  }

  /** @returns the operations whose snapshots are looked up apart: not in the hub, or not to be seen there */
  async find(wanted: readonly Wanted[]): Promise<ReadonlyMap<string, Snapshot>> {
    const found = new Map<string, Snapshot>();
    await Promise.all(
      wanted.map(async ({ op }) => {
        // A forbidden one is looked up as well: it takes the same time as an unknown one.
        if (!isOperationId(op) || this.#visible(this.#options.hub.get(op)) !== undefined) return;
        const snapshot = await this.#options.access.lookup(op);
        if (snapshot !== undefined) found.set(op, snapshot);
      }),
    );
    return found;
  }

  /** Answers a `sub` by names. */
  subscribe(id: number, wanted: readonly Wanted[], found: ReadonlyMap<string, Snapshot>): void {
    const fresh = new Set<string>();
    const res = wanted.map((want): Row => {
      const row = this.#subscribeOne(want, found);
      if (row.err === undefined && row.cur === undefined) fresh.add(want.op);
      return row;
    });
    this.#options.flow.say(textMessage({ t: 'ok', id, res }));
    for (const op of fresh) this.#markHeld(op);
  }

  /** Answers a `sub` of a list; it takes the place of an earlier one. */
  subscribeList(id: number, scope: ListScope): void {
    this.unsubscribeList();
    this.#scope = scope;
    const { hub, limits, flow } = this.#options;
    const shown = [...hub.list()].filter((snapshot) => isListable(snapshot) && this.#isInScope(snapshot));
    const visible = shown.filter((snapshot) => this.#visible(snapshot) !== undefined).toSorted(byInterest);
    const listed = visible.slice(0, limits.listed);
    const res = listed.map((snapshot): Row => this.#row(snapshot, this.#watch(snapshot, { listed: true })));
    const ok: Ok = { t: 'ok', id, list: scope, res };
    if (visible.length > listed.length) ok.more = true;
    flow.say(textMessage(ok));
    for (const snapshot of listed) this.#markHeld(snapshot.id);
  }

  unsubscribe(ops: readonly string[]): void {
    for (const op of ops) {
      const watch = this.#watches.get(op);
      if (watch?.byName !== true) continue;
      watch.byName = false;
      this.#named -= 1;
      if (!watch.listed) this.#drop(op);
    }
  }

  unsubscribeList(): void {
    this.#scope = null;
    this.#refused.clear();
    for (const [op, watch] of this.#watches) this.#unlist(op, watch);
  }

  /** A new snapshot of an operation that this connection watches. */
  update(snapshot: Snapshot): void {
    const watch = this.#watches.get(snapshot.id);
    // The very one that `sub` has sent or found current: its own tick may come after.
    if (watch === undefined || watch.snapshot === snapshot) return;
    const stateChanged = watch.snapshot.state !== snapshot.state;
    watch.snapshot = snapshot;
    if (stateChanged) this.#tellRights(watch);
    this.#mark(snapshot);
  }

  /** A changed operation that the list may not show yet. */
  consider(snapshot: Snapshot): void {
    const { id } = snapshot;
    if (this.#watches.has(id) || this.#refused.has(id)) return;
    if (!this.#isInScope(snapshot) || !isListable(snapshot)) return;
    if (this.#visible(snapshot) === undefined) {
      this.#refused.add(id);
      return;
    }
    const watch = this.#watch(snapshot, { listed: true });
    if (watch.rights !== '') this.#options.flow.say(`{"t":"may","op":"${id}","may":${watch.rights}}`);
    this.#mark(snapshot);
  }

  /** Asks anew about all it watches, and about what it was refused. */
  reauthorize(): void {
    this.#refused.clear();
    for (const [op, watch] of this.#watches) {
      if (this.#visible(watch.snapshot) === undefined) this.gone(op, 'revoked');
      else this.#tellRights(watch);
    }
    if (this.#scope === null) return;
    for (const snapshot of this.#options.hub.list()) this.consider(snapshot);
  }

  gone(op: string, why: GoneReason): void {
    if (!this.#watches.has(op)) return;
    this.#drop(op);
    this.#options.flow.say(textMessage({ t: 'gone', op, why }));
  }

  /** The hub has forgotten ended operations: their last snapshot stays with those who named them. */
  retire(ids: readonly string[]): void {
    for (const op of ids) {
      this.#refused.delete(op);
      const watch = this.#watches.get(op);
      if (watch !== undefined) this.#unlist(op, watch);
    }
  }

  clear(): void {
    this.#scope = null;
    this.#refused.clear();
    for (const op of this.#watches.keys()) this.#drop(op);
  }

  #subscribeOne(want: Wanted, found: ReadonlyMap<string, Snapshot>): Row {
    const { hub, limits } = this.#options;
    const held = this.#watches.get(want.op);
    // Before anything about the operation itself: the limit must not tell what exists.
    if (held?.byName !== true && this.#named >= limits.subscriptions)
      return { op: want.op, err: 'too_many_subs' };
    const snapshot = this.#visible(hub.get(want.op) ?? found.get(want.op));
    if (snapshot === undefined) {
      if (held !== undefined) this.#drop(want.op);
      return { op: want.op, err: 'not_found' };
    }
    const row = this.#row(snapshot, this.#watch(snapshot, { byName: true }));
    return want.epoch === snapshot.epoch && want.seq === snapshot.seq ? { ...row, cur: true } : row;
  }

  #row(snapshot: Snapshot, watch: Watch): Row {
    const may = this.#options.access.rights(this.#options.principal(), snapshot);
    watch.rights = may === undefined ? '' : JSON.stringify(may);
    return may === undefined ? { op: snapshot.id } : { op: snapshot.id, may };
  }

  #watch(snapshot: Snapshot, how: { byName?: true; listed?: true }): Watch {
    let watch = this.#watches.get(snapshot.id);
    if (watch === undefined) {
      watch = { snapshot, byName: false, listed: false, rights: this.#rights(snapshot) };
      this.#watches.set(snapshot.id, watch);
      this.#options.join(snapshot.id);
    }
    watch.snapshot = snapshot;
    if (how.byName === true && !watch.byName) this.#named += 1;
    watch.byName ||= how.byName === true;
    watch.listed ||= how.listed === true;
    return watch;
  }

  #rights(snapshot: Snapshot): string {
    const may = this.#options.access.rights(this.#options.principal(), snapshot);
    return may === undefined ? '' : JSON.stringify(may);
  }

  #tellRights(watch: Watch): void {
    const rights = this.#rights(watch.snapshot);
    if (rights === watch.rights) return;
    watch.rights = rights;
    if (rights !== '') this.#options.flow.say(`{"t":"may","op":"${watch.snapshot.id}","may":${rights}}`);
  }

  #markHeld(op: string): void {
    const watch = this.#watches.get(op);
    if (watch !== undefined) this.#mark(watch.snapshot);
  }

  #mark(snapshot: Snapshot): void {
    const { access, flow, view } = this.#options;
    const bytes = access.bytes(snapshot, view);
    if (bytes !== undefined) flow.mark(snapshot.id, bytes);
  }

  #visible(snapshot: Snapshot | undefined): Snapshot | undefined {
    if (snapshot === undefined) return undefined;
    return this.#options.access.canWatch(this.#options.principal(), snapshot) ? snapshot : undefined;
  }

  #isInScope(snapshot: Snapshot): boolean {
    return this.#scope === 'all' || (this.#scope === 'mine' && snapshot.owner === this.#options.user);
  }

  #unlist(op: string, watch: Watch): void {
    watch.listed = false;
    if (!watch.byName) this.#drop(op);
  }

  #drop(op: string): void {
    const watch = this.#watches.get(op);
    if (watch === undefined) return;
    if (watch.byName) this.#named -= 1;
    this.#watches.delete(op);
    this.#options.flow.unmark(op);
    this.#options.leave(op);
  }
}
