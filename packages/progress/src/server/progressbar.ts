import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { OperationError, OperationState, Phase, PhaseUnit, Reference } from '@wcc/progress';
import { createOperationId, label as labelOf } from '@wcc/progress';
import type { Hub } from './hub.ts';
import type { OperationRecord } from './hub/record.ts';

export interface ProgressbarOptions {
  /** What is done, e.g. `copy_vm_image`. */
  action: string;
  subject: Reference;
  /** Id of the user whose operation it is; `authorize` compares it. */
  owner: string;
  /** @default `owner` */
  ownerName?: string;
  /** Units of the first phase; `null` when unknown. */
  total: number | null;
  /** @default 'steps' */
  unit?: PhaseUnit;
  /** Name of the first phase. @default 'work' */
  phase?: string;
  /** @default `<action>_<subject id>` */
  label?: string;
  /** Aborting it aborts `op.signal`; the operation then ends as `cancelled`. */
  signal?: AbortSignal;
}

/** What the work reports to. Its calls only write numbers: nothing waits for a watcher. */
export interface ProgressbarOperation {
  readonly id: string;
  /** So many units more are done. */
  add(n: number): void;
  /** Ends the current phase and begins the next. @param total `null` or absent: unknown */
  phase(name: string, total?: number | null): void;
  readonly signal: AbortSignal;
}

interface End {
  state: OperationState;
  error: OperationError | null;
}

/** The numbers of one operation: written by the work, read by the hub. */
class Bar {
  readonly operation: ProgressbarOperation;
  readonly #options: ProgressbarOptions;
  readonly #startedAt = new Date().toISOString();
  readonly #startedAtMs = performance.now();
  readonly #phases: Phase[] = [];
  #current: Phase;
  #phaseStartedAtMs = this.#startedAtMs;

  constructor(options: ProgressbarOptions, signal: AbortSignal) {
    this.#options = options;
    this.#current = this.#begin(options.phase ?? 'work', options.total);
    this.operation = {
      id: createOperationId(randomBytes),
      signal,
      add: (n) => {
        this.#current.done += n;
        this.#current.durable = this.#current.done;
      },
      phase: (name, total = null) => {
        this.#current.state = 'done';
        this.#current = this.#begin(name, total);
      },
    };
  }

  running(): OperationRecord {
    return this.#record({ state: 'running', error: null }, null);
  }

  ended(end: End): OperationRecord {
    this.#current.state = end.state === 'succeeded' ? 'done' : 'failed';
    return this.#record(end, new Date().toISOString());
  }

  #begin(name: string, total: number | null): Phase {
    const { unit = 'steps' } = this.#options;
    const phase: Phase = { name, unit, done: 0, durable: 0, total, state: 'running', elapsedMs: 0 };
    this.#phases.push(phase);
    this.#phaseStartedAtMs = performance.now();
    return phase;
  }

  #record(end: End, endedAt: string | null): OperationRecord {
    const { action, subject, owner, ownerName = owner } = this.#options;
    const nowMs = performance.now();
    this.#current.elapsedMs = Math.round(nowMs - this.#phaseStartedAtMs);
    return {
      id: this.operation.id,
      label: this.#options.label ?? labelOf(action, subject.id ?? subject.name),
      action,
      subject,
      target: null,
      owner,
      ownerName,
      state: end.state,
      queuePosition: null,
      stateReason: null,
      phases: this.#phases,
      phaseIndex: this.#phases.length - 1,
      bytes: null,
      method: null,
      elapsedMs: nowMs - this.#startedAtMs,
      createdAt: this.#startedAt,
      startedAt: this.#startedAt,
      endedAt,
      warnings: [],
      error: end.error,
      result: null,
      retryOf: null,
      partOf: null,
    };
  }
}

function asOperationError(error: unknown): OperationError {
  const message = error instanceof Error ? error.message : String(error);
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
  return { code, message, hint: '', detail: null };
}

/**
 * Runs `work` as an operation that everyone who may can watch, to its end and ten minutes beyond.
 *
 * @returns what `work` returns
 * @throws what `work` throws; the operation then is `failed`, or `cancelled` when the signal was aborted
 */
export async function progressbar<T>(
  hub: Hub,
  options: ProgressbarOptions,
  work: (op: ProgressbarOperation) => Promise<T>,
): Promise<T> {
  const signal = options.signal ?? new AbortController().signal;
  const bar = new Bar(options, signal);
  hub.put(bar.running());
  const stop = hub.pull(bar.operation.id, () => bar.running());
  try {
    const result = await work(bar.operation);
    hub.put(bar.ended({ state: 'succeeded', error: null }));
    return result;
  } catch (error) {
    hub.put(
      signal.aborted
        ? bar.ended({ state: 'cancelled', error: null })
        : bar.ended({ state: 'failed', error: asOperationError(error) }),
    );
    throw error;
  } finally {
    stop();
  }
}
