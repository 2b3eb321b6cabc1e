import type { Snapshot } from '@wcc/progress';
import type {
  GoneReason,
  Limits,
  ListScope,
  Ok,
  Row,
  SnapshotView,
  SubscribeOps,
} from '@wcc/progress/protocol';
import { isTerminal } from '@wcc/progress';
import { isWatchableId } from '@wcc/progress/protocol';
import type { Hub } from '../hub.ts';
import type { Access } from './access.ts';
import type { SendWindow } from './send-window.ts';
import { textMessage } from './messages.ts';

interface Watch {
  /** The newest snapshot passed to the send window. */
  snapshot: Snapshot;
  byName: boolean;
  listed: boolean;
  /** The rights last sent, serialised. */
  rights: string;
}

export interface WatchlistOptions<P> {
  hub: Hub;
  access: Access<P>;
  sendWindow: SendWindow;
  limits: Limits;
  principal: () => P;
  user: string;
  view: SnapshotView;
  join(id: string): void;
  leave(id: string): void;
}

type RequestedOperation = SubscribeOps['ops'][number];

/** A list contains operations that ended within this time. */
const listedAfterEndMs = 10 * 60_000;

function isListable(snapshot: Snapshot): boolean {
  if (!isTerminal(snapshot.state) || snapshot.endedAt === null) return true;
  return Date.now() - Date.parse(snapshot.endedAt) <= listedAfterEndMs;
}

/** Running operations come first, then the newest ended ones. So a truncated list loses the oldest history. */
function byPriority(a: Snapshot, b: Snapshot): number {
  const ended = Number(isTerminal(a.state)) - Number(isTerminal(b.state));
  return ended === 0 ? b.createdAt.localeCompare(a.createdAt) : ended;
}

/** @param rights serialised, because the same text was compared with the rights before */
const mayMessage = (op: string, rights: string): string =>
  `{"t":"may","op":${JSON.stringify(op)},"may":${rights}}`;

/** The operations that one connection watches. Every operation is authorised here; an id alone grants nothing. */
export class Watchlist<P> {
  readonly #options: WatchlistOptions<P>;
  readonly #watches = new Map<string, Watch>();
  /** Operations that the list must not show, so that their updates need no new check. Cleared when rights change. */
  readonly #refused = new Set<string>();
  #named = 0;
  #scope: ListScope | null = null;

  constructor(options: WatchlistOptions<P>) {
    this.#options = options;
  }

  /** Number of watched operations. */
  get size(): number {
    return this.#watches.size;
  }

  get scope(): ListScope | null {
    return this.#scope;
  }

  /** Looks up requested operations that the hub does not have or the principal may not see. */
  async find(wanted: readonly RequestedOperation[]): Promise<ReadonlyMap<string, Snapshot>> {
    const found = new Map<string, Snapshot>();
    await Promise.all(
      wanted.map(async ({ op }) => {
        // Looks up forbidden operations too, so that they take the same time as unknown ones.
        if (!isWatchableId(op) || this.#visible(this.#options.hub.get(op)) !== undefined) return;
        const snapshot = await this.#options.access.lookup(op);
        if (snapshot !== undefined) found.set(op, snapshot);
      }),
    );
    return found;
  }

  /** Answers a `sub` for operations by name. */
  subscribe(id: number, wanted: readonly RequestedOperation[], found: ReadonlyMap<string, Snapshot>): void {
    const fresh = new Set<string>();
    const res = wanted.map((want): Row => {
      const row = this.#subscribeOne(want, found);
      if (row.err === undefined && row.cur === undefined) fresh.add(want.op);
      return row;
    });
    this.#options.sendWindow.send(textMessage({ t: 'ok', id, res }));
    for (const op of fresh) this.#markCurrent(op);
  }

  /** Answers a `sub` for a list. The list replaces an earlier one. */
  subscribeList(id: number, scope: ListScope): void {
    this.unsubscribeList();
    this.#scope = scope;
    const { hub, limits, sendWindow } = this.#options;
    const shown = [...hub.list()].filter((snapshot) => isListable(snapshot) && this.#isInScope(snapshot));
    const visible = shown.filter((snapshot) => this.#visible(snapshot) !== undefined).toSorted(byPriority);
    const listed = visible.slice(0, limits.listed);
    const res = listed.map((snapshot): Row => this.#row(snapshot, this.#watch(snapshot, { listed: true })));
    const ok: Ok = { t: 'ok', id, list: scope, res };
    if (visible.length > listed.length) ok.more = true;
    sendWindow.send(textMessage(ok));
    for (const snapshot of listed) this.#markCurrent(snapshot.id);
  }

  unsubscribe(ops: readonly string[]): void {
    for (const op of ops) {
      const watch = this.#watches.get(op);
      if (watch?.byName !== true) continue;
      watch.byName = false;
      this.#named -= 1;
      if (!watch.listed) this.#remove(op);
    }
  }

  unsubscribeList(): void {
    this.#scope = null;
    this.#refused.clear();
    for (const [op, watch] of this.#watches) this.#unlist(op, watch);
  }

  /** Sends a new snapshot of a watched operation. */
  update(snapshot: Snapshot): void {
    const watch = this.#watches.get(snapshot.id);
    // `sub` may already have sent this snapshot before its tick.
    if (watch === undefined || watch.snapshot === snapshot) return;
    const stateChanged = watch.snapshot.state !== snapshot.state;
    watch.snapshot = snapshot;
    if (stateChanged) this.#sendRights(watch);
    this.#markDirty(snapshot);
  }

  /** Adds a changed operation to the list if it belongs there. */
  addIfListed(snapshot: Snapshot): void {
    const { id } = snapshot;
    if (this.#watches.has(id) || this.#refused.has(id)) return;
    if (!this.#isInScope(snapshot) || !isListable(snapshot)) return;
    if (this.#visible(snapshot) === undefined) {
      this.#refused.add(id);
      return;
    }
    const watch = this.#watch(snapshot, { listed: true });
    if (watch.rights !== '') this.#options.sendWindow.send(mayMessage(id, watch.rights));
    this.#markDirty(snapshot);
  }

  /** Checks the rights to all watched and all refused operations again. */
  reauthorize(): void {
    this.#refused.clear();
    for (const [op, watch] of this.#watches) {
      if (this.#visible(watch.snapshot) === undefined) this.gone(op, 'revoked');
      else this.#sendRights(watch);
    }
    if (this.#scope === null) return;
    for (const snapshot of this.#options.hub.list()) this.addIfListed(snapshot);
  }

  gone(op: string, why: GoneReason): void {
    if (!this.#watches.has(op)) return;
    this.#remove(op);
    this.#options.sendWindow.send(textMessage({ t: 'gone', op, why }));
  }

  /** Removes from the list the ended operations that left the hub. Operations watched by name stay. */
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
    for (const op of this.#watches.keys()) this.#remove(op);
  }

  #subscribeOne(want: RequestedOperation, found: ReadonlyMap<string, Snapshot>): Row {
    const { hub, limits } = this.#options;
    const watch = this.#watches.get(want.op);
    // Checks the limit before the look-up, because a refusal must not reveal which operations exist.
    if (watch?.byName !== true && this.#named >= limits.subscriptions)
      return { op: want.op, err: 'too_many_subs' };
    const snapshot = this.#visible(hub.get(want.op) ?? found.get(want.op));
    if (snapshot === undefined) {
      if (watch !== undefined) this.#remove(want.op);
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

  #sendRights(watch: Watch): void {
    const rights = this.#rights(watch.snapshot);
    if (rights === watch.rights) return;
    watch.rights = rights;
    if (rights !== '') this.#options.sendWindow.send(mayMessage(watch.snapshot.id, rights));
  }

  #markCurrent(op: string): void {
    const watch = this.#watches.get(op);
    if (watch !== undefined) this.#markDirty(watch.snapshot);
  }

  #markDirty(snapshot: Snapshot): void {
    const { access, sendWindow, view } = this.#options;
    const bytes = access.bytes(snapshot, view);
    if (bytes !== undefined) sendWindow.markDirty(snapshot.id, bytes);
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
    if (!watch.byName) this.#remove(op);
  }

  #remove(op: string): void {
    const watch = this.#watches.get(op);
    if (watch === undefined) return;
    if (watch.byName) this.#named -= 1;
    this.#watches.delete(op);
    this.#options.sendWindow.clearDirty(op);
    this.#options.leave(op);
  }
}
