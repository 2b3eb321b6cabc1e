import type { Limits } from '@wcc/progress';
import { opsMessage } from './messages.ts';

/**
 * What one connection still has to be told, and when it may be told: a **dirty map** (never a queue) and
 * **one credit**. After `flushesPerPing` flushes or `bytesPerPing` bytes a Ping goes, and nothing more before
 * its Pong. `bufferedAmount` alone bounds nothing: the kernel swallows megabytes before it rises.
 *
 * A reader whose Pongs come late gets a Ping with every flush, so that at most one flush is on its way and
 * it is never more than two snapshots behind.
 */
export interface Flow {
  /** The newest bytes of an operation; what was waiting under the same id is forgotten. */
  mark(id: string, bytes: Buffer): void;
  unmark(id: string): void;
  hasDirty(): boolean;
  /** Sends what the credit allows. */
  flush(): void;
  /** Sends an answer at once; it counts as sent bytes. */
  say(text: string): void;
  /** @returns whether it was the awaited one */
  pong(payload: string): boolean;
  /** Asks for a sign of life, unless one is awaited. */
  probe(): void;
  /** Since when a Pong is awaited; `null` when none is. */
  awaitingSinceMs(): number | null;
  lastSentAtMs(): number;
  /** Since when something has waited to be sent; `null` when nothing does. */
  waitingSinceMs(): number | null;
  /** What the kernel, the network and the client may still hold, in bytes. */
  uncoveredBytes(): number;
}

export interface FlowWire {
  send(data: Buffer | string): void;
  ping(payload: string): void;
  /** What is sent within goes as one write: a system call is what a watcher costs most. */
  together(sends: () => void): void;
  bufferedBytes(): number;
  /** More than `bufferedBytes` waits: the connection is beyond help. */
  overflow(): void;
  now(): number;
}

/** Four snapshots in flight are less than 2 × snapshot / bandwidth + 0.5 s as long as one takes this long. */
const promptMs = 250;

export function createFlow(wire: FlowWire, limits: Limits): Flow {
  return new CreditFlow(wire, limits);
}

interface AwaitedPong {
  payload: string;
  sinceMs: number;
  /** Sent since the Ping before: covered as soon as the Pong is here. */
  bytes: number;
}

/** `free` (may flush) → Ping sent → `awaiting` (nothing is flushed) → its Pong → `free`. */
class CreditFlow implements Flow {
  readonly #wire: FlowWire;
  readonly #limits: Limits;
  readonly #dirty = new Map<string, Buffer>();
  #awaited: AwaitedPong | null = null;
  #flushNumber = 0;
  #flushesSincePing = 0;
  #bytesSincePing = 0;
  /** The first group is of one: who is new has not shown yet that it is fast. */
  #flushesPerPing = 1;
  #lastSentAtMs: number;
  #waitingSinceMs: number | null = null;

  constructor(wire: FlowWire, limits: Limits) {
    this.#wire = wire;
    this.#limits = limits;
    this.#lastSentAtMs = wire.now();
  }

  mark(id: string, bytes: Buffer): void {
    this.#dirty.set(id, bytes);
    this.#waitingSinceMs ??= this.#wire.now();
  }

  unmark(id: string): void {
    this.#dirty.delete(id);
    if (this.#dirty.size === 0) this.#waitingSinceMs = null;
  }

  hasDirty(): boolean {
    return this.#dirty.size > 0;
  }

  flush(): void {
    if (this.#awaited !== null || this.#dirty.size === 0) return;
    this.#flushNumber += 1;
    this.#flushesSincePing += 1;
    this.#send(opsMessage(this.#takeBatch()));
    if (this.#dirty.size === 0) this.#waitingSinceMs = null;
  }

  say(text: string): void {
    this.#send(text);
  }

  pong(payload: string): boolean {
    if (this.#awaited === null || this.#awaited.payload !== payload) return false;
    const isPrompt = this.#wire.now() - this.#awaited.sinceMs <= promptMs;
    this.#flushesPerPing = isPrompt ? this.#limits.flushesPerPing : 1;
    this.#awaited = null;
    this.flush();
    return true;
  }

  probe(): void {
    if (this.#awaited === null) this.#ping();
  }

  awaitingSinceMs(): number | null {
    return this.#awaited?.sinceMs ?? null;
  }

  lastSentAtMs(): number {
    return this.#lastSentAtMs;
  }

  waitingSinceMs(): number | null {
    return this.#waitingSinceMs;
  }

  uncoveredBytes(): number {
    return this.#bytesSincePing + (this.#awaited?.bytes ?? 0);
  }

  #send(data: Buffer | string): void {
    this.#bytesSincePing += Buffer.byteLength(data);
    const { bufferedBytes, bytesPerPing } = this.#limits;
    const isGroupFull =
      this.#flushesSincePing >= this.#flushesPerPing || this.#bytesSincePing >= bytesPerPing;
    if (isGroupFull && this.#awaited === null) {
      this.#wire.together(() => {
        this.#wire.send(data);
        this.#ping();
      });
    } else {
      this.#wire.send(data);
    }
    this.#lastSentAtMs = this.#wire.now();
    if (Math.max(this.#wire.bufferedBytes(), this.uncoveredBytes()) > bufferedBytes) this.#wire.overflow();
  }

  #ping(): void {
    this.#awaited = {
      payload: String(this.#flushNumber),
      sinceMs: this.#wire.now(),
      bytes: this.#bytesSincePing,
    };
    this.#flushesSincePing = 0;
    this.#bytesSincePing = 0;
    this.#wire.ping(this.#awaited.payload);
  }

  /** Oldest first, so that none starves; at least one, however long. */
  #takeBatch(): Buffer[] {
    const batch: Buffer[] = [];
    let bytes = 0;
    for (const [id, snapshot] of this.#dirty) {
      if (batch.length > 0 && bytes + snapshot.length > this.#limits.flushBytes) break;
      batch.push(snapshot);
      bytes += snapshot.length;
      this.#dirty.delete(id);
    }
    return batch;
  }
}
