/** An operation that waits for a slot. */
export interface QueueEntry {
  readonly id: string;
  /** The queue is fair between owners. */
  readonly owner: string;
}

export interface FairQueue {
  /** Appends to the owner's own queue; `first`: before all queues, for work that ran before a restart. */
  add(entry: QueueEntry, options?: { first?: boolean }): void;
  remove(id: string): boolean;
  has(id: string): boolean;
  /**
   * Removes and returns the next entry; `running`: the owners of running operations, one entry each. Null: no entry
   * may start with this number of slots. @default slots: no limit
   * @param throttled those of `running` whose operations are slow by request; they keep no other owner out
   */
  take(
    running: readonly string[],
    slots?: number,
    options?: { throttled?: readonly string[] },
  ): QueueEntry | null;
  /** All entries in the order in which they would start. */
  order(running: readonly string[]): QueueEntry[];
  readonly size: number;
}

/**
 * One queue per owner. Next is the owner with the fewest running operations; among equals, the owner served least
 * recently. So no owner waits for the whole batch of another owner.
 */
export function createFairQueue(): FairQueue {
  const preferred: QueueEntry[] = [];
  const lines = new Map<string, QueueEntry[]>();
  const servedAt = new Map<string, number>();
  let served = 0;

  function pick(state: PickState): QueueEntry | null {
    let best: { owner: string; running: number; servedAt: number } | null = null;
    for (const [owner, line] of state.lines) {
      if (line.length === 0) continue;
      const candidate = {
        owner,
        running: count(state.running, owner),
        servedAt: state.servedAt.get(owner) ?? 0,
      };
      const isBetter =
        best === null ||
        candidate.running < best.running ||
        (candidate.running === best.running && candidate.servedAt < best.servedAt);
      if (isBetter) best = candidate;
    }
    return best === null ? null : (state.lines.get(best.owner)?.shift() ?? null);
  }

  return {
    add(entry, { first = false } = {}) {
      if (first) preferred.push(entry);
      else lines.set(entry.owner, [...(lines.get(entry.owner) ?? []), entry]);
    },
    remove: (id) => drop(preferred, id) || [...lines.values()].some((line) => drop(line, id)),
    has: (id) => [preferred, ...lines.values()].some((line) => line.some((entry) => entry.id === id)),
    take(running, slots = Number.POSITIVE_INFINITY, { throttled = [] } = {}) {
      const isFree = (owner: string): boolean => hasSlotFor(owner, { running, throttled, slots });
      const first = preferred.find(({ owner }) => isFree(owner));
      if (first !== undefined) drop(preferred, first.id);
      const open = new Map([...lines].filter(([owner]) => isFree(owner)));
      const entry = first ?? pick({ lines: open, servedAt, running });
      if (entry) servedAt.set(entry.owner, (served += 1));
      for (const [owner, line] of lines) if (line.length === 0) lines.delete(owner);
      return entry;
    },
    order: (running) => simulate({ preferred, lines, servedAt, running, served }, pick),
    get size() {
      return preferred.length + [...lines.values()].reduce((sum, line) => sum + line.length, 0);
    },
  };
}

/**
 * Whether a waiting owner may start an operation. One owner counts for at most all slots but one against the others,
 * and throttled operations do not count against them: work that is slow on purpose does not keep another owner out.
 */
function hasSlotFor(
  owner: string,
  { running, throttled, slots }: { running: readonly string[]; throttled: readonly string[]; slots: number },
): boolean {
  const share = Math.max(1, slots - 1);
  const others = [...new Set(running)].filter((other) => other !== owner);
  const countOf = (other: string): number => count(running, other) - count(throttled, other);
  const taken = others.reduce((sum, other) => sum + Math.min(share, countOf(other)), 0);
  return taken + count(running, owner) < slots;
}

interface PickState {
  lines: Map<string, QueueEntry[]>;
  servedAt: ReadonlyMap<string, number>;
  running: readonly string[];
}

/** Simulates all turns on copies, as if each started operation kept running. */
function simulate(
  from: PickState & { preferred: readonly QueueEntry[]; served: number },
  pick: (state: PickState) => QueueEntry | null,
): QueueEntry[] {
  const lines = new Map([...from.lines].map(([owner, line]) => [owner, [...line]]));
  const servedAt = new Map(from.servedAt);
  const order = [...from.preferred];
  const running = [...from.running, ...order.map((entry) => entry.owner)];
  let served = from.served;
  for (const { owner } of order) servedAt.set(owner, (served += 1));
  for (let next = pick({ lines, servedAt, running }); next; next = pick({ lines, servedAt, running })) {
    order.push(next);
    running.push(next.owner);
    servedAt.set(next.owner, (served += 1));
  }
  return order;
}

function count(owners: readonly string[], owner: string): number {
  return owners.reduce((sum, one) => sum + (one === owner ? 1 : 0), 0);
}

function drop(line: QueueEntry[], id: string): boolean {
  const at = line.findIndex((entry) => entry.id === id);
  if (at === -1) return false;
  line.splice(at, 1);
  return true;
}
