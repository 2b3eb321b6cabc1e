import { ApiError, errorRegistry } from '@wcc/api';
import type { ErrorCode } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import type { ByteCounts } from '@wcc/progress';
import type { PhaseEvent, StartHooks, Work, WorkFailureCode, WorkResult } from './action.ts';
import { WorkFailure } from './action.ts';
import { toWorkFailure } from './failure.ts';

/** What running work is asked to do; it looks when it can stop. */
export type StopReason = 'cancelled' | 'interrupted';

/** The side of the work: where it is, and what it is asked. */
export interface Steps {
  /** Aborted with a {@link StopReason}. */
  readonly signal: AbortSignal;
  enter(phase: string, event?: Partial<PhaseEvent>): void;
  /** Units of the current phase that are done; never less than before. */
  reach(done: number, durable?: number): void;
  /** The total of the current phase became known. */
  expect(total: number): void;
  count(bytes: ByteCounts): void;
}

export interface WorkControls {
  pause?(): void;
  resume?(): void;
}

/** Work as a plain function of phases; its numbers are read by whoever likes, at no cost. */
export function startWork(
  hooks: StartHooks,
  run: (steps: Steps) => Promise<Partial<WorkResult>>,
  controls: WorkControls = {},
): Work {
  const ending = new AbortController();
  const now = {
    phase: '',
    done: 0,
    durable: 0,
    total: null as number | null,
    bytes: null as ByteCounts | null,
  };
  const at = { movedMs: performance.now(), phaseMs: performance.now() };
  const steps: Steps = {
    signal: ending.signal,
    enter(phase, { unit = null, total = null, notes = [], method } = {}) {
      Object.assign(now, { phase, total, done: 0, durable: 0 });
      at.phaseMs = at.movedMs = performance.now();
      hooks.onPhase({ phase, unit, total, notes, ...(method === undefined ? {} : { method }) });
    },
    reach(done, durable = 0) {
      if (done > now.done) at.movedMs = performance.now();
      now.done = Math.max(now.done, done);
      now.durable = Math.max(now.durable, durable);
    },
    expect: (total) => void (now.total = total),
    count: (bytes) => void (now.bytes = bytes),
  };
  return {
    // Begun a tick later, so that whoever starts it holds it before the first phase is told.
    done: Promise.resolve()
      .then(() => run(steps))
      .then(
        (result) => ({ bytes: now.bytes, method: null, warnings: [], phases: [], ...result }),
        (error: unknown) => {
          throw failureOf(error, ending.signal);
        },
      ),
    progress: () => ({
      ...now,
      sinceProgressMs: performance.now() - at.movedMs,
      phaseElapsedMs: performance.now() - at.phaseMs,
    }),
    cancel: () => ending.abort('cancelled' satisfies StopReason),
    interrupt: () => ending.abort('interrupted' satisfies StopReason),
    pause: () => controls.pause?.(),
    resume: () => controls.resume?.(),
  };
}

const codesByErrno: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'quota',
  EEXIST: 'exists',
  ENOENT: 'source_vanished',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'read_only',
  EFBIG: 'too_large',
  EIO: 'io_error',
};

/** A full disk is no end: it goes on when there is room. */
const waiting: ReadonlySet<ErrorCode> = new Set(['no_space', 'quota']);

function failureOf(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof WorkFailure) return error;
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = error instanceof ApiError ? error.code : codesByErrno[errno];
  if (signal.aborted) {
    const reason: WorkFailureCode = signal.reason === 'interrupted' ? 'interrupted' : 'cancelled';
    return new WorkFailure(reason, { error: wordsOf(known ?? 'internal', error), cause: error });
  }
  if (error instanceof CopyError) return toWorkFailure(error, '');
  if (known === undefined) return error;
  return new WorkFailure(waiting.has(known) ? 'paused' : 'failed', {
    error: wordsOf(known, error),
    cause: error,
  });
}

function wordsOf(code: ErrorCode, error: unknown): WorkFailure['error'] {
  const { message, hint } = error instanceof ApiError ? error : errorRegistry[code];
  return { code, message, hint, detail: null };
}
