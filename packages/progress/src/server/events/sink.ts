/**
 * Where an event stream writes: the response of a Node server, or the body of a Web standard `Response`. It has one
 * credit. A stream that waits for the credit writes no snapshot, so newer snapshots replace older ones.
 */
export interface EventSink {
  /** Sends headers. Called once, before the first `write`. */
  open(headers: Readonly<Record<string, string>>): void;
  /** Sends at once, also without the credit. The credit returns when the bytes have left this process. */
  write(data: Buffer | string): void;
  /** True while the credit is taken. */
  readonly isBusy: boolean;
  /** Bytes that wait in this process. */
  bufferedBytes(): number;
  /** Sends the last bytes and closes. A client that does not read them is destroyed after `graceMs`. */
  end(last: Buffer | string | undefined, graceMs: number): void;
  /** Closes without waiting for the client. */
  destroy(): void;
}

/** What a stream learns from its sink. */
export interface SinkEvents {
  /** The credit returned. */
  free(): void;
  /** The client or this process closed the stream. Called once. */
  closed(): void;
}

/** Headers of every event stream. */
export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  // A compressing middleware buffers events until its block is full, unless `no-transform` forbids it.
  'cache-control': 'no-store, no-transform',
  // Otherwise nginx would delay events until its buffer is full.
  'x-accel-buffering': 'no',
};
