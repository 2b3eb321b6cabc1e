import type { IncomingMessage } from 'node:http';

/** Why no more bytes come; `complete`: the request had no more, `lost`: its connection is gone. */
export type BodyEnd = 'complete' | 'lost' | 'too_long' | 'storage' | BodyStop;
/** Who wanted it to stop. */
export type BodyStop = 'paused' | 'cancelled' | 'server_stopped' | 'taken_over' | 'revoked';

/** The bytes of one request, on their way into the file. */
export interface Body {
  readonly ended: Promise<BodyEnd>;
  readonly isOver: boolean;
  /** Monotonic time of the last byte; now, while it is us that nothing can be taken. */
  readonly heardAtMs: number;
  /** Takes no more; what was taken stays so. */
  stop(why: BodyStop): void;
  /** There may be room again. */
  goOn(): void;
}

export interface BodyOptions {
  request: IncomingMessage;
  /** No more than so many bytes belong to the file. */
  roomBytes: number;
  inactivityMs: number;
  take: (chunk: Buffer) => void;
  mustWait: () => boolean;
  hasFailed: () => boolean;
}

/**
 * Reads the raw stream of a request, byte for byte as it comes. Nothing is parsed or copied on the way; the
 * socket is read no faster than the disk takes.
 */
export function readBody(options: BodyOptions): Body {
  return new RequestBody(options);
}

class RequestBody implements Body {
  readonly #options: BodyOptions;
  readonly #timer: NodeJS.Timeout;
  readonly ended: Promise<BodyEnd>;
  #settle: (end: BodyEnd) => void = () => {};
  #roomBytes: number;
  #heardAtMs = performance.now();
  isOver = false;

  constructor(options: BodyOptions) {
    this.#options = options;
    this.#roomBytes = options.roomBytes;
    this.ended = new Promise((resolve) => (this.#settle = resolve));
    this.#timer = setTimeout(() => this.#tooSilent(), options.inactivityMs);
    const { request } = options;
    // A connection that breaks is told by `close`; without a listener the error would end the process.
    request.on('error', () => {});
    request.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
    if (request.destroyed) this.#end('lost');
  }

  get heardAtMs(): number {
    return this.#options.request.isPaused() ? performance.now() : this.#heardAtMs;
  }

  stop(why: BodyStop): void {
    this.#end(why);
  }

  goOn(): void {
    const { request, mustWait, hasFailed } = this.#options;
    if (hasFailed()) this.#end('storage');
    else if (!this.isOver && request.isPaused() && !mustWait()) request.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    const { request, take, mustWait, hasFailed } = this.#options;
    this.#heardAtMs = performance.now();
    this.#timer.refresh();
    // No byte beyond the announced length is ever taken.
    if (chunk.length > this.#roomBytes) {
      this.#end('too_long');
      return;
    }
    this.#roomBytes -= chunk.length;
    take(chunk);
    if (hasFailed()) this.#end('storage');
    else if (mustWait()) request.pause();
  };

  readonly #onEnd = (): void => this.#end(this.#options.request.complete ? 'complete' : 'lost');
  readonly #onClose = (): void => this.#end('lost');

  #tooSilent(): void {
    const { request } = this.#options;
    // A slow disk is not the client's silence.
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
