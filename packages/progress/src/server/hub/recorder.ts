import type { OperationState, Phase, Snapshot, StateReason } from '@wcc/progress';
import { ProgressError, createOperationId } from '@wcc/progress';
import { assertTransition } from '@wcc/progress/protocol';
import type { Operation, StartOptions } from './operation.ts';
import { abandoned, describeError, isFromAbort } from './operation.ts';
import type { OperationRecord } from './record.ts';

/** What a recorder needs of its hub. */
export interface RecorderHost {
  /** @throws {ProgressError} `operation_exists`, `hub_closed`, `invalid_record` */
  putFirst(record: OperationRecord, recorder: OperationRecorder): Snapshot;
  /** @returns `null` if the hub is closed or the operation was removed */
  put(record: OperationRecord, recorder: OperationRecorder): Snapshot | null;
  pull(id: string, read: () => OperationRecord): () => void;
}

/** @throws {ProgressError} `invalid_amount` */
function assertAmount(amount: number, call: string): void {
  if (Number.isFinite(amount) && amount >= 0) return;
  const shown = typeof amount === 'string' ? `"${String(amount)}"` : String(amount);
  throw new ProgressError('invalid_amount', { detail: `${call}: ${shown}` });
}

/** @throws {ProgressError} `invalid_record` */
function assertFirstState(state: string): void {
  if (state === 'running' || state === 'queued') return;
  throw new ProgressError('invalid_record', {
    detail: `an operation starts running or queued, not ${state}`,
  });
}

const lastPhaseStates = { succeeded: 'done', failed: 'failed', cancelled: 'skipped' } as const;

type End = Pick<Snapshot, 'error' | 'result'> & { state: 'succeeded' | 'failed' | 'cancelled' };

/**
 * The numbers and the state of one operation, written by its handle and read by the hub. The hub holds the recorder
 * and not the handle, so a handle that the program has lost is collected.
 */
export class OperationRecorder {
  readonly id: string;
  readonly #host: RecorderHost;
  readonly #options: StartOptions;
  readonly #controller = new AbortController();
  readonly #phases: Phase[] = [];
  #current: Phase;
  #isDefaultPhase: boolean;
  #hasBegun: boolean;
  #warnings: readonly string[] = [];
  #state: OperationState;
  #reason: StateReason | null = null;
  #end: End | null = null;
  #snapshot: Snapshot;
  #stopPull: () => void;

  /** @throws {ProgressError} `invalid_amount`, `invalid_record` */
  constructor(host: RecorderHost, options: StartOptions) {
    const { total = null, signal, state = 'running' } = options;
    if (total !== null) assertAmount(total, 'total');
    assertFirstState(state);
    this.id = options.id ?? createOperationId();
    this.#host = host;
    this.#options = options;
    this.#state = state;
    this.#hasBegun = this.#state === 'running';
    this.#isDefaultPhase = options.phase === undefined;
    this.#current = this.#addPhase(options.phase ?? 'work', total);
    this.#snapshot = host.putFirst(this.#record(), this);
    this.#stopPull = host.pull(this.id, () => this.#record());
    if (signal?.aborted === true) this.#forwardAbort();
    else signal?.addEventListener('abort', this.#forwardAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#end !== null;
  }

  get total(): number | null {
    return this.#current.total;
  }

  snapshot(): Snapshot {
    if (!this.isOver) this.#publish();
    return this.#snapshot;
  }

  abort(reason: unknown): void {
    if (this.isOver || this.signal.aborted) return;
    if (this.#state !== 'cancelling') this.#enter('cancelling');
    // After the change of state, so that work that ends in the event has the true state before it.
    this.#controller.abort(reason);
  }

  setDone(done: number, call: string): void {
    assertAmount(done, call);
    if (this.isOver) return;
    this.#begin();
    this.#current.done = this.#current.durable = done;
  }

  addDone(n: number): void {
    assertAmount(n, 'add');
    this.setDone(this.#current.done + n, 'sum of add');
  }

  setTotal(total: number | null): void {
    if (total !== null) assertAmount(total, 'total');
    if (!this.isOver) this.#current.total = total;
  }

  startPhase(name: string, total: number | null): void {
    if (total !== null) assertAmount(total, `phase ${name}`);
    if (this.isOver) return;
    this.#begin();
    if (this.#isDefaultPhase && this.#current.done === 0) this.#phases.pop();
    else this.#current.state = 'done';
    this.#isDefaultPhase = false;
    this.#current = this.#addPhase(name, total);
    this.#publish();
  }

  warn(code: string): void {
    if (!this.isOver && !this.#warnings.includes(code)) this.#warnings = [...this.#warnings, code];
  }

  wait(reason?: string | StateReason): void {
    if (this.isOver || this.#state === 'cancelling') return;
    this.#reason = reason === undefined ? null : typeof reason === 'string' ? { code: reason } : reason;
    if (this.#state === 'running') this.#state = 'paused';
    this.#publish();
  }

  pause(reason?: string | StateReason): void {
    if (this.#state === 'queued') assertTransition('queued', 'paused');
    this.wait(reason);
  }

  resume(): void {
    if (this.#state === 'queued' || this.#state === 'paused') this.#enter('running');
  }

  end(end: End): void {
    if (this.isOver) return;
    // The table of states has no way from `queued` or `paused` to success, nor to `cancelled` without `cancelling`.
    if (end.state === 'succeeded') this.resume();
    if (end.state === 'cancelled' && this.#state !== 'running') this.#state = 'cancelling';
    assertTransition(this.#state, end.state);
    this.#end = end;
    this.#state = end.state;
    this.#reason = null;
    this.#current.state = this.#hasBegun ? lastPhaseStates[end.state] : 'skipped';
    this.#stopPull();
    this.#options.signal?.removeEventListener('abort', this.#forwardAbort);
    this.#publish();
  }

  fail(error: unknown): void {
    if (isFromAbort(error, this.signal)) this.end({ state: 'cancelled', error: null, result: null });
    else this.end({ state: 'failed', error: describeError(error), result: null });
  }

  /** The end of an operation that nothing can end any more. */
  abandon(): void {
    if (this.signal.aborted) this.end({ state: 'cancelled', error: null, result: null });
    else this.end({ state: 'failed', error: abandoned, result: null });
  }

  readonly #forwardAbort = (): void => this.abort(this.#options.signal?.reason);

  /** Progress shows that the work has begun. */
  #begin(): void {
    if (this.#state === 'queued') this.#enter('running');
  }

  #enter(state: OperationState): void {
    assertTransition(this.#state, state);
    this.#state = state;
    this.#reason = null;
    if (state === 'running') {
      this.#hasBegun = true;
      this.#current.state = 'running';
    }
    this.#publish();
  }

  #publish(): void {
    this.#snapshot = this.#host.put(this.#record(), this) ?? this.#snapshot;
  }

  #addPhase(name: string, total: number | null): Phase {
    const { unit = 'steps' } = this.#options;
    const state = this.#hasBegun ? 'running' : 'pending';
    const phase: Phase = { name, unit, done: 0, durable: 0, total, state, elapsedMs: 0 };
    this.#phases.push(phase);
    return phase;
  }

  #record(): OperationRecord {
    const { action, title, subject, owner, ownerName, label } = this.#options;
    return {
      id: this.id,
      action,
      owner,
      state: this.#state,
      title: title ?? null,
      stateReason: this.#reason,
      // The hub measures the running time of each phase.
      phases: this.#phases.map(({ elapsedMs: _elapsedMs, ...phase }) => phase),
      phaseIndex: this.#hasBegun ? this.#phases.length - 1 : -1,
      warnings: [...this.#warnings],
      error: this.#end?.error ?? null,
      result: this.#end?.result ?? null,
      ...(subject === undefined ? {} : { subject }),
      ...(ownerName === undefined ? {} : { ownerName }),
      ...(label === undefined ? {} : { label }),
    };
  }
}

/** Handles that the program loses can never end their operation. */
const lostHandles = new FinalizationRegistry<OperationRecorder>((recorder) => recorder.abandon());

/** The handle of a recorder. */
export class OperationHandle implements Operation {
  readonly #recorder: OperationRecorder;

  constructor(recorder: OperationRecorder) {
    this.#recorder = recorder;
    lostHandles.register(this, recorder);
  }

  get id(): string {
    return this.#recorder.id;
  }

  get signal(): AbortSignal {
    return this.#recorder.signal;
  }

  get snapshot(): Snapshot {
    return this.#recorder.snapshot();
  }

  get total(): number | null {
    return this.#recorder.total;
  }

  set total(total: number | null) {
    this.#recorder.setTotal(total);
  }

  add(n: number): void {
    this.#recorder.addDone(n);
  }

  set(done: number): void {
    this.#recorder.setDone(done, 'set');
  }

  phase(name: string, total: number | null = null): void {
    this.#recorder.startPhase(name, total);
  }

  warn(code: string): void {
    this.#recorder.warn(code);
  }

  wait(reason?: string | StateReason): void {
    this.#recorder.wait(reason);
  }

  pause(reason?: string | StateReason): void {
    this.#recorder.pause(reason);
  }

  resume(): void {
    this.#recorder.resume();
  }

  succeed(result: { kind: string; id: number | string } | null = null): void {
    this.#recorder.end({ state: 'succeeded', error: null, result });
  }

  fail(error: unknown): void {
    this.#recorder.fail(error);
  }

  cancel(): void {
    this.#recorder.end({ state: 'cancelled', error: null, result: null });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#recorder.abandon();
    return Promise.resolve();
  }
}
