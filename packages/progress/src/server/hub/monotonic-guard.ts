import type { Phase, PhaseName } from '@wcc/progress';
import { ProgressError } from '@wcc/progress';
import { isFullPhase } from './record.ts';

/** Ensures `durable` ≤ `done` ≤ `total` in each phase, and that `done` never decreases within an epoch. */
export interface MonotonicGuard {
  /**
   * Returns the phases for watchers. Corrections are reported once; only the current phase has numbers.
   */
  check(phases: readonly (Phase | PhaseName)[], phaseIndex: number): (Phase | PhaseName)[];
}

const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0;

/** @param report called once per phase and kind of defect, until the numbers are valid again */
export function createMonotonicGuard(report: (error: ProgressError) => void): MonotonicGuard {
  const highest = new Map<string, number>();
  const reported = new Set<string>();

  const reportOnce = (key: string, error: () => ProgressError): void => {
    if (reported.has(key)) return;
    reported.add(key);
    report(error());
  };

  const withValidNumbers = (phase: Phase, key: string): Phase => {
    const { done, durable, total } = phase;
    const isTotalValid = total === null || (isCount(total) && done <= total);
    if (isCount(done) && isCount(durable) && durable <= done && isTotalValid) return phase;
    const detail = `${phase.name}: done ${done}, durable ${durable}, total ${total}`;
    reportOnce(`${key} numbers`, () => new ProgressError('invalid_record', { detail }));
    const safeTotal = total === null || !isCount(total) ? null : total;
    const safeDone = Math.min(isCount(done) ? done : 0, safeTotal ?? Number.MAX_SAFE_INTEGER);
    return { ...phase, done: safeDone, durable: isCount(durable) ? durable : 0, total: safeTotal };
  };

  const withoutDecrease = (phase: Phase, key: string): Phase => {
    const before = highest.get(key) ?? 0;
    if (phase.done >= before) {
      highest.set(key, phase.done);
      reported.delete(`${key} fell`);
      return phase;
    }
    const detail = `${phase.name}: ${before} → ${phase.done}`;
    reportOnce(`${key} fell`, () => new ProgressError('done_decreased', { detail }));
    return { ...phase, done: phase.total === null ? before : Math.min(before, phase.total) };
  };

  return {
    check: (phases, phaseIndex) =>
      phases.map((phase, index) => {
        if (index !== phaseIndex || !isFullPhase(phase)) return phase;
        const key = `${index} ${phase.name}`;
        const shown = withoutDecrease(withValidNumbers(phase, key), key);
        return shown.durable <= shown.done ? shown : { ...shown, durable: shown.done };
      }),
  };
}
