import { ApiProblem } from '@wcc/api/client';
import { Emitter } from '../../ui/emitter.ts';

export type LinkView =
  /** Stopped, or the machine is off. */
  | { kind: 'idle' }
  | { kind: 'connecting' }
  | { kind: 'connected' }
  /** Lost; reconnects automatically. */
  | { kind: 'lost' }
  /** The server refuses, and a retry would not help. */
  | { kind: 'refused'; problem: unknown };

/** Shows what a socket sends. */
export interface Viewer {
  close(): void;
}

export interface ViewerEvents {
  /** The server has accepted the handshake. */
  opened: () => void;
  connected: () => void;
  /** The connection has ended. Later calls have no effect. */
  closed: () => void;
  /** Nothing arrives for too long. Later calls have no effect. */
  silent: () => void;
}

export interface MachineLinkOptions<OpenViewer extends Viewer> {
  /** Requests a ticket. Each attempt needs a new one, because a ticket opens one socket. */
  ticket: (signal: AbortSignal) => Promise<string>;
  open: (ticket: string, events: ViewerEvents) => Promise<OpenViewer>;
  /**
   * Finds out why a socket did not open, because a browser does not show the answer to a handshake. Resolves when the
   * reason may pass. @throws ApiProblem when a retry would not help
   */
  probe: (signal: AbortSignal) => Promise<void>;
  /** 0 ≤ n < 1. @default Math.random */
  random?: () => number;
}

const firstWaitMs = 500;
const maxWaitMs = 10_000;

/** One failed handshake may be a server that just restarted. */
const refusalsUntilProbe = 2;

/**
 * Keeps a socket of one machine connected until it is stopped: a new ticket and socket after every loss.
 */
export class MachineLink<OpenViewer extends Viewer> {
  readonly changed: Emitter = new Emitter();
  readonly #options: MachineLinkOptions<OpenViewer>;
  #view: LinkView = { kind: 'idle' };
  #attempt: AbortController | null = null;
  #viewer: OpenViewer | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  /** Handshakes in a row that were answered, or cut, without a socket. */
  #refusals = 0;

  constructor(options: MachineLinkOptions<OpenViewer>) {
    this.#options = options;
  }

  get view(): LinkView {
    return this.#view;
  }

  /** Null while nothing is shown. */
  get viewer(): OpenViewer | null {
    return this.#viewer;
  }

  /** Does nothing while connected or connecting. Retries after a refusal. */
  start(): void {
    if (this.#attempt !== null) return;
    this.#failures = 0;
    this.#refusals = 0;
    void this.#connect();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#attempt?.abort();
    this.#attempt = null;
    this.#viewer?.close();
    this.#viewer = null;
    this.#set({ kind: 'idle' });
  }

  async #connect(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#set({ kind: 'connecting' });
    try {
      const ticket = await this.#options.ticket(attempt.signal);
      if (attempt.signal.aborted) return;
      this.#refusals += 1;
      const viewer = await this.#options.open(ticket, {
        opened: () => void (this.#refusals = 0),
        connected: () => this.#onConnected(attempt),
        closed: () => void this.#onClosed(attempt),
        silent: () => this.#onSilent(attempt),
      });
      if (attempt.signal.aborted) return viewer.close();
      this.#viewer = viewer;
      this.changed.emit();
    } catch (error) {
      this.#onError(attempt, error);
    }
  }

  #onError(attempt: AbortController, error: unknown): void {
    if (attempt.signal.aborted) return;
    if (isPermanent(error)) this.#fail(error);
    else this.#retry();
  }

  #onConnected({ signal }: AbortController): void {
    if (signal.aborted) return;
    this.#failures = 0;
    this.#set({ kind: 'connected' });
  }

  /** A handshake without an answer says nothing about upgrades: a lost network and a busy host look like this. */
  #onSilent(attempt: AbortController): void {
    if (attempt.signal.aborted) return;
    this.#refusals = 0;
    void this.#onClosed(attempt);
  }

  async #onClosed(attempt: AbortController): Promise<void> {
    if (attempt.signal.aborted) return;
    attempt.abort();
    // Does not wait for the close handshake, which never ends on a half-open connection.
    this.#viewer?.close();
    this.#viewer = null;
    const next = new AbortController();
    this.#attempt = next;
    this.#set({ kind: 'lost' });
    if (this.#refusals < refusalsUntilProbe) return this.#retry();
    try {
      await this.#options.probe(next.signal);
      if (!next.signal.aborted) this.#retry();
    } catch (error) {
      this.#onError(next, error);
    }
  }

  #retry(): void {
    this.#set({ kind: 'lost' });
    const ceiling = Math.min(maxWaitMs, firstWaitMs * 2 ** this.#failures);
    this.#failures += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), ceiling * (0.5 + this.#random() / 2));
  }

  #fail(problem: unknown): void {
    this.#attempt = null;
    this.#set({ kind: 'refused', problem });
  }

  #random(): number {
    return (this.#options.random ?? Math.random)();
  }

  #set(view: LinkView): void {
    this.#view = view;
    this.changed.emit();
  }
}

const temporary: ReadonlySet<string> = new Set(['rate_limited', 'too_many_tickets']);

/** Whether a retry cannot help. A busy server and a lost network are temporary. */
function isPermanent(error: unknown): boolean {
  return error instanceof ApiProblem && error.status > 0 && error.status < 500 && !temporary.has(error.code);
}
