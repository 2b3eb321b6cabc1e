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
  take(chunk: Buffer): void;
  mustWait(): boolean;
  hasFailed(): boolean;
}

/**
 * Reads the raw stream of a request, byte for byte as it comes. Nothing is parsed or copied on the way; the
 * socket is read no faster than the disk takes.
 */
export function readBody(options: BodyOptions): Body {
  const { request, take, mustWait, hasFailed } = options;
  let heardAtMs = performance.now();
  let roomBytes = options.roomBytes;
  let settle: (end: BodyEnd) => void = () => {};
  const ended = new Promise<BodyEnd>((resolve) => (settle = resolve));
  let isOver = false;
  const end = (why: BodyEnd): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    request.pause();
    settle(why);
  };
  const onData = (chunk: Buffer): void => {
    heardAtMs = performance.now();
    timer.refresh();
    // No byte beyond the announced length is ever taken.
    if (chunk.length > roomBytes) {
      end('too_long');
      return;
    }
    roomBytes -= chunk.length;
    take(chunk);
    if (hasFailed()) end('storage');
    else if (mustWait()) request.pause();
  };
  const onEnd = (): void => end(request.complete ? 'complete' : 'lost');
  const onClose = (): void => end('lost');
  const timer = setTimeout(() => {
    // A slow disk is not the client's silence.
    if (request.isPaused()) timer.refresh();
    else request.destroy();
  }, options.inactivityMs);
  // A connection that breaks is told by `close`; without a listener the error would end the process.
  request.on('error', () => {});
  request.on('data', onData).once('end', onEnd).once('close', onClose);
  if (request.destroyed) end('lost');
  return {
    ended,
    get isOver() {
      return isOver;
    },
    get heardAtMs() {
      return request.isPaused() ? performance.now() : heardAtMs;
    },
    stop: end,
    goOn() {
      if (isOver) return;
      if (hasFailed()) end('storage');
      else if (request.isPaused() && !mustWait()) request.resume();
    },
  };
}
