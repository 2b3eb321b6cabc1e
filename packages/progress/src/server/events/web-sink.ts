import type { EventSink, SinkEvents } from './sink.ts';

/** The body of a Web standard `Response`, and the sink that fills it. */
export interface WebSink extends EventSink {
  /** Answers the request once `open` was called. */
  response(): Response;
}

/** @param signal aborts when the client has left, in runtimes that do not cancel the body */
export function createWebSink(signal: AbortSignal | undefined, events: SinkEvents): WebSink {
  return new BodySink(signal, events);
}

const closedEarly = (): Error => new Error('The event stream was closed.');

/** A queue without room: the runtime pulls only when it has passed on what it has. A pull is the credit. */
class BodySink implements WebSink {
  readonly #events: SinkEvents;
  readonly #body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #headers: Readonly<Record<string, string>> = {};
  #queuedBytes = 0;
  #isBusy = false;
  #isClosed = false;

  constructor(signal: AbortSignal | undefined, events: SinkEvents) {
    this.#events = events;
    this.#body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pulled(),
        cancel: () => this.#closed(),
      },
      { highWaterMark: 0 },
    );
    signal?.addEventListener('abort', () => this.#leave(), { once: true });
    if (signal?.aborted === true) this.#leave();
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  response(): Response {
    return new Response(this.#body, { headers: { ...this.#headers } });
  }

  open(headers: Readonly<Record<string, string>>): void {
    this.#headers = headers;
  }

  write(data: Buffer | string): void {
    if (this.#isClosed) return;
    // A copy, because a runtime may transfer the memory of a chunk, and all watchers share one Buffer.
    const chunk = new Uint8Array(Buffer.from(data));
    this.#queuedBytes += chunk.length;
    this.#isBusy = true;
    this.#controller?.enqueue(chunk);
  }

  bufferedBytes(): number {
    return this.#queuedBytes;
  }

  end(last: Buffer | string | undefined, graceMs: number): void {
    if (this.#isClosed) return;
    if (last !== undefined) this.write(last);
    const controller = this.#controller;
    controller?.close();
    // Discards what is still queued. Without effect on a body that was read to its end.
    setTimeout(() => controller?.error(closedEarly()), graceMs).unref();
    this.#closed();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#controller?.error(closedEarly());
    this.#closed();
  }

  /** The client has left, so an error has no reader. Some runtimes would log it. */
  #leave(): void {
    if (this.#isClosed) return;
    this.#controller?.close();
    this.#closed();
  }

  #pulled(): void {
    this.#queuedBytes = 0;
    if (!this.#isBusy || this.#isClosed) return;
    this.#isBusy = false;
    this.#events.free();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.closed();
  }
}
