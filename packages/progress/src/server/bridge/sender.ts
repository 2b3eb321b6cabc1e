import type { GoneReason } from '@wcc/progress/protocol';
import type { ChangeLog } from './change-log.ts';
import { bridgeVersion } from './messages.ts';
import type { BridgeMessage } from './messages.ts';

/** A message without the fields that every message has. */
export type Body = BridgeMessage extends infer M
  ? M extends BridgeMessage
    ? Omit<M, 'v' | 'from' | 'name'>
    : never
  : never;

export interface SenderOptions {
  id: string;
  name: string;
  log: ChangeLog;
  /** The newest snapshot of an operation of this process, serialised. */
  bytes: (id: string) => Buffer | undefined;
  publish: (message: string) => unknown;
  now: () => number;
  /** Called with the first failure of a row of failures. */
  report: (error: unknown) => void;
}

/** Snapshots in one message; at least one, whatever its size. */
const chunkBytes = 64 * 1024;
/** Small messages that wait for a slow transport; beyond it the oldest is dropped, and its sender repeats it. */
const maxWaiting = 1000;

/**
 * Sends one message at a time. While one is on its way, changes are only noted, so the next message has the newest
 * state, and a slow transport never fills the memory.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #waiting = new Map<string, string>();
  /** Every operation that changed up to this number was sent. */
  #cursor = 0;
  #isSending = false;
  #isStopped = false;
  #hasFailed = false;
  #sentSinceMs: number | null = null;
  #idle: (() => void)[] = [];

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** When the message on its way was handed over; `null` if none is. */
  get sendingSinceMs(): number | null {
    return this.#sentSinceMs;
  }

  /** True after a publish was rejected, until one succeeds. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** @param key replaces a message of the same key that still waits */
  send(key: string, body: Body): void {
    this.#waiting.set(key, JSON.stringify({ ...this.#head(), ...body }));
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > maxWaiting && oldest !== undefined) this.#waiting.delete(oldest);
    this.wake();
  }

  /** Sends again what changed after `at`. */
  sendAgain(at: number): void {
    this.#cursor = Math.min(this.#cursor, at < this.#options.log.horizon ? 0 : at);
    this.wake();
  }

  /** Sends what waits, unless a message is on its way. */
  wake(): void {
    if (!this.#isSending && !this.#isStopped) void this.#run();
  }

  /** Resolves when everything was handed over, or at the next failure. */
  drained(): Promise<void> {
    if (!this.#isSending) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(): Promise<void> {
    this.#isSending = true;
    for (;;) {
      const message = this.#isStopped ? null : this.#next();
      if (message === null) break;
      if (!(await this.#publish(message))) break;
    }
    this.#isSending = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #publish(message: string): Promise<boolean> {
    this.#sentSinceMs = this.#options.now();
    try {
      await this.#options.publish(message);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#options.report(error);
      this.#hasFailed = true;
    }
    this.#sentSinceMs = null;
    return !this.#hasFailed;
  }

  #next(): string | null {
    for (const [key, message] of this.#waiting) {
      this.#waiting.delete(key);
      return message;
    }
    return this.#nextChanges();
  }

  #head(): { v: typeof bridgeVersion; from: string; name: string } {
    return { v: bridgeVersion, from: this.#options.id, name: this.#options.name };
  }

  #nextChanges(): string | null {
    const { log, bytes } = this.#options;
    if (this.#cursor >= log.latest) return null;
    const [snapshots, gone] = [[] as Buffer[], [] as [string, GoneReason][]];
    let size = 0;
    let upTo = log.latest;
    for (const change of log.after(this.#cursor)) {
      const snapshot = change.gone === null ? bytes(change.id) : undefined;
      if (size > 0 && size + (snapshot?.length ?? change.id.length) > chunkBytes) {
        upTo = change.at - 1;
        break;
      }
      size += snapshot?.length ?? change.id.length;
      if (change.gone !== null) gone.push([change.id, change.gone]);
      else if (snapshot !== undefined) snapshots.push(snapshot);
    }
    const after = this.#cursor;
    this.#cursor = upTo;
    const head = { ...this.#head(), t: 'ops', after, upTo, at: log.latest, horizon: log.horizon, gone };
    // The snapshots are serialised already.
    return `${JSON.stringify(head).slice(0, -1)},"d":[${snapshots.join(',')}]}`;
  }
}
