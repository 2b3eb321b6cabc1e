import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import { Emitter } from '../ui/emitter.ts';
import { readChoice, readList, writeList, writeText } from '../ui/storage.ts';
import { byCreation } from './groups.ts';
import type { OperationEntry } from './operation-entry.ts';
import type { OperationsState } from './operations-state.ts';

declare module '../app/signed-in-state.ts' {
  interface SignedInState {
    readonly tray: Tray;
  }
}

/** Size of the tray. */
export type TrayMode = 'bubble' | 'line' | 'list';

export interface TrayCounts {
  running: number;
  waiting: number;
  failed: number;
  done: number;
}

export interface TrayOptions {
  /** Whether the tray shows an operation that the user can see. */
  isRelevant: (snapshot: Snapshot) => boolean;
  /** Loads a failed operation that is remembered from before a reload. */
  fetch: (id: string) => Promise<void>;
}

const modes: readonly TrayMode[] = ['bubble', 'line', 'list'];
const modeKey = 'wcc.tray';
const failedKey = 'wcc.tray.failed';
const dismissedKey = 'wcc.tray.dismissed';
const leavesAfterMs = 10_000;
const maxRemembered = 100;

/**
 * The operations in the tray. An operation appears when it starts. It leaves 10 s after it succeeded or was
 * cancelled, not counting time while the page is hidden. An operation that failed, ended with a warning or
 * became unknown stays until it is dismissed or retried, also over a reload.
 */
export class Tray {
  readonly changed: Emitter = new Emitter();
  readonly #operations: OperationsState;
  readonly #options: TrayOptions;
  readonly #ids = new Set<string>();
  readonly #failures = new Set<string>(readList(failedKey));
  readonly #dismissed = new Set<string>(readList(dismissedKey));
  #leaving = new Map<string, ReturnType<typeof setTimeout> | null>();
  #mode: TrayMode = readChoice(modeKey, modes) ?? 'line';

  constructor(operations: OperationsState, options: TrayOptions) {
    this.#operations = operations;
    this.#options = options;
    operations.listenAll((entry, before) => this.#onOperation(entry, before));
    operations.changed.listen(() => this.changed.emit());
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    for (const id of this.#failures) void options.fetch(id).catch(() => this.#remove(id));
  }

  get mode(): TrayMode {
    return this.#mode;
  }

  setMode(mode: TrayMode): void {
    this.#mode = mode;
    writeText(modeKey, mode);
    this.changed.emit();
  }

  /** Oldest first. */
  get entries(): OperationEntry[] {
    return this.#operations.getMany([...this.#ids]).toSorted(byCreation);
  }

  get counts(): TrayCounts {
    return countsOf(this.entries);
  }

  /** Whether the user dismissed it. Dismissed rows leave even a hovered list. */
  isDismissed(id: string): boolean {
    return this.#dismissed.has(id);
  }

  dismiss(id: string): void {
    this.#dismissed.add(id);
    writeList(dismissedKey, [...this.#dismissed].slice(-maxRemembered));
    this.#remove(id);
  }

  #onOperation({ snapshot, isUnknown, isHistory }: OperationEntry, before: OperationEntry | undefined): void {
    const { id, state, retryOf } = snapshot;
    if (!this.#options.isRelevant(snapshot) || this.#dismissed.has(id)) return;
    // A retry replaces the failure.
    if (retryOf !== null && this.#ids.has(retryOf)) this.dismiss(retryOf);
    if (!isTerminal(state) && !isUnknown) return this.#take(id);
    const isNewHere = before === undefined && !this.#ids.has(id);
    const isPast = isNewHere && (state !== 'failed' || (isHistory && !this.#failures.has(id)));
    if (isPast || (!this.#ids.has(id) && !isNewHere)) return;
    this.#take(id);
    if (state === 'failed') this.#rememberFailure(id);
    else if (!isUnknown && snapshot.warnings.length === 0) this.#removeLater(id);
  }

  #take(id: string): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    this.changed.emit();
  }

  #removeLater(id: string): void {
    if (this.#leaving.has(id)) return;
    const isSeen = document.visibilityState === 'visible';
    this.#leaving.set(id, isSeen ? setTimeout(() => this.#remove(id), leavesAfterMs) : null);
  }

  /** Restarts the display time, so that the user sees operations that ended while the page was hidden. */
  #onVisibility(): void {
    const leaving = [...this.#leaving];
    this.#leaving = new Map();
    for (const [id, timer] of leaving) {
      clearTimeout(timer ?? undefined);
      this.#removeLater(id);
    }
  }

  #rememberFailure(id: string): void {
    if (this.#failures.has(id)) return;
    this.#failures.add(id);
    writeList(failedKey, [...this.#failures].slice(-maxRemembered));
  }

  #remove(id: string): void {
    this.#leaving.delete(id);
    if (this.#failures.delete(id)) writeList(failedKey, [...this.#failures]);
    if (this.#ids.delete(id)) this.changed.emit();
  }
}

export function countsOf(entries: readonly OperationEntry[]): TrayCounts {
  const counts: TrayCounts = { running: 0, waiting: 0, failed: 0, done: 0 };
  for (const entry of entries) counts[kindOf(entry)] += 1;
  return counts;
}

/** The count of the summary that includes an operation. */
function kindOf({ snapshot, isUnknown }: OperationEntry): keyof TrayCounts {
  if (isUnknown || snapshot.state === 'failed') return 'failed';
  if (isTerminal(snapshot.state)) return 'done';
  const { state } = snapshot;
  return state === 'running' || state === 'cancelling' ? 'running' : 'waiting';
}
