import { ApiError } from '@wcc/api';
import type { ReceivedFile } from '@wcc/copy';
import type { OperationView } from '../operations/action.ts';
import type { Work, WorkResult } from '../operations/work.ts';
import type { WorkFailure } from '../operations/failure.ts';
import type { BodyStop } from './bytes/body.ts';
import { createDurability } from './bytes/durability.ts';
import { createByteSink } from './bytes/sink.ts';
import { memoryOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import { takeIncoming } from './receive-request.ts';
import type { Incoming, Receiver, Sender } from './receive-request.ts';
import type { UploadInput } from './input.ts';
import { failureOf, interruption, storageFailure } from './upload-errors.ts';

/** A client that sends in pieces has so long for the next one before the upload counts as waiting for it. */
export const restAfterMs = 5_000;

/**
 * The running part of an upload: from the moment its client begins to send until it is complete, stops sending,
 * or somebody stops it. It holds the partial open; one request at a time brings bytes.
 *
 * `idle → receiving → idle → … → finishing`, and from each of them to `over`, once: published, at rest
 * (`waiting_for_client`), interrupted, cancelled, paused for want of space, or failed.
 */
export interface Sitting extends Work {
  readonly durableBytes: number;
  /** What came so far, durable or not. */
  readonly takenBytes: number;
  readonly isOver: boolean;
  readonly isPaused: boolean;
  /** Who sends now; null: nobody does. */
  readonly sender: Sender | null;
  /** Resolves once the present request, if there is one, has given way. */
  quiet(): Promise<void>;
  /**
   * Takes the bytes of one request. When this resolves they are durable.
   * @throws ApiError when not all were taken, with what to tell the client
   */
  receive(incoming: Incoming): Promise<void>;
  /** Everything is there: it will end by itself. */
  readonly isComplete: boolean;
  /** Tells those who watch, now, by a warning's code. */
  readonly warn: (code: string) => void;
}

export interface SittingOptions {
  context: UploadsContext;
  operation: OperationView;
  file: ReceivedFile;
  /** Checks, and puts in its place, what is complete. Rejects with what is wrong. */
  finish(file: ReceivedFile, signal: AbortSignal): Promise<WorkResult>;
  onWarning: (code: string) => void;
}

/** What the functions below share. */
interface Seat extends SittingOptions, Receiver {
  sinceMs: number;
  /** The present request's whole stay, its syncs included. */
  visit: Promise<unknown>;
  isPaused: boolean;
  isFinishing: boolean;
  ending: AbortController;
  isOver: boolean;
  rest: NodeJS.Timeout | null;
  settle: { resolve(result: WorkResult): void; reject(error: unknown): void };
}

export function createSitting(options: SittingOptions): Sitting {
  const { seat, done } = takeSeat(options);
  if (isComplete(seat)) void finish(seat);
  else rearm(seat);
  return {
    done,
    get durableBytes() {
      return seat.durability.durableBytes;
    },
    get takenBytes() {
      return seat.sink.takenBytes;
    },
    get isOver() {
      return seat.isOver;
    },
    get isPaused() {
      return seat.isPaused;
    },
    get isComplete() {
      return isComplete(seat);
    },
    get sender() {
      return seat.sender;
    },
    warn: options.onWarning,
    quiet: async () => void (await seat.visit.catch(() => {})),
    receive(incoming) {
      // Whoever comes here has found the place free; of two who did so at once, one has it.
      if (seat.sender !== null) return Promise.reject(new ApiError('upload_locked', { retryAfterS: 1 }));
      const visit = receive(seat, incoming);
      seat.visit = visit;
      return visit;
    },
    progress: () => progressOf(seat),
    cancel: () => void end(seat, { stop: 'cancelled', failure: interruption('cancelled') }),
    interrupt: () => void end(seat, { stop: 'server_stopped', failure: interruption('server_stopped') }),
    pause() {
      seat.isPaused = true;
      seat.body?.stop('paused');
    },
    resume: () => void (seat.isPaused = false),
  };
}

function takeSeat(options: SittingOptions): { seat: Seat; done: Promise<WorkResult> } {
  const { context, operation, file } = options;
  let settle: Seat['settle'] = { resolve: () => {}, reject: () => {} };
  const done = new Promise<WorkResult>((resolve, reject) => (settle = { resolve, reject }));
  const sink = createByteSink({
    handle: file.handle,
    offsetBytes: file.offsetBytes,
    onRoom() {
      seat.durability.nudge();
      seat.body?.goOn();
    },
  });
  const seat: Seat = {
    ...options,
    input: operation.input as UploadInput,
    memory: memoryOf(context, operation.id),
    sink,
    durability: createDurability({
      file,
      sink: () => sink,
      gate: context.syncGate,
      onSynced: () => seat.body?.goOn(),
    }),
    sinceMs: performance.now(),
    body: null,
    sender: null,
    visit: Promise.resolve(),
    isPaused: false,
    isFinishing: false,
    ending: new AbortController(),
    isOver: false,
    rest: null,
    settle,
  };
  return { seat, done };
}

function isComplete({ durability, input }: Seat): boolean {
  return durability.durableBytes === input.sizeBytes;
}

function progressOf({ durability, input, sinceMs }: Seat): ReturnType<Work['progress']> {
  const { durableBytes, movedAtMs } = durability;
  const nowMs = performance.now();
  const { sizeBytes } = input;
  return {
    phase: 'receive',
    // What is in flight is not drawn: a crash would take it back.
    done: durableBytes,
    durable: durableBytes,
    total: sizeBytes,
    bytes: { virtual: sizeBytes, data: sizeBytes, skipped: 0, shared: 0, written: durableBytes },
    sinceProgressMs: nowMs - movedAtMs,
    phaseElapsedMs: nowMs - sinceMs,
  };
}

/** Nobody sends: after a while that is what the record says. */
function rearm(seat: Seat): void {
  if (seat.rest !== null) clearTimeout(seat.rest);
  if (seat.isOver) return;
  const failure = interruption('waiting_for_client');
  seat.rest = setTimeout(() => void end(seat, { failure }), restAfterMs);
  seat.rest.unref();
}

async function receive(seat: Seat, incoming: Incoming): Promise<void> {
  if (seat.rest !== null) clearTimeout(seat.rest);
  try {
    const refusal = await takeIncoming(seat, incoming);
    if (refusal !== null) throw refusal;
    if (isComplete(seat)) void finish(seat);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    // The file is what is broken, not the request: the upload ends, or waits for room.
    const failure = storageFailure(error);
    await end(seat, { failure });
    throw new ApiError(failure.told, { cause: error });
  } finally {
    [seat.body, seat.sender] = [null, null];
    if (!seat.isFinishing) rearm(seat);
  }
}

interface Ending {
  failure: WorkFailure;
  /** For a request that is sending; absent: it is that request itself which ends the sitting, or there is none. */
  stop?: BodyStop;
}

/** The one way out but completion. What was received is durable before the file is closed. */
async function end(seat: Seat, { stop, failure }: Ending): Promise<void> {
  if (seat.isOver) return;
  seat.isOver = true;
  seat.ending.abort(failure);
  if (seat.rest !== null) clearTimeout(seat.rest);
  if (stop !== undefined) {
    seat.body?.stop(stop);
    await seat.visit.catch(() => {});
  }
  if (seat.isFinishing) return;
  await seat.file.close().catch(() => {});
  seat.settle.reject(failure);
}

async function finish(seat: Seat): Promise<void> {
  if (seat.isFinishing || seat.isOver) return;
  seat.isFinishing = true;
  if (seat.rest !== null) clearTimeout(seat.rest);
  try {
    const result = await seat.finish(seat.file, seat.ending.signal);
    seat.isOver = true;
    seat.settle.resolve(result);
  } catch (error) {
    seat.isOver = true;
    await seat.file.close().catch(() => {});
    seat.settle.reject(seat.ending.signal.aborted ? seat.ending.signal.reason : failureOf(error));
  }
}
