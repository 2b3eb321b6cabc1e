import { CLOSE_CODES, PROTOCOL_VERSION, SUBPROTOCOL, TICKET_PREFIX } from '../core/protocol.ts';
import type { ClientMessage, Hello, ServerMessage } from '../core/protocol.ts';
import { openWire } from './socket.ts';
import type { SocketConstructor, Wire } from './socket.ts';
import type { Timing } from './timing.ts';

/** Why a link was lost. */
export interface Loss {
  /** e.g. `unreachable`, `silent`, `closed`, `no_session`, `ticket_failed`. */
  code: string;
  /** The WebSocket close code; `null` if this side ended the link. */
  closeCode: number | null;
  /** The wait that the server requested in `bye` or `err`; `null` if it did not. */
  retryAfterMs: number | null;
  cause?: unknown;
}

export interface LinkEvents {
  up: (hello: Hello) => void;
  message: (message: ServerMessage) => void;
  /** Called exactly once; no event follows. */
  down: (loss: Loss) => void;
}

/** Requests a ticket; `signal` aborts when the attempt times out. */
export type TicketRequest = (signal: AbortSignal) => Promise<string | null>;

export interface LinkOptions {
  url: string;
  WebSocket: SocketConstructor;
  /** `undefined` if no ticket is needed. */
  ticket: TicketRequest | undefined;
  timing: Timing;
  now: () => number;
  isHidden: () => boolean;
}

/**
 * One connection, from the request for its ticket to its end. It does not reconnect: the next attempt is a new link.
 *
 * States: `opening` → `up` (after `hello`) → `down`, or `opening` → `down`.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  /**
   * Aborts the ticket request. An open request would stay in the browser's connection pool and block the next
   * attempt.
   */
  readonly #abort = new AbortController();
  #wire: Wire | null = null;
  #state: 'opening' | 'up' | 'down' = 'opening';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #receivedAt = 0;
  #retryAfterMs: number | null = null;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
  }

  open(): void {
    this.#timer = setTimeout(() => this.#end('timeout'), this.#options.timing.attemptMs);
    if (this.#options.ticket === undefined) return this.#connect(null);
    let request: Promise<string | null>;
    try {
      request = this.#options.ticket(this.#abort.signal);
    } catch (cause) {
      request = Promise.reject(cause instanceof Error ? cause : new Error(String(cause)));
    }
    request.then(
      (ticket) => (ticket === null ? this.#end('no_session') : this.#connect(ticket)),
      (cause: unknown) => this.#end('ticket_failed', { cause }),
    );
  }

  send(message: ClientMessage): void {
    if (this.#state === 'up') this.#wire?.send(JSON.stringify(message));
  }

  /** Ends the link if no message arrived for too long. Called by a timer and when the page wakes. */
  check(): void {
    if (this.#state !== 'up') return;
    const { timing, now, isHidden } = this.#options;
    const limitMs = isHidden() ? timing.deadHiddenMs : timing.deadVisibleMs;
    const leftMs = this.#receivedAt + limitMs - now();
    if (leftMs <= 0) return this.#end('silent');
    clearTimeout(this.#timer);
    // Checks at least at the visible limit, because a hidden page may become visible.
    this.#timer = setTimeout(() => this.check(), Math.min(leftMs, timing.deadVisibleMs));
  }

  /** Closes the link without a `down` event. */
  drop(): void {
    this.#state = 'down';
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#wire?.release();
  }

  #connect(ticket: string | null): void {
    if (this.#state !== 'opening') return;
    const { WebSocket, url } = this.#options;
    try {
      const protocols = ticket === null ? [SUBPROTOCOL] : [SUBPROTOCOL, TICKET_PREFIX + ticket];
      this.#wire = openWire(new WebSocket(url, protocols), {
        message: (text) => this.#receive(text),
        close: (closeCode) => this.#end(this.#state === 'up' ? 'closed' : 'unreachable', { closeCode }),
      });
    } catch (cause) {
      this.#end('unreachable', { cause });
    }
  }

  #receive(text: string | null): void {
    if (this.#state === 'down') return;
    this.#receivedAt = this.#options.now();
    const message = text === null ? null : parse(text);
    if (message === null) return this.#end('bad_message');
    if (message.t === 'hello') return this.#greet(message);
    if (message.t === 'bye' || message.t === 'err') this.#retryAfterMs = message.ms;
    if (this.#state === 'up') this.#events.message(message);
  }

  #greet(hello: Hello): void {
    if (hello.v !== PROTOCOL_VERSION) return this.#end('other_version');
    clearTimeout(this.#timer);
    this.#state = 'up';
    this.#events.up(hello);
    this.check();
  }

  #end(code: string, more: { closeCode?: number; cause?: unknown } = {}): void {
    if (this.#state === 'down') return;
    const { closeCode = null, cause } = more;
    this.drop();
    // Only these two close codes use the wait. An `err` about one message does not concern the connection.
    const usesWait = closeCode === CLOSE_CODES.rate || closeCode === CLOSE_CODES.shutdown;
    const retryAfterMs = usesWait ? this.#retryAfterMs : null;
    this.#events.down({ code, closeCode, retryAfterMs, ...(cause === undefined ? {} : { cause }) });
  }
}

function parse(text: string): ServerMessage | null {
  try {
    const value: unknown = JSON.parse(text);
    const isMessage = typeof value === 'object' && value !== null && 't' in value;
    return isMessage ? (value as ServerMessage) : null;
  } catch {
    return null;
  }
}
