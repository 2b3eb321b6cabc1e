import type { ServerResponse } from 'node:http';
import type { EventSink, SinkEvents } from './sink.ts';

/** How often a response with unsent bytes is looked at, when no event says that they were sent. */
const lookEveryMs = 50;

/** The response of a Node server, or of a runtime or middleware that imitates it. */
export function createResponseSink(response: ServerResponse, events: SinkEvents): EventSink {
  return new ResponseSink(response, events);
}

/**
 * The credit returns when the response has no unsent bytes. Neither the callback of `write` nor `drain` is reliable:
 * middlewares drop the callback, Bun calls it too early, and `drain` follows only a write that returned false. So
 * both only cause a look, and a timer looks in any case.
 */
class ResponseSink implements EventSink {
  readonly #response: ServerResponse;
  readonly #events: SinkEvents;
  #timer: NodeJS.Timeout | null = null;
  #isBusy = false;
  #isClosed = false;
  readonly #look = (): void => this.#lookNow();

  constructor(response: ServerResponse, events: SinkEvents) {
    this.#response = response;
    this.#events = events;
    response.on('drain', this.#look);
    // An error of the peer ends only its own stream; `close` follows.
    response.on('error', () => undefined);
    response.once('close', () => {
      this.#isClosed = true;
      this.#stopLooking();
      events.closed();
    });
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  open(headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(200, headers);
  }

  write(data: Buffer | string): void {
    if (this.#isClosed) return;
    this.#isBusy = true;
    this.#response.write(data, this.#look);
    this.#timer ??= setInterval(this.#look, lookEveryMs).unref();
    // Bytes that the kernel accepted at once need no callback.
    setImmediate(this.#look);
  }

  bufferedBytes(): number {
    return this.#response.writableLength;
  }

  end(last: Buffer | string | undefined, graceMs: number): void {
    this.#stopLooking();
    if (this.#isClosed) return;
    this.#response.end(last);
    const timer = setTimeout(() => this.#response.destroy(), graceMs).unref();
    this.#response.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.#stopLooking();
    this.#response.destroy();
  }

  #lookNow(): void {
    if (!this.#isBusy || this.#isClosed || this.#response.writableLength > 0) return;
    this.#stopLooking();
    this.#isBusy = false;
    this.#events.free();
  }

  #stopLooking(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
