import { maxSubscriptions } from '../core/protocol.ts';
import type { ClientMessage } from '../core/protocol.ts';
import type { Post } from './requests.ts';
import { lostCode, statusBase } from './wire.ts';
import type { Wire, WireHandlers } from './wire.ts';

export interface StreamOptions {
  post: Post;
  /** Address of the streams. */
  events: string;
  subscriptions: {
    /** At most this number of operations, as a socket would request them after `hello`, and the list. */
    messages(most: number): ClientMessage[];
  };
}

/** All changes within this time open one new stream. */
const gatherMs = 50;

/**
 * Receives the messages of the protocol as an event stream: a POST with all subscriptions, answered by one `data:`
 * line for each message. It is read by `fetch`, because an EventSource sends neither a body nor headers.
 *
 * A change of the subscriptions replaces the stream. So the server keeps no state between two requests, and any of
 * its processes can answer. Nothing is sent twice, because the subscriptions name the snapshots held.
 */
export class StreamWire implements Wire {
  readonly #options: StreamOptions;
  readonly #handlers: WireHandlers;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOpening = false;
  #isStale = false;

  constructor(options: StreamOptions, handlers: WireHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    void this.#open();
  }

  send(): void {
    // A stream that is being opened is not replaced, or frequent changes would let none open.
    if (this.#isOpening) this.#isStale = true;
    else this.#timer ??= setTimeout(() => void this.#open(), gatherMs);
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  async #open(): Promise<void> {
    // Ends the previous stream first: two at once would count twice among the user's connections.
    this.release();
    const { post, events, subscriptions } = this.#options;
    const { signal } = (this.#abort = new AbortController());
    this.#timer = undefined;
    this.#isOpening = true;
    let code = lostCode;
    try {
      // Includes what the caller of `connect` watches in the same turn.
      await Promise.resolve();
      this.#isStale = false;
      const response = await post(events, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(subscriptions.messages(maxSubscriptions)),
        signal,
      });
      if (!response.ok) code = statusBase + response.status;
      else if (response.body) await this.#read(response.body, signal);
    } catch {
      // A stream that breaks ends like one that the server ends: the answer to the next attempt says why.
    }
    if (signal.aborted) return;
    this.release();
    this.#handlers.close(code);
  }

  async #read(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#isOpening = false;
      if (this.#isStale) this.send();
      this.#isStale = false;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines)
        if (line.startsWith('data:') && !signal.aborted) this.#handlers.message(line.slice(5));
    }
  }
}
