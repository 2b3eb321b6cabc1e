import { attemptMs, deadHiddenMs, deadVisibleMs, protocolVersion } from '../core/protocol.ts';
import type { ClientMessage, ServerMessage } from '../core/protocol.ts';
import { Backoff } from './backoff.ts';
import type { Clock } from './backoff.ts';
import { hintOf } from './errors.ts';
import type { PageSignals } from './page-signals.ts';
import { openSocketWire } from './socket-wire.ts';
import type { SocketOptions } from './socket-wire.ts';
import { StreamWire } from './stream-wire.ts';
import type { StreamOptions } from './stream-wire.ts';
import { statusBase } from './wire.ts';
import type { TransportName, Wire, WireHandlers } from './wire.ts';

/** State of the connection to the server, with its age and reason. */
export interface ConnectionStatus {
  /**
   * `connecting`: the first attempt. `offline`: lost, reconnects automatically. `signed_out` and `stopped`: only
   * `reconnectNow()` tries again.
   */
  state: 'connecting' | 'online' | 'offline' | 'signed_out' | 'stopped';
  /** Time in this state, in milliseconds. */
  sinceMs: number;
  /**
   * Reason, e.g. `silent`, `closed`, `unreachable`, `ticket_failed`, `no_session`, `too_many_connections`, `bad_url`,
   * `no_stream`; `null` while all is well. `sockets_blocked`: three upgrades to WebSocket failed although the server
   * gave a ticket; while `online`, an event stream has taken over.
   */
  code: string | null;
  /** What to do about `code`; `null` if the code says it, or waiting is enough. */
  hint: string | null;
  /** Time until the next attempt; `null` during an attempt, or if none is planned. */
  retryInMs: number | null;
  /** Transport of the connection, or of the present or next attempt. */
  transport: TransportName;
}

type State = ConnectionStatus['state'];
export type StatusListener = (status: ConnectionStatus) => void;

export interface ConnectionOptions extends Clock, SocketOptions, StreamOptions {
  transport: 'auto' | TransportName;
  /** Requests a ticket; `signal` aborts when the attempt ends. `null` if no ticket is needed. */
  ticket: ((signal: AbortSignal) => Promise<string | number | null>) | null;
  page: PageSignals;
  subscriptions: StreamOptions['subscriptions'] & {
    /** Called when a connection opens, before its first message. */
    opened(isSubscribed: boolean): void;
    receive(message: ServerMessage): void;
  };
}

/** Failed upgrades before a stream is tried; one that hangs until the time limit counts as this number. */
const upgradesBeforeStream = 2;
/** Failed upgrades, each after a ticket, before the status says that sockets are blocked. */
const upgradesUntilBlocked = 3;

/**
 * Ends after which only `reconnectNow()` tries again, by close code or by the code of this side. Written as numbers, so
 * that a bundle does not carry the table of the protocol; a test compares them.
 */
export const finalCodes: Readonly<Record<string | number, string>> = {
  no_session: 'no_session',
  other_version: 'other_version',
  4400: 'other_version',
  4401: 'no_session',
  4403: 'forbidden',
  4409: 'too_many_connections',
};

/** Whether only a person can make the connection work again. */
export function isOver({ state }: ConnectionStatus): boolean {
  return state === 'signed_out' || state === 'stopped';
}

/**
 * Keeps one connection open: connects, backs off and reconnects, until the server ends it for good.
 *
 * `auto` begins with a socket, because only a socket bounds how far a slow reader is behind. When upgrades fail it
 * alternates with the event stream, and stays with the one that works.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<StatusListener>();
  readonly #stopListening: () => void;
  /** Aborted when this attempt or its connection ends; `null` between two attempts. */
  #attempt: AbortController | null = null;
  #wire: Wire | null = null;
  /** Ends an attempt, checks a connection, or starts the next attempt. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryAt: number | null = null;
  #receivedAt = 0;
  /** The wait that the last message asked for. */
  #askedMs: number | null = null;
  #isStream: boolean;
  /** Failed upgrades since the last socket that worked. */
  #failedUpgrades = 0;
  #state: State = 'connecting';
  #code: string | null = null;
  #stateAt: number;
  #isClosed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options);
    this.#stateAt = options.now();
    this.#isStream = options.transport === 'sse';
    this.#stopListening = options.page.onWake(() => {
      // Only the user can sign in, so a wake-up of the page does not reconnect.
      if (!isOver(this.status)) this.reconnectNow();
    });
  }

  get status(): ConnectionStatus {
    const at = this.#options.now();
    return {
      state: this.#state,
      sinceMs: at - this.#stateAt,
      code: this.#code,
      hint: hintOf(this.#code),
      retryInMs: this.#retryAt === null ? null : Math.max(0, this.#retryAt - at),
      transport: this.#isStream ? 'sse' : 'websocket',
    };
  }

  get #isUp(): boolean {
    return this.#state === 'online';
  }

  onStatus(listener: StatusListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Sends on a socket that is open. A stream that is being opened is replaced afterwards. */
  send(message: ClientMessage): void {
    if (this.#isUp || this.#isStream) this.#wire?.send(message);
  }

  /** Connects at once, even after `signed_out` and `stopped`. Only checks a connection that is open. */
  reconnectNow(): void {
    if (this.#isClosed) return;
    if (this.#attempt) return this.#check();
    this.#preferSocket();
    if (isOver(this.status)) {
      this.#backoff.reset();
      this.#set('connecting', null);
    }
    void this.#open();
  }

  /** Ends the connection for good. @param code reason in the status */
  close(code = 'closed_here'): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    this.#release();
    this.#set('stopped', code);
  }

  async #open(): Promise<void> {
    this.#release();
    const { ticket, scale } = this.#options;
    const { signal } = (this.#attempt = new AbortController());
    let failure = 'timeout';
    this.#timer = setTimeout(() => this.#end(failure), attemptMs * scale);
    const handlers: WireHandlers = {
      message: (text) => this.#receive(text),
      close: (closeCode) => this.#end(this.#isUp ? 'closed' : 'unreachable', closeCode),
    };
    try {
      // A stream carries the credentials of every other request.
      if (this.#isStream) return void (this.#wire = new StreamWire(this.#options, handlers));
      failure = 'ticket_failed';
      const secret = ticket && (await ticket(signal));
      if (signal.aborted) return;
      if (ticket && typeof secret !== 'string') return this.#end('no_session', secret);
      failure = 'unreachable';
      this.#wire = openSocketWire(this.#options, secret as string | null, handlers);
      failure = 'timeout';
    } catch {
      if (!signal.aborted) this.#end(failure);
    }
  }

  /** Ends the attempt or connection without a trace in the status. */
  #release(): void {
    clearTimeout(this.#timer);
    this.#retryAt = this.#askedMs = null;
    // A request for a ticket would stay in the browser's connection pool and block the next attempt.
    this.#attempt?.abort();
    this.#wire?.release();
    this.#attempt = this.#wire = null;
  }

  #receive(text: string | null): void {
    this.#receivedAt = this.#options.now();
    const message = parse(text);
    if (!message?.t) return this.#end('bad_message');
    if (message.t === 'hello') {
      if (message.v !== protocolVersion) this.#end('other_version');
      // A stream whose subscriptions changed begins with another `hello`.
      else if (!this.#isUp) this.#up();
      return;
    }
    // An `err` that other messages follow is about one request, and does not concern the connection.
    this.#askedMs = (message as { ms?: number }).ms ?? null;
    if (this.#isUp) this.#options.subscriptions.receive(message);
  }

  #up(): void {
    if (!this.#isStream) this.#failedUpgrades = 0;
    this.#set('online', this.#failedUpgrades > 0 ? 'sockets_blocked' : null);
    this.#options.subscriptions.opened(this.#isStream);
    this.#check();
  }

  /** Ends the connection if no message arrived for too long. Called by a timer and when the page wakes. */
  #check(): void {
    if (!this.#isUp) return;
    const { scale, now, page } = this.#options;
    const limitMs = page.isHidden() ? deadHiddenMs : deadVisibleMs;
    const leftMs = this.#receivedAt + limitMs * scale - now();
    if (leftMs <= 0) return this.#end('silent');
    clearTimeout(this.#timer);
    // A page that becomes visible calls this too.
    this.#timer = setTimeout(() => this.#check(), leftMs);
  }

  /** @param closeCode see {@link WireHandlers.close}; omitted if this side ended the connection */
  #end(code: string, closeCode?: number | null): void {
    const wasUp = this.#isUp;
    const onlineMs = wasUp ? this.#options.now() - this.#stateAt : 0;
    const askedMs = this.#askedMs;
    this.#release();
    const problem = this.#chooseTransport(closeCode === statusBase + 404 ? 'no_stream' : code, wasUp);
    // After a change of its subscriptions, the replaced stream of this client may still count.
    const isRefused = closeCode === statusBase + 429 && !wasUp;
    const final = isRefused ? 'too_many_connections' : finalCodes[closeCode ?? code];
    if (final) return this.#set(final === 'no_session' ? 'signed_out' : 'stopped', final);
    const waitMs = askedMs ?? this.#backoff.nextWaitMs(onlineMs);
    this.#retryAt = this.#options.now() + waitMs;
    this.#timer = setTimeout(() => {
      void this.#open();
      this.#notify();
    }, waitMs);
    this.#set('offline', problem);
  }

  /** Chooses the transport of the next attempt. @returns the code of the status */
  #chooseTransport(code: string, wasUp: boolean): string {
    const { transport, ticket } = this.#options;
    if (this.#isStream) {
      if (!wasUp) this.#preferSocket();
      return code;
    }
    if (wasUp || (code !== 'unreachable' && code !== 'timeout')) return code;
    this.#failedUpgrades += code === 'timeout' ? upgradesBeforeStream : 1;
    this.#isStream = transport === 'auto' && this.#failedUpgrades >= upgradesBeforeStream;
    // Without a ticket it is unknown whether the server answers at all.
    return ticket && this.#failedUpgrades >= upgradesUntilBlocked ? 'sockets_blocked' : code;
  }

  /** Begins with a socket again, e.g. in another network. One more failure then suffices for a stream. */
  #preferSocket(): void {
    if (this.#options.transport === 'auto') this.#isStream = false;
  }

  #set(state: State, code: string | null): void {
    if (state !== this.#state) this.#stateAt = this.#options.now();
    this.#state = state;
    this.#code = code;
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener(this.status);
  }
}

function parse(text: string | null): ServerMessage | null {
  try {
    return JSON.parse(text ?? '') as ServerMessage | null;
  } catch {
    return null;
  }
}
