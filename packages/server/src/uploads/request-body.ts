import type { IncomingMessage } from 'node:http';

/** Why reading ended. `complete`: the request had no more bytes; `lost`: the connection broke. */
export type BodyEnd = 'complete' | 'lost' | 'too_long' | 'storage' | BodyStop;
/** Why the server stopped reading. */
export type BodyStop = 'paused' | 'cancelled' | 'server_stopped' | 'taken_over' | 'revoked' | 'refused';

/** The bytes of one request on their way into the file. */
export interface Body {
  readonly ended: Promise<BodyEnd>;
  readonly isOver: boolean;
  /** Monotonic time of the last byte; the current time while the server reads no bytes. */
  readonly lastByteAtMs: number;
  /** Stops reading. Bytes passed to `onChunk` before stay valid. */
  stop(why: BodyStop): void;
  /** Continues reading if there is room, or ends the body if the storage has failed. */
  resume(): void;
}

export interface BodyOptions {
  request: IncomingMessage;
  /** Maximum bytes that belong to the file. */
  maxBytes: number;
  inactivityMs: number;
  onChunk: (chunk: Buffer) => void;
  /** True: reading pauses until `resume()`. */
  isFull: () => boolean;
  hasFailed: () => boolean;
}

/** Reads the raw stream of a request without parsing or copying, no faster than the disk accepts the bytes. */
export function readBody(options: BodyOptions): Body {
  return new RequestBody(options);
}

class RequestBody implements Body {
  readonly #options: BodyOptions;
  readonly #timer: NodeJS.Timeout;
  readonly ended: Promise<BodyEnd>;
  #settle: (end: BodyEnd) => void = () => {};
  #remainingBytes: number;
  #lastByteAtMs = performance.now();
  isOver = false;

  constructor(options: BodyOptions) {
    this.#options = options;
    this.#remainingBytes = options.maxBytes;
    this.ended = new Promise((resolve) => (this.#settle = resolve));
    this.#timer = setTimeout(() => this.#onInactivity(), options.inactivityMs);
    const { request } = options;
    // `close` reports a broken connection. Without this listener the error would end the process.
    request.on('error', () => {});
    request.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
    if (request.destroyed) this.#end('lost');
  }

  get lastByteAtMs(): number {
    return this.#options.request.isPaused() ? performance.now() : this.#lastByteAtMs;
  }

  stop(why: BodyStop): void {
    this.#end(why);
  }

  resume(): void {
    const { request, isFull, hasFailed } = this.#options;
    if (hasFailed()) this.#end('storage');
    else if (!this.isOver && request.isPaused() && !isFull()) request.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    const { request, onChunk, isFull, hasFailed } = this.#options;
    this.#lastByteAtMs = performance.now();
    this.#timer.refresh();
    // Bytes beyond the announced length are never passed to `onChunk`.
    if (chunk.length > this.#remainingBytes) {
      this.#end('too_long');
      return;
    }
    this.#remainingBytes -= chunk.length;
    onChunk(chunk);
    if (hasFailed()) this.#end('storage');
    else if (isFull()) request.pause();
  };

  readonly #onEnd = (): void => this.#end(this.#options.request.complete ? 'complete' : 'lost');
  readonly #onClose = (): void => this.#end('lost');

  #onInactivity(): void {
    const { request } = this.#options;
    // While the server waits for its disk, the client cannot send.
    if (request.isPaused()) this.#timer.refresh();
    else request.destroy();
  }

  #end(why: BodyEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.#timer);
    const { request } = this.#options;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    request.pause();
    this.#settle(why);
  }
}
