import type { OperationError, Reference, Snapshot, StateReason } from '@wcc/progress';
import type { PhaseUnit } from '@wcc/progress/protocol';
import { assertOptions } from '../assert-options.ts';
import { cutText } from './snapshot-size.ts';

/** Describes an operation to `hub.start` and `hub.run`. */
export interface StartOptions {
  /** Name of the action, e.g. `build_report`. */
  action: string;
  /** Shown instead of the action's name. @default null */
  title?: string | null | undefined;
  /** What the operation is about. @default a reference without kind, id and name */
  subject?: Reference | undefined;
  /** Id of the user who owns the operation. `authorize` and `serveProgress` compare it. */
  owner: string;
  /** Shown to people. @default `owner` */
  ownerName?: string | undefined;
  /** Units of the first phase; `null` if unknown. @default null */
  total?: number | null | undefined;
  /** What all phases count. @default 'steps' */
  unit?: PhaseUnit | undefined;
  /**
   * Name of the first phase.
   * @default 'work', which disappears if `op.phase` names a phase before the first unit is done
   */
  phase?: string | undefined;
  /** When it is aborted, the operation becomes `cancelling` at once and `op.signal` is aborted. */
  signal?: AbortSignal | undefined;
  /** At most 64 characters. A guessable id is allowed, because ids grant no right. @default 128 random bits */
  id?: string | undefined;
  /** For people and logs. @default `<action>_<id or name of the subject>` */
  label?: string | undefined;
  /** `queued` if something else starts the work later. @default 'running' */
  state?: 'running' | 'queued' | undefined;
}

const names: ReadonlySet<string> = new Set([
  'action',
  'title',
  'subject',
  'owner',
  'ownerName',
  'total',
  'unit',
  'phase',
  'signal',
  'id',
  'label',
  'state',
] satisfies (keyof StartOptions)[]);

/** @throws {ProgressError} `invalid_option` */
export function assertStartOptions(options: unknown): void {
  assertOptions(options, { names, signals: ['signal'] });
}

/**
 * Where work reports what it does. The calls write numbers and states; they never wait for a watcher.
 *
 * - An amount that is not a finite number of 0 or more throws `ProgressError` `invalid_amount`.
 * - The first end wins: after it, and after the operation was removed or the hub closed, all calls are ignored.
 * - While the operation is `cancelling`, `wait`, `pause` and `resume` are ignored.
 * - A handle that is collected by the garbage collector before an end makes the operation `failed` (`abandoned`).
 */
export interface Operation {
  readonly id: string;
  /** Aborted by the option `signal` and by `hub.abort`. Pass it to the work. */
  readonly signal: AbortSignal;
  /** The newest snapshot, with the numbers of this moment. */
  readonly snapshot: Snapshot;
  /** Adds `n` units done in the current phase. A queued operation becomes `running`. */
  add(n: number): void;
  /**
   * Sets the units done in the current phase, e.g. from a counter of another program. A queued operation becomes
   * `running`. A smaller number than before is reported to `onError` as `done_decreased`; watchers keep the greater.
   */
  set(done: number): void;
  /** Units of the current phase; `null` if unknown. */
  total: number | null;
  /**
   * Ends the current phase and starts the next one. A queued operation becomes `running`.
   * @param total units of the new phase. @default null, unknown
   */
  phase(name: string, total?: number | null): void;
  /** Adds the code of a warning, once. */
  warn(code: string): void;
  /** The work waits for something: a queued operation stays `queued`, a running one becomes `paused`. */
  wait(reason?: string | StateReason): void;
  /** Someone paused the work. @throws {ProgressError} `invalid_transition` if it is queued */
  pause(reason?: string | StateReason): void;
  /** A queued or paused operation becomes `running`; a running one stays so. */
  resume(): void;
  /** Ends the operation as `succeeded`. @param result what it made, shown to watchers: a kind and a key, no content */
  succeed(result?: { kind: string; id: number | string }): void;
  /**
   * Ends the operation as `failed`. Watchers see `code`, `message` and, if it is a text, `hint` of the error; never
   * its stack or cause. If the signal is aborted and the error comes from that, the end is `cancelled`.
   */
  fail(error: unknown): void;
  /** Ends the operation as `cancelled`: the work has stopped. To ask work to stop, use `hub.abort`. */
  cancel(): void;
  /** Ends an operation without an end: `cancelled` if the signal is aborted, else `failed` (`abandoned`). */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What watchers see if no one can end the operation any more. */
export const abandoned: OperationError = {
  code: 'abandoned',
  message: 'The work stopped without saying how it ended.',
  hint: 'Look for its error in the log of the server.',
  detail: null,
};

const unknownFailure = 'The operation failed.';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const maxCodeBytes = 64;

type ErrorFields = Partial<Record<'code' | 'message' | 'hint', unknown>>;

/** The fields of anything that was thrown. Reading one may throw too, and must not hide that the work has ended. */
function fieldsOf(error: unknown): ErrorFields {
  if (typeof error !== 'object' || error === null) return { message: error };
  try {
    const { code, message, hint } = error as ErrorFields;
    return { code, message, hint };
  } catch {
    return {};
  }
}

/** The error as watchers see it: texts only, never its stack or cause. */
export function describeError(error: unknown): OperationError {
  const fields = fieldsOf(error);
  return {
    code: cutText(textOf(fields.code), maxCodeBytes) || 'failed',
    message: textOf(fields.message) || unknownFailure,
    hint: textOf(fields.hint),
    detail: null,
  };
}

/**
 * Runs the work of an operation. The operation ends as `succeeded`, as `cancelled` if the work throws after its signal
 * was aborted, or as `failed`. An end that the work itself reports stays.
 */
export async function runOperation<T>(op: Operation, work: (op: Operation) => T | Promise<T>): Promise<T> {
  try {
    op.signal.throwIfAborted();
    const value = await work(op);
    op.succeed();
    return value;
  } catch (error) {
    if (op.signal.aborted) op.cancel();
    else op.fail(error);
    throw error;
  }
}

const maxCauses = 8;

/** Whether an error is the reason of an aborted signal, an AbortError, or caused by one. */
export function isFromAbort(error: unknown, signal: AbortSignal): boolean {
  let cause = error;
  for (let depth = 0; signal.aborted && depth < maxCauses; depth += 1) {
    if (cause === signal.reason) return true;
    if (!(cause instanceof Error)) return false;
    if (cause.name === 'AbortError') return true;
    cause = cause.cause;
  }
  return false;
}
