import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { currentPhase } from './operations.ts';

/** Checks that the progress of one watcher never moves back and that no operation ends early. */
export interface WatcherCheck {
  readonly name: string;
  check(snapshot: Snapshot): void;
  /** The last snapshot of each operation. */
  readonly last: ReadonlyMap<string, Snapshot>;
  readonly snapshots: number;
  /** Descriptions of the rule violations found. */
  readonly defects: readonly string[];
}

/** @param mayEnd whether the operation may have ended by now */
export function createWatcherCheck(name: string, mayEnd: (id: string) => boolean): WatcherCheck {
  const last = new Map<string, Snapshot>();
  const defects: string[] = [];
  let snapshots = 0;
  return {
    name,
    last,
    defects,
    get snapshots() {
      return snapshots;
    },
    check: (snapshot) => {
      snapshots += 1;
      const previous = last.get(snapshot.id);
      last.set(snapshot.id, snapshot);
      const what = defectOf(previous, snapshot) ?? (isEarlyEnd(snapshot, mayEnd) ? 'an early end' : null);
      if (what !== null) defects.push(`${name}: ${what}: ${show(previous)} → ${show(snapshot)}`);
    },
  };
}

function isEarlyEnd(snapshot: Snapshot, mayEnd: (id: string) => boolean): boolean {
  return isTerminal(snapshot.state) && !mayEnd(snapshot.id);
}

function defectOf(previous: Snapshot | undefined, next: Snapshot): string | null {
  if (previous === undefined) return null;
  if (isTerminal(previous.state) && next.state !== previous.state) return 'a change after the end';
  // `done` may decrease to `durable` in a new epoch.
  if (previous.epoch !== next.epoch) return null;
  if (next.seq <= previous.seq) return 'seq not greater';
  if (next.phaseIndex < previous.phaseIndex) return 'an earlier phase';
  const [before, after] = [currentPhase(previous), currentPhase(next)];
  const isSamePhase = next.phaseIndex === previous.phaseIndex && before !== null && after !== null;
  return isSamePhase && after.done < before.done ? 'done fell' : null;
}

function show(snapshot: Snapshot | undefined): string {
  if (snapshot === undefined) return 'nothing';
  const { id, epoch, seq, state, phaseIndex } = snapshot;
  return `${id} ${epoch.slice(0, 6)}:${seq} ${state} phase ${phaseIndex} done ${currentPhase(snapshot)?.done}`;
}
