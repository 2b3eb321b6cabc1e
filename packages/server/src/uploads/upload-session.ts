import { ApiError } from '@wcc/api';
import { createDurableWriter } from '@wcc/copy/receive';
import type { DurableWriter, Limit, PartialFile } from '@wcc/copy/receive';
import type { HeadJudge } from '../images/foreign/head-judge.ts';
import { toWorkFailure } from '../operations/failure.ts';
import type { WorkFailure } from '../operations/failure.ts';
import { createCounters } from '../operations/work.ts';
import type { Counters, Progress, StartHooks, Work, WorkProgress, WorkResult } from '../operations/work.ts';
import { receiveRequest } from './receive-request.ts';
import type { ReceiveState, Sender, UploadRequest } from './receive-request.ts';
import type { BodyStop } from './request-body.ts';
import { errorForStorage, interruptedBy, toStorageFailure } from './upload-errors.ts';
import type { UploadInput, UploadScratch } from './upload.ts';

/** How long an upload may be idle between requests before it becomes `waiting_for_client`. */
const idleAfterMs = 5_000;

type Mode = 'idle' | 'receiving' | 'finishing' | 'over';

const transitions: Readonly<Record<Mode, readonly Mode[]>> = {
  idle: ['receiving', 'finishing', 'over'],
  receiving: ['idle', 'finishing', 'over'],
  finishing: ['over'],
  over: [],
};

export interface UploadSessionOptions {
  input: UploadInput;
  scratch: UploadScratch;
  file: PartialFile;
  head: HeadJudge;
  /** Limits concurrent syncs. */
  limit: Limit;
  hooks: StartHooks;
  /** Checks and publishes the complete file. Rejects with the reason why it is not accepted. */
  finish: (file: PartialFile, progress: Progress) => Promise<WorkResult>;
}

interface Ending {
  failure: WorkFailure;
  /**
   * The way to stop the current request. Absent when no request is sending, or when the request itself ends the
   * session.
   */
  stop?: BodyStop;
}

/**
 * A running upload: it has the partial open and receives bytes from one request at a time.
 *
 * Modes: `idle → receiving → idle → … → finishing`, and from each of them to `over`. A session is over when its
 * file is published or rejected, when it waits for its client, or when it is interrupted, cancelled or paused.
 */
export class UploadSession implements Work {
  readonly done: Promise<WorkResult>;
  readonly #options: UploadSessionOptions;
  readonly #writer: DurableWriter;
  readonly #state: ReceiveState;
  readonly #counters: Counters;
  readonly #stopping = new AbortController();
  #mode: Mode = 'idle';
  /** Resolves after the last sync of the current request. */
  #request: Promise<unknown> = Promise.resolve();
  #idleTimer: NodeJS.Timeout | null = null;
  #settle: { resolve(result: WorkResult): void; reject(error: WorkFailure): void } = {
    resolve: () => {},
    reject: () => {},
  };

  constructor(options: UploadSessionOptions) {
    const { file, input, scratch, limit, hooks, head } = options;
    this.#options = options;
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#counters = createCounters(hooks, this.#stopping.signal);
    this.#writer = createDurableWriter({ file, limit, onChange: () => this.#onChange() });
    this.#state = { input, scratch, writer: this.#writer, head, refused: null, body: null, sender: null };
    const notes = [`at ${file.offsetBytes} bytes`];
    this.#counters.progress.startPhase('receive', { unit: 'bytes', total: input.sizeBytes, notes });
    this.#reportProgress();
    if (this.isComplete) void this.#finish();
    else this.#armIdleTimer();
  }

  /** Every byte below this offset is durable. */
  get durableBytes(): number {
    return this.#writer.durableBytes;
  }

  /** Every byte below this offset has arrived, durable or not. */
  get takenBytes(): number {
    return this.#writer.takenBytes;
  }

  /** All bytes are durable: the session finishes without another request. */
  get isComplete(): boolean {
    return this.#writer.durableBytes === this.#options.input.sizeBytes;
  }

  get isOver(): boolean {
    return this.#mode === 'over';
  }

  /** The first bytes were refused: the upload has failed. */
  get isRefused(): boolean {
    return this.#state.refused !== null;
  }

  /** The client of the current request; null: no request is sending. */
  get sender(): Sender | null {
    return this.#state.sender;
  }

  /** Resolves when the current request, if there is one, has ended and its bytes are durable. */
  async drained(): Promise<void> {
    await this.#request.catch(() => {});
  }

  /** Reports a warning to watchers, by its code. */
  readonly warn = (code: string): void => this.#options.hooks.onWarning(code);

  /**
   * Receives the bytes of one request. They are durable when this resolves.
   * @throws ApiError for the client, unless all bytes of the request are durable
   */
  receive(request: UploadRequest): Promise<void> {
    // Two requests may find the session idle at the same time: the second one is refused.
    if (this.#mode !== 'idle') return Promise.reject(new ApiError('upload_locked', { retryAfterS: 1 }));
    this.#enter('receiving');
    const received = this.#receive(request);
    this.#request = received;
    return received;
  }

  progress(): WorkProgress {
    return this.#counters.read();
  }

  cancel(): void {
    void this.#end({ stop: 'cancelled', failure: interruptedBy('cancelled') });
  }

  interrupt(): void {
    void this.#end({ stop: 'server_stopped', failure: interruptedBy('server_stopped') });
  }

  pause(): void {
    this.#state.body?.stop('paused');
  }

  /** A lost connection needs no action, because the client sends again. */
  resume(): void {}

  async #receive(request: UploadRequest): Promise<void> {
    try {
      const refusal = await receiveRequest(this.#state, request);
      await this.#failIfRefused();
      if (refusal !== null) throw refusal;
      if (this.isComplete && this.#isIn('receiving')) void this.#finish();
    } catch (error) {
      if (error instanceof ApiError) throw error;
      // The storage failed, not the request: the upload fails, or waits for space.
      const failure = toStorageFailure(error);
      await this.#end({ failure });
      throw errorForStorage(failure);
    } finally {
      Object.assign(this.#state, { body: null, sender: null });
      if (this.#isIn('receiving')) {
        this.#enter('idle');
        this.#armIdleTimer();
      }
    }
  }

  /** @throws ApiError the refusal of the first bytes */
  async #failIfRefused(): Promise<void> {
    const { refused } = this.#state;
    if (refused === null) return;
    await this.#end({ failure: toWorkFailure(refused) });
    throw refused;
  }

  /** Ends the session before completion. All received bytes are durable before the file is closed. */
  async #end({ stop, failure }: Ending): Promise<void> {
    if (this.#mode === 'over') return;
    this.#stopping.abort(failure);
    // The work in progress notices the abort and ends the session.
    if (this.#mode === 'finishing') return;
    this.#enter('over');
    if (stop !== undefined) {
      this.#state.body?.stop(stop);
      await this.drained();
    }
    await this.#close();
    this.#settle.reject(failure);
  }

  async #finish(): Promise<void> {
    const { file, finish } = this.#options;
    const { signal } = this.#stopping;
    this.#enter('finishing');
    try {
      const result = await finish(file, this.#counters.progress);
      this.#enter('over');
      this.#settle.resolve(result);
    } catch (error) {
      this.#enter('over');
      await this.#close();
      this.#settle.reject(signal.aborted ? (signal.reason as WorkFailure) : toWorkFailure(error));
    }
  }

  #enter(mode: Mode): void {
    if (!transitions[this.#mode].includes(mode)) {
      throw new Error(`An upload session cannot go from ${this.#mode} to ${mode}.`);
    }
    this.#mode = mode;
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
  }

  #isIn(mode: Mode): boolean {
    return this.#mode === mode;
  }

  #armIdleTimer(): void {
    const failure = interruptedBy('waiting_for_client');
    this.#idleTimer = setTimeout(() => void this.#end({ failure }), idleAfterMs);
    this.#idleTimer.unref();
  }

  async #close(): Promise<void> {
    this.#writer.close();
    await this.#options.file.close().catch(() => {});
  }

  #onChange(): void {
    this.#state.body?.resume();
    if (!this.#isIn('finishing')) this.#reportProgress();
  }

  /** Bytes in flight are not reported, because a crash would lose them. */
  #reportProgress(): void {
    const { sizeBytes } = this.#options.input;
    const { durableBytes } = this.#writer;
    const { progress } = this.#counters;
    progress.advance(durableBytes, durableBytes);
    progress.setBytes({ virtual: sizeBytes, data: sizeBytes, skipped: 0, shared: 0, written: durableBytes });
  }
}
