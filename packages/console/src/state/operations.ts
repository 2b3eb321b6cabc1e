import type { Operation } from '@wcc/api';
import type { ApiClient } from '@wcc/api/client';
import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { ProgressClient, Rights } from '@wcc/progress/client';
import { Emitter } from './emitter.ts';

export interface OperationEntry {
  snapshot: Snapshot;
  may: Rights | null;
  /** The server no longer knows it; this is what was seen last. */
  isUnknown: boolean;
  /** It had ended before this page heard of it, beyond the minutes that the socket tells of. */
  isHistory: boolean;
}

export type OperationListener = (entry: OperationEntry, before: OperationEntry | undefined) => void;

const PAGE_SIZE = 30;

/** All operations that this page has heard of, live and from history. */
export class OperationsState {
  /** One came, went or changed its state; mere progress is told to its own watchers alone. */
  readonly changed: Emitter = new Emitter();
  readonly #api: ApiClient;
  readonly #live: ProgressClient;
  readonly #entries = new Map<string, OperationEntry>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #everyListener = new Set<OperationListener>();
  readonly #history = new Set<string>();
  #cursor: string | null | undefined;
  #problem: unknown = null;

  constructor(api: ApiClient, live: ProgressClient) {
    this.#api = api;
    this.#live = live;
    live.watchAll('all', (snapshot, may) => this.#take(snapshot, may));
    live.onGone((id, why) => this.#gone(id, why === 'not_found'));
  }

  get(id: string): OperationEntry | undefined {
    return this.#entries.get(id);
  }

  get all(): OperationEntry[] {
    return [...this.#entries.values()];
  }

  get hasMore(): boolean {
    return typeof this.#cursor === 'string';
  }

  get isLoaded(): boolean {
    return this.#cursor !== undefined;
  }

  get problem(): unknown {
    return this.#problem;
  }

  /** Every change of one operation. */
  listen(id: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  /** Every change of every operation, with what was held before. */
  listenAll(listener: OperationListener): void {
    this.#everyListener.add(listener);
  }

  /** The next page of history, newest first. */
  async loadMore(): Promise<void> {
    const cursor = this.#cursor;
    try {
      const page = await this.#api.operations({
        limit: PAGE_SIZE,
        ...(typeof cursor === 'string' ? { cursor } : {}),
      });
      this.#cursor = page.next ?? null;
      this.#problem = null;
      for (const operation of page.items) this.offer(operation);
    } catch (error) {
      this.#problem = error;
    }
    this.changed.emit();
  }

  /** Puts in what came by HTTP; what is newer by the socket stays. */
  offer(operation: Operation): void {
    const { may, ...snapshot } = operation;
    if (isTerminal(snapshot.state) && !this.#entries.has(snapshot.id)) this.#history.add(snapshot.id);
    this.#live.offer(snapshot, may);
  }

  dismiss(id: string): void {
    this.#entries.delete(id);
    this.changed.emit();
  }

  #take(snapshot: Snapshot, may: Rights | null): void {
    const before = this.#entries.get(snapshot.id);
    const isHistory = this.#history.has(snapshot.id);
    const entry = { snapshot, may, isUnknown: false, isHistory };
    this.#entries.set(snapshot.id, entry);
    for (const listener of this.#listeners.get(snapshot.id) ?? []) listener();
    for (const listener of this.#everyListener) listener(entry, before);
    const isNews = before === undefined || before.snapshot.state !== snapshot.state || before.isUnknown;
    if (isNews) this.changed.emit();
  }

  /** What ended stays as history; what ran and is not known any more is said; what was revoked vanishes. */
  #gone(id: string, isUnknown: boolean): void {
    const before = this.#entries.get(id);
    if (before === undefined) return;
    if (!isUnknown) this.#entries.delete(id);
    else if (!isTerminal(before.snapshot.state)) {
      const entry = { ...before, isUnknown: true };
      this.#entries.set(id, entry);
      for (const listener of this.#everyListener) listener(entry, before);
    }
    for (const listener of this.#listeners.get(id) ?? []) listener();
    this.changed.emit();
  }
}
