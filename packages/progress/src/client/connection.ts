import { CLOSE_CODES } from '../core/protocol.ts';
import type { ClientMessage, Hello, ServerMessage } from '../core/protocol.ts';
import { Backoff } from './backoff.ts';
import { Link } from './link.ts';
import type { LinkOptions, Loss } from './link.ts';
import type { PageSignals } from './page-signals.ts';

/** State of the connection to the server. */
export type ConnectionState = 'connecting' | 'online' | 'offline' | 'signed_out' | 'stopped';

/** State of the connection, with its age and reason. */
export interface ConnectionStatus {
  /**
   * `connecting`: the first attempt. `offline`: lost, reconnects automatically. `signed_out` and `stopped`: only
   * `reconnectNow()` tries again.
   */
  state: ConnectionState;
  /** Time in this state, in milliseconds. */
  sinceMs: number;
  /** Reason, e.g. `silent`, `closed`, `unreachable`, `no_session`, `too_many_connections`; `null` while connected. */
  code: string | null;
  /** Time until the next attempt; `null` during an attempt, or if none is planned. */
  retryInMs: number | null;
}

export interface ConnectionOptions extends Omit<LinkOptions, 'isHidden'> {
  random: () => number;
  page: PageSignals;
  onUp: (hello: Hello) => void;
  onMessage: (message: ServerMessage) => void;
  onStatus: () => void;
}

type AfterLoss = { state: ConnectionState; code: string; retries: boolean };

/** Keeps one link open: connects, backs off and reconnects, until the server ends it for good. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #backoff: Backoff;
  readonly #stopListening: () => void;
  #link: Link | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryAt: number | null = null;
  #state: ConnectionState = 'connecting';
  #code: string | null = null;
  #stateAt: number;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options);
    this.#stateAt = options.now();
    this.#stopListening = options.page.onWake(() => this.#wake());
  }

  get status(): ConnectionStatus {
    const at = this.#options.now();
    const retryInMs = this.#retryAt === null ? null : Math.max(0, this.#retryAt - at);
    return { state: this.#state, sinceMs: at - this.#stateAt, code: this.#code, retryInMs };
  }

  get isUp(): boolean {
    return this.#state === 'online';
  }

  send(message: ClientMessage): void {
    this.#link?.send(message);
  }

  /** Connects at once, even after `signed_out` and `stopped`. Only checks a connection that is open. */
  reconnectNow(): void {
    if (this.#closed) return;
    if (this.#link !== null) return this.#link.check();
    clearTimeout(this.#timer);
    this.#retryAt = null;
    if (this.#state === 'signed_out' || this.#state === 'stopped') {
      this.#backoff.reset();
      this.#set('connecting', null);
    }
    this.#attempt();
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    clearTimeout(this.#timer);
    this.#retryAt = null;
    this.#link?.drop();
    this.#link = null;
    this.#set('stopped', 'closed_here');
  }

  #wake(): void {
    // Only the user can sign in, so a wake-up of the page does not reconnect.
    if (this.#state !== 'signed_out' && this.#state !== 'stopped') this.reconnectNow();
  }

  #attempt(): void {
    const { page, onMessage } = this.#options;
    const link = new Link(
      { ...this.#options, isHidden: () => page.isHidden() },
      { up: (hello) => this.#up(hello), message: onMessage, down: (loss) => this.#down(loss) },
    );
    this.#link = link;
    link.open();
  }

  #up(hello: Hello): void {
    this.#backoff.connected();
    // Subscribes before the status changes, so that listeners of the status find the subscriptions sent.
    this.#options.onUp(hello);
    this.#set('online', null);
  }

  #down(loss: Loss): void {
    this.#link = null;
    const { state, code, retries: again } = afterLoss(loss);
    if (again) {
      const waitMs = loss.retryAfterMs ?? this.#backoff.nextWaitMs();
      this.#retryAt = this.#options.now() + waitMs;
      this.#timer = setTimeout(() => {
        this.#retryAt = null;
        this.#attempt();
        this.#options.onStatus();
      }, waitMs);
    }
    this.#set(state, code);
  }

  #set(state: ConnectionState, code: string | null): void {
    if (state !== this.#state) this.#stateAt = this.#options.now();
    this.#state = state;
    this.#code = code;
    this.#options.onStatus();
  }
}

function afterLoss(loss: Loss): AfterLoss {
  if (loss.code === 'no_session' || loss.closeCode === CLOSE_CODES.sessionEnded)
    return { state: 'signed_out', code: 'no_session', retries: false };
  if (loss.closeCode === CLOSE_CODES.tooManyConnections)
    return { state: 'stopped', code: 'too_many_connections', retries: false };
  if (loss.closeCode === CLOSE_CODES.malformed || loss.code === 'other_version')
    return { state: 'stopped', code: 'other_version', retries: false };
  return { state: 'offline', code: loss.code, retries: true };
}
