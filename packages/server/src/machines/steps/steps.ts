import type { CopyJob } from '@wcc/copy';
import type { Snapshot } from '@wcc/progress';
import type { ByteCounts } from '@wcc/progress/protocol';
import { startWork } from '../../operations/work.ts';
import type { Progress, StartHooks, StopReason, Work, WorkResult } from '../../operations/work.ts';
import { toVmFailure } from '../host/hypervisor-errors.ts';
import type { Places } from '../host/places.ts';

/** One phase of an operation on a machine. After a crash it runs again from its start. */
export interface Step {
  phase: string;
  readonly run: (tools: StepTools) => Promise<void>;
}

export interface StepTools {
  /** Shows the numbers of this copy, and passes pause and cancel on to it. Null after the copy has ended. */
  readonly follow: (job: CopyJob | null) => void;
  /** Reports the total of the current phase. */
  readonly measure: (totalBytes: number | null, facts?: { method?: Snapshot['method'] }) => void;
  /** A warning of the operation, by its code. */
  readonly warn: (code: string) => void;
  /** Aborts when the work must stop: the step then ends as soon as it can. */
  readonly signal: AbortSignal;
}

export interface StepOptions {
  /** Hides paths of the host in failures. */
  places: Places;
  /** False from the step on that cannot be undone: a cancel then has no effect. @default always true */
  canCancel?: () => boolean;
}

/** Runs the steps one after the other, as work that can pause, cancel and be interrupted between steps. */
export function runSteps(
  steps: readonly Step[],
  hooks: StartHooks,
  { places, canCancel }: StepOptions,
): Work {
  const run = new StepRun(steps, hooks);
  return startWork(hooks, (progress) => run.execute(progress), {
    ...(canCancel && { canCancel }),
    pause: () => run.pause(),
    resume: () => run.resume(),
    refresh: (progress) => run.refresh(progress),
    onStop: (reason) => run.stop(reason),
    toFailure: (error) => toVmFailure({ places }, error),
  });
}

const noBytes: ByteCounts = { virtual: 0, data: 0, skipped: 0, shared: 0, written: 0 };

/** Pauses between steps; a pause and a stop also reach the copy that is running. */
class StepRun {
  readonly #steps: readonly Step[];
  readonly #warn: StartHooks['onWarning'];
  readonly #phases: { name: string; elapsedMs: number }[] = [];
  #warnings: readonly string[] = [];
  #method: Snapshot['method'] = null;
  #job: CopyJob | null = null;
  /** The sum of the copies that have ended. */
  #bytes: ByteCounts | null = null;
  #isPaused = false;
  #wake: () => void = () => {};

  constructor(steps: readonly Step[], { onWarning }: Pick<StartHooks, 'onWarning'>) {
    this.#steps = steps;
    this.#warn = onWarning;
  }

  async execute(progress: Progress): Promise<WorkResult> {
    const { signal } = progress;
    for (const { phase, run } of this.#steps) {
      await this.#waitWhilePaused(signal);
      const startedAtMs = performance.now();
      progress.startPhase(phase);
      await run({
        follow: (job) => this.#follow(job, progress),
        measure: (total, facts = {}) => progress.updatePhase({ unit: 'bytes', total, ...facts }),
        warn: this.#warn,
        signal,
      });
      this.#phases.push({ name: phase, elapsedMs: performance.now() - startedAtMs });
    }
    await this.#waitWhilePaused(signal);
    return { bytes: this.#bytes, method: this.#method, warnings: this.#warnings, phases: this.#phases };
  }

  refresh(progress: Progress): void {
    if (this.#job === null) return;
    const { doneBytes, durableBytes } = this.#job.progress();
    progress.advance(doneBytes, durableBytes);
    progress.setBytes(plus(this.#bytes, bytesOf(this.#job)));
  }

  stop(reason: StopReason): void {
    if (reason === 'cancelled') this.#job?.cancel();
    else this.#job?.suspend();
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

  /** @throws the reason of `signal` when the work must stop */
  async #waitWhilePaused(signal: AbortSignal): Promise<void> {
    while (this.#isPaused && !signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    signal.throwIfAborted();
  }

  #follow(job: CopyJob | null, progress: Progress): void {
    if (job === null && this.#job !== null) {
      this.refresh(progress);
      this.#bytes = plus(this.#bytes, bytesOf(this.#job));
    }
    this.#job = job;
    if (job === null) return;
    if (progress.signal.aborted) this.stop(progress.signal.reason as StopReason);
    if (this.#isPaused) job.pause();
    job.done.then(
      ({ warnings, method }) => {
        this.#warnings = [...this.#warnings, ...warnings];
        this.#method = method;
      },
      // The step awaits the same promise and handles its failure.
      () => {},
    );
  }
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
