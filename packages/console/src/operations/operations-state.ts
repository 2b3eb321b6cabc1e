import type { Operation } from '@wcc/api';
import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { ProgressClient } from '@wcc/progress/client';
import type { Rights } from '@wcc/progress/protocol';
import { Emitter } from '../ui/emitter.ts';
import { activeOf } from './groups.ts';
import type { OperationEntry } from './operation-entry.ts';

declare module '../app/signed-in-state.ts' {
  interface SignedInState {
    readonly operations: OperationsState;
  }
}

export type OperationListener = (entry: OperationEntry, before: OperationEntry | undefined) => void;

/** All operations that this page knows, live and from history. */
export class OperationsState {
  /** An operation appeared, disappeared or changed its state. Progress is reported only to {@link listen}. */
  readonly changed: Emitter = new Emitter();
  /** Live updates were paused or resumed. */
  readonly pausing: Emitter = new Emitter();
  readonly #live: ProgressClient;
  readonly #entries = new Map<string, OperationEntry>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #everyListener = new Set<OperationListener>();
  readonly #history = new Set<string>();
  /** The latest update of each operation while updates are paused; `null` while they are not. */
  #waiting: Map<string, () => void> | null = null;
  #isOffering = false;

  constructor(live: ProgressClient) {
    this.#live = live;
    live.watchList('all', (snapshot, may) => this.#take(snapshot, may));
    live.onGone((id, why) => this.#gone(id, why === 'not_found'));
  }

  get(id: string): OperationEntry | undefined {
    return this.#entries.get(id);
  }

  /** The known operations among `ids`, in the same order. */
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

  /** Whether live updates are paused. The operations themselves continue. */
  get isPaused(): boolean {
    return this.#waiting !== null;
  }

  /**
   * Pauses live updates (WCAG 2.2.2) until {@link resume}. Results of the user's own actions still appear.
   */
  pause(): void {
    this.#waiting ??= new Map();
    this.pausing.emit();
  }

  /** Applies the latest update of each operation. */
  resume(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const show of waiting?.values() ?? []) show();
    this.pausing.emit();
  }

  /** Listens to every change of one operation. @returns stops listening */
  listen(id: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  /** Listens to every change of every operation, with its entry before the change. */
  listenAll(listener: OperationListener): void {
    this.#everyListener.add(listener);
  }

  /** Adds an operation that was loaded by HTTP, unless the socket has a newer snapshot. */
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
    // A queued older update must not overwrite this one.
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

  /** An ended operation stays; a running one becomes unknown; one without permission is removed. */
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
