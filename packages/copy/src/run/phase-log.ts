import type { SlotWriter } from '../contract/slot.ts';
import { copyPhaseNames } from '../contract/types.ts';
import type { CopyFacts, CopyPhaseEvent, CopyPhaseName } from '../contract/types.ts';

/** Reports the current phase to the caller, and keeps each phase with its duration for the result. */
export interface PhaseLog {
  readonly entries: { name: CopyPhaseName; elapsedMs: number }[];
  begin(phase: CopyPhaseName, at: { totalBytes: bigint | null; doneBytes: bigint }): void;
  /** Reports facts that changed during a phase. */
  emitFacts(): void;
  /** Updates the duration of the running phase. */
  measure(): void;
}

const indexOf = (phase: CopyPhaseName): number => copyPhaseNames.indexOf(phase);

interface PhaseReport {
  slot: SlotWriter;
  facts: CopyFacts;
  emit: (event: CopyPhaseEvent) => void;
}

/**
 * @param earlier the phases before a long pause. The copy was in the last one; until the copy reaches it again, its
 * phases are repeated without a report, and the slot keeps its numbers.
 */
export function createPhaseLog(
  { slot, facts, emit }: PhaseReport,
  earlier: PhaseLog['entries'] = [],
): PhaseLog {
  const entries = [...earlier];
  let continued = entries.at(-1) ?? null;
  let startedMs = performance.now() - (continued?.elapsedMs ?? 0);
  let current: CopyPhaseEvent = { phase: 'inspect', unit: null, totalBytes: null };
  const log: PhaseLog = {
    entries,
    begin(phase, at) {
      const totalBytes = at.totalBytes === null ? null : Number(at.totalBytes);
      const distance = continued === null ? 1 : indexOf(phase) - indexOf(continued.name);
      if (distance < 0) return;
      continued = null;
      current = { phase, unit: totalBytes === null ? null : 'bytes', totalBytes };
      if (distance === 0) return;
      log.measure();
      startedMs = performance.now();
      entries.push({ name: phase, elapsedMs: 0 });
      slot.begin(phase, at);
      log.emitFacts();
    },
    emitFacts: () => emit({ ...current, facts: { ...facts } }),
    measure() {
      const last = entries.at(-1);
      if (last !== undefined) last.elapsedMs = performance.now() - startedMs;
    },
  };
  return log;
}
