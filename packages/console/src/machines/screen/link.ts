import { ApiProblem } from '@wcc/api/client';
import { Emitter } from '../../ui/emitter.ts';

export type ScreenView =
  /** Stopped, or the machine is off. */
  | { kind: 'idle' }
  | { kind: 'connecting' }
  | { kind: 'connected' }
  /** Lost; reconnects automatically. */
  | { kind: 'lost' }
  /** The server refuses, and a retry would not help. */
  | { kind: 'refused'; problem: unknown };

/** Shows the picture that a socket sends. */
export interface Viewer {
  close(): void;
}

export interface ViewerEvents {
  connected: () => void;
  /** Called once, whichever side closed. */
  closed: () => void;
}

export interface ScreenLinkOptions {
  /** Requests a ticket. Each attempt needs a new one, because a ticket opens one socket. */
  ticket: (signal: AbortSignal) => Promise<string>;
  open: (ticket: string, events: ViewerEvents) => Promise<Viewer>;
  /** 0 ≤ n < 1. @default Math.random */
  random?: () => number;
}

const firstWaitMs = 500;
const maxWaitMs = 10_000;

/**
 * Keeps the screen of one machine connected until it is stopped: a new ticket and socket after every loss.
 */
export class ScreenLink {
  readonly changed: Emitter = new Emitter();
  readonly #options: ScreenLinkOptions;
  #view: ScreenView = { kind: 'idle' };
  #attempt: AbortController | null = null;
  #viewer: Viewer | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(options: ScreenLinkOptions) {
    this.#options = options;
  }

  get view(): ScreenView {
    return this.#view;
  }

  /** Does nothing while connected or connecting. Retries after a refusal. */
  start(): void {
    if (this.#attempt !== null) return;
    this.#failures = 0;
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
      const viewer = await this.#options.open(ticket, {
        connected: () => this.#onConnected(attempt),
        closed: () => this.#onClosed(attempt),
      });
      if (attempt.signal.aborted) viewer.close();
      else this.#viewer = viewer;
    } catch (error) {
      if (attempt.signal.aborted) return;
      if (isPermanent(error)) this.#fail(error);
      else this.#onClosed(attempt);
    }
  }

  #onConnected({ signal }: AbortController): void {
    if (signal.aborted) return;
    this.#failures = 0;
    this.#set({ kind: 'connected' });
  }

  #onClosed({ signal }: AbortController): void {
    if (signal.aborted) return;
    this.#viewer = null;
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

  #set(view: ScreenView): void {
    this.#view = view;
    this.changed.emit();
  }
}

/** Whether a retry cannot help. A server at its limit and a lost network are temporary. */
function isPermanent(error: unknown): boolean {
  return error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429;
}
