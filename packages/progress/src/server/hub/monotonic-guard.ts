import type { Phase, PhaseName } from '@wcc/progress';
import { ProgressError } from '@wcc/progress';
import { isFullPhase } from './record.ts';

/** Holds every phase of one operation to the promises about its numbers, for the life of an epoch. */
export interface DoneGuard {
  /**
   * Returns the phases as watchers may see them; what had to be corrected is reported once. Only the current
   * one shows its numbers.
   */
  check(phases: readonly (Phase | PhaseName)[], phaseIndex: number): (Phase | PhaseName)[];
}

const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0;

/** @param report told once per phase and kind of defect, until the phase is in order again */
export function createDoneGuard(report: (error: ProgressError) => void): DoneGuard {
  const highest = new Map<string, number>();
  const reported = new Set<string>();

  const complain = (key: string, error: () => ProgressError): void => {
    if (reported.has(key)) return;
    reported.add(key);
    report(error());
  };

  const sane = (phase: Phase, key: string): Phase => {
    const { done, durable, total } = phase;
    if (isCount(done) && isCount(durable) && (total === null || (isCount(total) && done <= total)))
      return phase;
    const detail = `${phase.name}: done ${done}, durable ${durable}, total ${total}`;
    complain(`${key} numbers`, () => new ProgressError('invalid_record', { detail }));
    const safeTotal = total === null || !isCount(total) ? null : total;
    const safeDone = Math.min(isCount(done) ? done : 0, safeTotal ?? Number.MAX_SAFE_INTEGER);
    return { ...phase, done: safeDone, durable: isCount(durable) ? durable : 0, total: safeTotal };
  };

  const steady = (phase: Phase, key: string): Phase => {
    const before = highest.get(key) ?? 0;
    if (phase.done >= before) {
      highest.set(key, phase.done);
      reported.delete(`${key} fell`);
      return phase;
    }
    const detail = `${phase.name}: ${before} → ${phase.done}`;
    complain(`${key} fell`, () => new ProgressError('done_decreased', { detail }));
    return { ...phase, done: phase.total === null ? before : Math.min(before, phase.total) };
  };

  return {
    check: (phases, phaseIndex) =>
      phases.map((phase, index) => {
        if (index !== phaseIndex || !isFullPhase(phase)) return phase;
        const key = `${index} ${phase.name}`;
        return steady(sane(phase, key), key);
      }),
  };
}
