import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { OperationError, OperationState, Phase, PhaseUnit, Reference } from '@wcc/progress';
import { createOperationId, label as labelOf } from '@wcc/progress';
import type { Hub } from './hub.ts';
import type { OperationRecord } from './hub/record.ts';

/** Describes the work of {@link progressbar} to watchers. */
export interface ProgressbarOptions {
  /** Name of the action, e.g. `copy_vm_image`. */
  action: string;
  subject: Reference;
  /** Id of the user who owns the operation; `authorize` compares it. */
  owner: string;
  /** @default `owner` */
  ownerName?: string;
  /** Units of the first phase; `null` if unknown. */
  total: number | null;
  /** @default 'steps' */
  unit?: PhaseUnit;
  /** Name of the first phase. @default 'work' */
  phase?: string;
  /** @default `<action>_<subject id>` */
  label?: string;
  /** Passed to the work as `op.signal`. If it is aborted and the work throws, the operation ends as `cancelled`. */
  signal?: AbortSignal;
}

/** Where the work reports its progress. Its calls only write numbers and never wait for a watcher. */
export interface ProgressbarOperation {
  readonly id: string;
  /** Adds `n` units done. */
  add(n: number): void;
  /** Ends the current phase and starts the next one. @param total units of the new phase; unknown if absent or `null` */
  phase(name: string, total?: number | null): void;
  readonly signal: AbortSignal;
}

interface EndState {
  state: OperationState;
  error: OperationError | null;
}

/** The numbers of one operation, written by the work and read by the hub. */
class ProgressRecorder {
  readonly operation: ProgressbarOperation;
  readonly #options: ProgressbarOptions;
  readonly #startedAt = new Date().toISOString();
  readonly #startedAtMs = performance.now();
  readonly #phases: Phase[] = [];
  #current: Phase;
  #phaseStartedAtMs = this.#startedAtMs;

  constructor(options: ProgressbarOptions, signal: AbortSignal) {
    this.#options = options;
    this.#current = this.#startPhase(options.phase ?? 'work', options.total);
    this.operation = {
      id: createOperationId(randomBytes),
      signal,
      add: (n) => {
        this.#current.done += n;
        this.#current.durable = this.#current.done;
      },
      phase: (name, total = null) => {
        this.#current.state = 'done';
        this.#current = this.#startPhase(name, total);
      },
    };
  }

  running(): OperationRecord {
    return this.#record({ state: 'running', error: null }, null);
  }

  ended(end: EndState): OperationRecord {
    this.#current.state = end.state === 'succeeded' ? 'done' : 'failed';
    return this.#record(end, new Date().toISOString());
  }

  #startPhase(name: string, total: number | null): Phase {
    const { unit = 'steps' } = this.#options;
    const phase: Phase = { name, unit, done: 0, durable: 0, total, state: 'running', elapsedMs: 0 };
    this.#phases.push(phase);
    this.#phaseStartedAtMs = performance.now();
    return phase;
  }

  #record(end: EndState, endedAt: string | null): OperationRecord {
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
 * Runs `work` as an operation that permitted users can watch until ten minutes after its end.
 *
 * @returns what `work` returns
 * @throws what `work` throws; the operation is then `failed`, or `cancelled` if the signal was aborted
 */
export async function progressbar<T>(
  hub: Hub,
  options: ProgressbarOptions,
  work: (op: ProgressbarOperation) => Promise<T>,
): Promise<T> {
  const signal = options.signal ?? new AbortController().signal;
  const recorder = new ProgressRecorder(options, signal);
  hub.put(recorder.running());
  const stop = hub.pull(recorder.operation.id, () => recorder.running());
  try {
    const result = await work(recorder.operation);
    hub.put(recorder.ended({ state: 'succeeded', error: null }));
    return result;
  } catch (error) {
    hub.put(
      signal.aborted
        ? recorder.ended({ state: 'cancelled', error: null })
        : recorder.ended({ state: 'failed', error: asOperationError(error) }),
    );
    throw error;
  } finally {
    stop();
  }
}
