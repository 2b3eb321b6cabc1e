import type { Phase, PhaseName, Snapshot } from '@wcc/progress';
import type { ByteCounts } from '@wcc/progress/protocol';
import { confirmWorkFailure, toOperationError, WorkFailure } from './failure.ts';
import type { FailureOptions } from './failure.ts';

/** The numbers of running work, read without waiting: at most ten times a second. */
export interface WorkProgress {
  /** Name of the phase that the numbers belong to. */
  phase: string;
  done: number;
  durable: number;
  total: number | null;
  bytes: ByteCounts | null;
  sinceProgressMs: number;
  phaseElapsedMs: number;
}

/** A phase has started. */
export interface PhaseEvent {
  phase: string;
  unit: Phase['unit'];
  total: number | null;
  method?: Snapshot['method'];
  /** Phases that were tried without effect, e.g. a clone that the file system refused. */
  skipped?: readonly string[];
  /** Lines for the operation's log, e.g. the offset at which a copy resumed. */
  notes?: readonly string[];
}

/** The result of successful work. */
export interface WorkResult {
  bytes: ByteCounts | null;
  method: Snapshot['method'];
  warnings: readonly string[];
  phases: readonly { name: string; elapsedMs: number }[];
}

/** Work that moves bytes. Every call returns at once. */
export interface Work {
  /** Rejects with `WorkFailure`. */
  readonly done: Promise<WorkResult>;
  progress(): WorkProgress;
  cancel(): void;
  /** Checkpoint and stop; `done` rejects with `interrupted`. */
  interrupt(): void;
  pause(): void;
  resume(): void;
}

export interface StartHooks {
  onPhase(event: PhaseEvent): void;
  /** A warning while the work runs, by its code; each code once. */
  onWarning(code: string): void;
}

/** Why running work was asked to stop. */
export type StopReason = 'cancelled' | 'interrupted';

/** Where the work reports its progress, and learns that it must stop. */
export interface Progress {
  /** Aborted with a {@link StopReason}; the work stops as soon as it can. */
  readonly signal: AbortSignal;
  /** Starts a phase and sets its counters to zero. */
  startPhase(phase: string, event?: Partial<PhaseEvent>): void;
  /** Reports more about the current phase, e.g. its total; its counters stay. */
  updatePhase(event: Partial<PhaseEvent>): void;
  /** Units of the current phase that are done and durable. Lower numbers than before are ignored. */
  advance(done: number, durable?: number): void;
  /** The total of the current phase became known. */
  setTotal(total: number): void;
  setBytes(bytes: ByteCounts): void;
}

export interface WorkControls extends FailureOptions {
  pause?(): void;
  resume?(): void;
  /** Called before the numbers are read: takes them from where they are counted, e.g. from a copy job. */
  refresh?(progress: Progress): void;
  /** False: too late to cancel, the work completes. @default always true */
  canCancel?(): boolean;
  /** Called when the work was asked to stop. */
  onStop?(reason: StopReason): void;
  /** @default confirmWorkFailure */
  toFailure?: (error: unknown) => WorkFailure | Promise<WorkFailure>;
}

/** Runs a function of phases as work. Starts on the next tick, so the caller has the `Work` before the first `onPhase`. */
export function startWork(
  hooks: StartHooks,
  run: (progress: Progress) => Promise<Partial<WorkResult>>,
  controls: WorkControls = {},
): Work {
  const stopping = new AbortController();
  const counters = createCounters(hooks, stopping.signal);
  const { progress } = counters;
  const { toFailure = (error: unknown) => confirmWorkFailure(error, controls) } = controls;
  const stop = (reason: StopReason): void => {
    stopping.abort(reason);
    controls.onStop?.(reason);
  };
  return {
    done: Promise.resolve()
      .then(() => run(progress))
      .then(
        (result) => ({ bytes: counters.read().bytes, method: null, warnings: [], phases: [], ...result }),
        async (error: unknown) => {
          throw stopping.signal.aborted ? stopped(stopping.signal, error) : await toFailure(error);
        },
      ),
    progress() {
      controls.refresh?.(progress);
      return counters.read();
    },
    cancel: () => {
      if (controls.canCancel?.() ?? true) stop('cancelled');
    },
    interrupt: () => stop('interrupted'),
    pause: () => controls.pause?.(),
    resume: () => controls.resume?.(),
  };
}

/** The counters of running work: `progress` changes them, `read` returns them. */
export interface Counters {
  readonly progress: Progress;
  read(): WorkProgress;
}

/** @param signal aborted when the work must stop */
export function createCounters(hooks: StartHooks, signal: AbortSignal): Counters {
  const now = {
    phase: '',
    done: 0,
    durable: 0,
    total: null as number | null,
    bytes: null as ByteCounts | null,
  };
  const at = { progressMs: performance.now(), phaseMs: performance.now() };
  const report = ({ unit = null, total = null, notes = [], method }: Partial<PhaseEvent>): void => {
    now.total = total;
    hooks.onPhase({ phase: now.phase, unit, total, notes, ...(method === undefined ? {} : { method }) });
  };
  return {
    read: () => ({
      ...now,
      sinceProgressMs: performance.now() - at.progressMs,
      phaseElapsedMs: performance.now() - at.phaseMs,
    }),
    progress: {
      signal,
      startPhase(phase, event = {}) {
        Object.assign(now, { phase, done: 0, durable: 0 });
        at.phaseMs = at.progressMs = performance.now();
        report(event);
      },
      updatePhase: report,
      advance(done, durable = 0) {
        if (done > now.done) at.progressMs = performance.now();
        now.done = Math.max(now.done, done);
        now.durable = Math.max(now.durable, durable);
      },
      setTotal: (total) => void (now.total = total),
      setBytes: (bytes) => void (now.bytes = bytes),
    },
  };
}

/** The work was asked to stop: whatever it threw, that is how it ended. */
function stopped(signal: AbortSignal, cause: unknown): WorkFailure {
  const code: StopReason = signal.reason === 'interrupted' ? 'interrupted' : 'cancelled';
  return cause instanceof WorkFailure
    ? cause
    : new WorkFailure(code, { error: toOperationError(cause), cause });
}

/** Resumed work: the time of its phases includes the time of earlier runs. */
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
