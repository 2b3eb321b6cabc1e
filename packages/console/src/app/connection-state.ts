import type { ConnectionStatus, ProgressClient } from '@wcc/progress/client';
import { Emitter } from '../ui/emitter.ts';

export type ConnectionView =
  | { kind: 'ok' }
  /** Lost for longer than the grace time: short reconnects are not shown. */
  | { kind: 'lost'; sinceMs: number }
  | { kind: 'too_many' }
  | { kind: 'other_version' };

export interface ConnectionEvents {
  /** Called once per loss, when the page shows the loss. */
  lost: () => void;
  /** Called on each reconnection. */
  back: () => void;
}

const graceMs = 1000;

/** The live connection as the page shows it. */
export class ConnectionState {
  readonly changed: Emitter = new Emitter();
  readonly #live: ProgressClient;
  readonly #events: ConnectionEvents;
  #timer: ReturnType<typeof setInterval> | undefined;
  #wasOnline = false;
  #hasReportedLoss = false;

  constructor(live: ProgressClient, events: ConnectionEvents) {
    this.#live = live;
    this.#events = events;
    live.onStatus((status) => this.#onStatus(status));
  }

  get view(): ConnectionView {
    const { state, sinceMs, code } = this.#live.status;
    if (state === 'stopped') return { kind: code === 'too_many_connections' ? 'too_many' : 'other_version' };
    if (state === 'offline' && sinceMs >= graceMs) return { kind: 'lost', sinceMs };
    return { kind: 'ok' };
  }

  get isOnline(): boolean {
    return this.view.kind === 'ok';
  }

  /** The server has confirmed the connection. {@link isOnline} is also true before a loss is detected. */
  get isLive(): boolean {
    return this.#live.status.state === 'online';
  }

  retryNow(): void {
    this.#live.reconnectNow();
  }

  #onStatus(status: ConnectionStatus): void {
    clearInterval(this.#timer);
    // Updates "lost 12 s ago".
    if (status.state === 'offline') this.#timer = setInterval(() => this.#check(), graceMs);
    if (status.state === 'online') {
      if (this.#wasOnline) this.#events.back();
      this.#wasOnline = true;
      this.#hasReportedLoss = false;
    }
    this.#check();
  }

  #check(): void {
    if (this.view.kind === 'lost' && !this.#hasReportedLoss) {
      this.#hasReportedLoss = true;
      this.#events.lost();
    }
    this.changed.emit();
  }
}
