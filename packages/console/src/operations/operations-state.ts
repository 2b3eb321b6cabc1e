import type { Operation } from '@wcc/api';
import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { ProgressClient, Rights } from '@wcc/progress/client';
import { Emitter } from '../ui/emitter.ts';
import { activeOf } from './groups.ts';
import type { OperationEntry } from './operation-entry.ts';

declare module '../app/signed-in-state.ts' {
  interface SignedInState {
    readonly operations: OperationsState;
  }
}

export type OperationListener = (entry: OperationEntry, before: OperationEntry | undefined) => void;

/** All operations that this page has heard of, live and from history. */
export class OperationsState {
  /** One came, went or changed its state; mere progress is told to its own watchers alone. */
  readonly changed: Emitter = new Emitter();
  /** Live updates were paused, or go on. */
  readonly pausing: Emitter = new Emitter();
  readonly #live: ProgressClient;
  readonly #entries = new Map<string, OperationEntry>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #everyListener = new Set<OperationListener>();
  readonly #history = new Set<string>();
  /** What came while updates are paused, newest of each; `null` while they are not. */
  #waiting: Map<string, () => void> | null = null;
  #isOffering = false;

  constructor(live: ProgressClient) {
    this.#live = live;
    live.watchAll('all', (snapshot, may) => this.#take(snapshot, may));
    live.onGone((id, why) => this.#gone(id, why === 'not_found'));
  }

  get(id: string): OperationEntry | undefined {
    return this.#entries.get(id);
  }

  /** The known ones among `ids`, in their order. */
  getMany(ids: readonly string[]): OperationEntry[] {
    return ids.map((id) => this.#entries.get(id)).filter((entry) => entry !== undefined);
  }

  get all(): OperationEntry[] {
    return [...this.#entries.values()];
  }

  /** Operations that have not ended, the oldest first. */
  get active(): OperationEntry[] {
    return activeOf(this.all);
  }

  /** Whether what is shown is held still; the work itself goes on. */
  get isPaused(): boolean {
    return this.#waiting !== null;
  }

  /** Holds this page still (WCAG 2.2.2), until {@link resume}. What the user does here is shown nevertheless. */
  pause(): void {
    this.#waiting ??= new Map();
    this.pausing.emit();
  }

  /** Shows the newest of everything that came meanwhile. */
  resume(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const show of waiting?.values() ?? []) show();
    this.pausing.emit();
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

  /** Puts in what came by HTTP; what is newer by the socket stays. */
  offer(operation: Operation): void {
    const { may, ...snapshot } = operation;
    if (isTerminal(snapshot.state) && !this.#entries.has(snapshot.id)) this.#history.add(snapshot.id);
    this.#isOffering = true;
    this.#live.offer(snapshot, may);
    this.#isOffering = false;
  }

  dismiss(id: string): void {
    this.#entries.delete(id);
    this.changed.emit();
  }

  #take(snapshot: Snapshot, may: Rights | null): void {
    if (this.#waiting !== null && !this.#isOffering)
      return void this.#waiting.set(snapshot.id, () => this.#show(snapshot, may));
    // A later one shall not be overwritten by what waits from before it.
    this.#waiting?.delete(snapshot.id);
    this.#show(snapshot, may);
  }

  #show(snapshot: Snapshot, may: Rights | null): void {
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
    if (isUnknown && this.#waiting !== null) return void this.#waiting.set(id, () => this.#gone(id, true));
    this.#waiting?.delete(id);
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
