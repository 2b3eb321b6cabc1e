import type { ByteCounts, Snapshot } from '@wcc/progress';
import type { CopyJob } from '@wcc/copy';
import { errorRegistry } from '@wcc/api';
import type { StartHooks, Work, WorkProgress, WorkResult } from '../../operations/work.ts';
import { WorkFailure } from '../../operations/failure.ts';
import { toWorkFailure } from '../host/hypervisor-errors.ts';

/** One phase of the making of a machine. Each may be done again after a crash. */
export interface Step {
  phase: string;
  readonly run: (tools: StepTools) => Promise<void>;
}

export interface StepTools {
  /** The copy whose numbers are shown, and which pause and cancel reach; null when it has ended. */
  readonly follow: (job: CopyJob | null) => void;
  /** Says how much the present phase has to do. */
  readonly measure: (totalBytes: number | null, facts?: { method?: Snapshot['method'] }) => void;
  /** Aborts when the phase is not to be carried to its end: it stops as soon as it can. */
  readonly signal: AbortSignal;
}

/** A phase that runs, and what was counted in it. */
interface Running {
  phase: string;
  startedAtMs: number;
  movedAtMs: number;
  totalBytes: number | null;
  doneBytes: number;
  durableBytes: number;
}

const noBytes: ByteCounts = { virtual: 0, data: 0, skipped: 0, shared: 0, written: 0 };

export interface StepOptions {
  /** True from the point on where the rest must follow: a cancel then changes nothing. @default never */
  isTooLate?: () => boolean;
}

/** Carries the steps out one after the other, as work that can be paused, cancelled and interrupted between them. */
export function runSteps(steps: readonly Step[], hooks: StartHooks, options: StepOptions = {}): Work {
  const run = new StepRun(steps, hooks);
  const isTooLate = options.isTooLate ?? ((): boolean => false);
  return {
    done: run.carryOut(),
    progress: () => run.progress(),
    cancel: () => {
      if (!isTooLate()) run.end('cancelled');
    },
    interrupt: () => run.end('interrupted'),
    pause: () => run.pause(),
    resume: () => run.resume(),
  };
}

/** State: `#ending` once it is to stop, `#isPaused` while it waits; both also reach the copy that runs. `#unwanted` tells the step. */
class StepRun {
  readonly #steps: readonly Step[];
  readonly #hooks: StartHooks;
  readonly #unwanted = new AbortController();
  readonly #ended: { name: string; elapsedMs: number }[] = [];
  #warnings: string[] = [];
  #running: Running;
  #job: CopyJob | null = null;
  #bytes: ByteCounts | null = null;
  #method: Snapshot['method'] = null;
  #ending: 'cancelled' | 'interrupted' | null = null;
  #isPaused = false;
  #wake: () => void = () => {};

  constructor(steps: readonly Step[], hooks: StartHooks) {
    this.#steps = steps;
    this.#hooks = hooks;
    this.#running = newPhase(steps[0]?.phase ?? '');
  }

  async carryOut(): Promise<WorkResult> {
    try {
      for (const step of this.#steps) {
        await this.#gate();
        this.#enter(step.phase);
        await step.run({
          follow: (job) => this.#follow(job),
          measure: (totalBytes, facts) => this.#measure(totalBytes, facts),
          signal: this.#unwanted.signal,
        });
        this.#ended.push({ name: step.phase, elapsedMs: performance.now() - this.#running.startedAtMs });
      }
      await this.#gate();
    } catch (error) {
      throw this.#ending === null ? toWorkFailure(error, '') : endingOf(this.#ending, error);
    }
    return { bytes: this.#bytes, method: this.#method, warnings: this.#warnings, phases: this.#ended };
  }

  progress(): WorkProgress {
    this.#count();
    const { phase, doneBytes, durableBytes, totalBytes, movedAtMs, startedAtMs } = this.#running;
    const nowMs = performance.now();
    return {
      phase,
      done: doneBytes,
      durable: durableBytes,
      total: totalBytes,
      bytes: this.#job === null ? this.#bytes : plus(this.#bytes, bytesOf(this.#job)),
      sinceProgressMs: nowMs - movedAtMs,
      phaseElapsedMs: nowMs - startedAtMs,
    };
  }

  end(how: 'cancelled' | 'interrupted'): void {
    this.#ending ??= how;
    if (how === 'cancelled') this.#job?.cancel();
    else this.#job?.interrupt();
    this.#unwanted.abort();
    this.#wake();
  }

  pause(): void {
    this.#isPaused = true;
    this.#job?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#job?.resume();
    this.#wake();
  }

  /** Between two steps: waits while paused, and goes no further when it is to end. */
  async #gate(): Promise<void> {
    while (this.#isPaused && this.#ending === null) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#ending !== null) throw endingOf(this.#ending, undefined);
  }

  #enter(phase: string): void {
    this.#running = newPhase(phase);
    this.#hooks.onPhase({ phase, unit: null, total: null });
  }

  #follow(job: CopyJob | null): void {
    if (job === null && this.#job !== null) {
      this.#count();
      this.#bytes = plus(this.#bytes, bytesOf(this.#job));
    }
    this.#job = job;
    if (job === null) return;
    if (this.#ending !== null) this.end(this.#ending);
    if (this.#isPaused) job.pause();
    job.done.then(
      ({ warnings, method }) => {
        this.#warnings = [...this.#warnings, ...warnings];
        this.#method = method;
      },
      () => {},
    );
  }

  #measure(totalBytes: number | null, facts: { method?: Snapshot['method'] } = {}): void {
    this.#running.totalBytes = totalBytes;
    const method = facts.method === undefined ? {} : { method: facts.method };
    this.#hooks.onPhase({ phase: this.#running.phase, unit: 'bytes', total: totalBytes, ...method });
  }

  /** A copy counts in its longest phase only: what it counted stays shown in those after it. */
  #count(): void {
    if (this.#job === null) return;
    const { doneBytes, durableBytes } = this.#job.progress();
    if (doneBytes > this.#running.doneBytes) this.#running.movedAtMs = performance.now();
    this.#running.doneBytes = Math.max(this.#running.doneBytes, doneBytes);
    this.#running.durableBytes = Math.max(this.#running.durableBytes, durableBytes);
  }
}

function newPhase(phase: string): Running {
  const nowMs = performance.now();
  const nothing = { totalBytes: null, doneBytes: 0, durableBytes: 0 };
  return { phase, startedAtMs: nowMs, movedAtMs: nowMs, ...nothing };
}

function bytesOf(job: CopyJob): ByteCounts {
  const { virtualBytes, dataBytes } = job.facts();
  const { skippedBytes, sharedBytes, writtenBytes } = job.progress();
  return {
    virtual: virtualBytes,
    data: dataBytes,
    skipped: skippedBytes,
    shared: sharedBytes,
    written: writtenBytes,
  };
}

function plus(a: ByteCounts | null, b: ByteCounts): ByteCounts {
  const { virtual, data, skipped, shared, written } = a ?? noBytes;
  return {
    virtual: virtual + b.virtual,
    data: data + b.data,
    skipped: skipped + b.skipped,
    shared: shared + b.shared,
    written: written + b.written,
  };
}

function endingOf(ending: 'cancelled' | 'interrupted', cause: unknown): WorkFailure {
  const { message, hint } = errorRegistry.server_restarted;
  const error = { code: 'server_restarted', message, hint, detail: null };
  return new WorkFailure(ending, { error, cause });
}
