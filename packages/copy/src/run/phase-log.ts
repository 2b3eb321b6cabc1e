import type { SlotWriter } from '../contract/slot.ts';
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

export function createPhaseLog(
  slot: SlotWriter,
  facts: CopyFacts,
  emit: (event: CopyPhaseEvent) => void,
): PhaseLog {
  const entries: PhaseLog['entries'] = [];
  let startedMs = performance.now();
  let current: CopyPhaseEvent = { phase: 'inspect', unit: null, totalBytes: null };
  const log: PhaseLog = {
    entries,
    begin(phase, at) {
      log.measure();
      startedMs = performance.now();
      entries.push({ name: phase, elapsedMs: 0 });
      slot.begin(phase, at);
      const totalBytes = at.totalBytes === null ? null : Number(at.totalBytes);
      current = { phase, unit: totalBytes === null ? null : 'bytes', totalBytes };
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
