import type { CompleteRecord } from './record.ts';

/** Measures how long an operation and each of its phases ran, as the hub saw it. */
export interface RunningTime {
  measure(record: CompleteRecord, nowMs: number): RunningTimes;
}

export interface RunningTimes {
  operationMs: number;
  /** By index and name of the phase, e.g. `0 work`. */
  phasesMs: ReadonlyMap<string, number>;
}

export function createRunningTime(): RunningTime {
  const phasesMs = new Map<string, number>();
  let operationMs = 0;
  /** The phase that ran since `sinceMs`; `null` while the operation did not run. */
  let ran: { key: string; sinceMs: number } | null = null;
  return {
    measure: ({ state, phaseIndex, phases }, nowMs) => {
      if (ran !== null) {
        const ms = Math.max(0, nowMs - ran.sinceMs);
        operationMs += ms;
        phasesMs.set(ran.key, (phasesMs.get(ran.key) ?? 0) + ms);
      }
      const isRunning = state === 'running' || state === 'cancelling';
      const key = `${phaseIndex} ${phases[phaseIndex]?.name ?? ''}`;
      ran = isRunning ? { key, sinceMs: nowMs } : null;
      return { operationMs, phasesMs };
    },
  };
}
