import { isTerminal } from '@wcc/progress';
import type { LimitFunction } from 'p-limit';
import type { OperationsState } from '../../operations/operations-state.ts';
import { ChunkSizer, waitMs } from './chunk-sizer.ts';
import { readSlice } from './local-file.ts';
import type { LocalFile } from './local-file.ts';
import { StallWatch } from './stall-watch.ts';
import type { Tus } from './tus.ts';
import { isEnd, viewOfError } from './upload-view.ts';
import type { UploadView } from './upload-view.ts';

export interface UploadContext {
  tus: Tus;
  /** Limits how many uploads of this page send at the same time. */
  limit: LimitFunction;
  operations: Pick<OperationsState, 'get' | 'listen'>;
  isOnline: () => boolean;
  isSignedIn: () => boolean;
  onChange: () => void;
}

const headMs = 10_000;
const probeMs = 5000;
const lockedWaitMs = 4000;

/**
 * Sends one file until the server has it or the operation has ended. After an interruption it resumes from
 * the bytes that are durable on the server. The operation shows the progress.
 */
export class Upload {
  readonly id: string;
  readonly #file: LocalFile;
  readonly #context: UploadContext;
  readonly #chunkSizer = new ChunkSizer();
  #view: UploadView = { kind: 'sending' };
  #offsetBytes = 0;
  #failures = 0;
  #wake: () => void = () => undefined;
  #request: AbortController | null = null;

  constructor(id: string, file: LocalFile, context: UploadContext) {
    this.id = id;
    this.#file = file;
    this.#context = context;
  }

  get view(): UploadView {
    return this.#view;
  }

  /** Bytes that are durable on the server: as confirmed to this page, or as the operation reports. */
  get offsetBytes(): number {
    return Math.max(this.#offsetBytes, this.#arrivedBytes);
  }

  /** Ends the current wait: call when the connection or the session changed. */
  retryNow(): void {
    this.#wake();
  }

  async run(): Promise<void> {
    const { limit, operations } = this.#context;
    const stop = operations.listen(this.id, () => this.#onSnapshot());
    while (!this.#isOver) {
      if (this.#isPaused) {
        this.#set({ kind: 'paused' });
        await this.#wait(null);
        continue;
      }
      // Without a wait the view stays: a retry after an error still shows the error until the server answers.
      if (limit.activeCount >= limit.concurrency) this.#set({ kind: 'waiting' });
      const view = await limit(() => this.#session());
      if (view === null) continue;
      this.#set(view);
      if (!isEnd(view)) await this.#waitFor(view);
    }
    stop();
    if (!isEnd(this.#view)) this.#set({ kind: 'over', problem: null });
  }

  /** Whether the upload has ended: on the server, by a user, or by an error of this page. */
  get #isOver(): boolean {
    const entry = this.#context.operations.get(this.id);
    if (isEnd(this.#view)) return true;
    if (entry === undefined) return false;
    return entry.isUnknown || isTerminal(entry.snapshot.state) || entry.snapshot.state === 'cancelling';
  }

  get #isPaused(): boolean {
    return this.#context.operations.get(this.id)?.snapshot.state === 'paused';
  }

  /** Durable bytes that the operation reports, also within a request. */
  get #arrivedBytes(): number {
    const snapshot = this.#context.operations.get(this.id)?.snapshot;
    const phase = snapshot?.phases[snapshot.phaseIndex];
    return phase !== undefined && phase.name === 'receive' && 'done' in phase ? phase.done : 0;
  }

  /** Sends until an error or the end. @returns the new view, or `null` when the loop must check the state */
  async #session(): Promise<UploadView | null> {
    if (this.#isOver || this.#isPaused) return null;
    const request = new AbortController();
    this.#request = request;
    try {
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(headMs)]);
      this.#confirm((await this.#context.tus.offset(this.id, signal)).offsetBytes);
      // A proxy that rejects bytes still passes a HEAD request. Only accepted bytes prove that it works
      // again.
      if (this.#view.kind !== 'refused') this.#set({ kind: 'sending' });
      while (this.#offsetBytes < this.#file.size) await this.#sendPart(request);
      return { kind: 'over', problem: null };
    } catch (error) {
      if (this.#isOver || this.#isPaused) return null;
      this.#failures += 1;
      return viewOfError(error);
    } finally {
      this.#request = null;
    }
  }

  async #sendPart(request: AbortController): Promise<void> {
    const offsetBytes = this.#offsetBytes;
    const end = Math.min(this.#file.size, offsetBytes + this.#chunkSizer.bytes);
    const bytes = await readSlice(this.#file, offsetBytes, end);
    const { tus, operations, isOnline } = this.#context;
    const stallWatch = new StallWatch({
      id: this.id,
      operations,
      isOnline,
      probe: async () => (await tus.offset(this.id, AbortSignal.timeout(probeMs))).offsetBytes,
      onStalled: (reason) => request.abort(reason),
    });
    const startedAt = performance.now();
    try {
      const answer = await tus.send(this.id, { offsetBytes, bytes }, request.signal);
      // Without progress the loop would never end.
      if (answer.offsetBytes <= offsetBytes) throw new Error('The server accepted no bytes.');
      this.#failures = 0;
      this.#set({ kind: 'sending' });
      this.#confirm(answer.offsetBytes);
      if (answer.offsetBytes === end) this.#chunkSizer.recordDuration(performance.now() - startedAt);
    } catch (error) {
      this.#chunkSizer.shrink();
      throw error;
    } finally {
      stallWatch.stop();
    }
  }

  #confirm(offsetBytes: number): void {
    this.#offsetBytes = offsetBytes;
  }

  /** Waits before the next attempt; {@link retryNow} ends the wait. */
  async #waitFor(view: UploadView): Promise<void> {
    if (view.kind === 'signed_out') {
      while (!this.#context.isSignedIn() && !this.#isOver) await this.#wait(null);
      return;
    }
    const asked = view.kind === 'refused' ? (view.problem.retryAfterS ?? 0) * 1000 : 0;
    const least = view.kind === 'elsewhere' ? lockedWaitMs : asked;
    await this.#wait(Math.max(least, waitMs(this.#failures)));
  }

  #wait(durationMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = durationMs === null ? undefined : setTimeout(resolve, durationMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #onSnapshot(): void {
    if (this.#request !== null && this.#view.kind === 'refused' && this.#arrivedBytes > this.#offsetBytes)
      this.#set({ kind: 'sending' });
    if (!this.#isOver && !this.#isPaused) return this.#view.kind === 'paused' ? this.#wake() : undefined;
    this.#request?.abort();
    this.#wake();
  }

  #set(view: UploadView): void {
    if (view.kind === this.#view.kind && view.kind === 'sending') return;
    this.#view = view;
    this.#context.onChange();
  }
}
