import type { Phase, PhaseName } from '@wcc/progress';
import type { Work, WorkResult } from './work.ts';

/** Work that goes on counts the time of its phases from where an earlier run had left them. */
export function withEarlierTimes(work: Work, phases: readonly (Phase | PhaseName)[]): Work {
  const before = new Map(phases.map(({ name, elapsedMs = 0 }) => [name, elapsedMs]));
  const sum = (name: string, elapsedMs: number): number => (before.get(name) ?? 0) + elapsedMs;
  return {
    done: work.done.then((result): WorkResult => ({
      ...result,
      phases: result.phases.map(({ name, elapsedMs }) => ({ name, elapsedMs: sum(name, elapsedMs) })),
    })),
    progress() {
      const progress = work.progress();
      return { ...progress, phaseElapsedMs: sum(progress.phase, progress.phaseElapsedMs) };
    },
    cancel: () => work.cancel(),
    interrupt: () => work.interrupt(),
    pause: () => work.pause(),
    resume: () => work.resume(),
  };
}
