import type { Limits } from '@wcc/progress/protocol';
import { opsMessage } from './messages.ts';

/**
 * Flow control of one connection: the newest snapshots to send, by operation, and one credit. After
 * `flushesPerPing` flushes or `bytesPerPing` bytes it sends a Ping and flushes nothing until the Pong arrives.
 * `bufferedAmount` alone is not a limit, because the kernel buffers megabytes before it increases.
 *
 * A client whose Pongs are late receives a Ping with every flush. Then at most one flush is in flight, and the
 * client is at most two snapshots behind.
 */
export interface SendWindow {
  /** Sets the snapshot to send for an operation. It replaces an unsent one. */
  markDirty(id: string, bytes: Buffer): void;
  /** Discards the unsent snapshot of an operation. */
  clearDirty(id: string): void;
  /** True while a snapshot waits to be sent. */
  hasDirty(): boolean;
  /** Sends the waiting snapshots, as far as the credit allows. */
  flush(): void;
  /** Sends a message at once. Its bytes count towards the next Ping. */
  send(text: string): void;
  /** Handles a Pong. @returns whether it was the expected one */
  pong(payload: string): boolean;
  /** Sends a Ping unless a Pong is outstanding. */
  probe(): void;
  /** When the outstanding Ping was sent; `null` if none is outstanding. */
  awaitingSinceMs(): number | null;
  lastSentAtMs(): number;
  /** When the oldest unsent snapshot started to wait; `null` if none waits. */
  waitingSinceMs(): number | null;
  /** Bytes sent that no Pong covers yet: those in the kernel, the network and the client. */
  uncoveredBytes(): number;
}

export interface WindowSocket {
  send(data: Buffer | string): void;
  ping(payload: string): void;
  /** Combines the sends into one write, because system calls are the main cost of a watcher. */
  sendTogether(sends: () => void): void;
  bufferedBytes(): number;
  /** Called when more than `bufferedBytes` wait; terminates the connection. */
  overflow(): void;
  now(): number;
}

/** A Pong within this time is prompt. With four snapshots in flight, the delay is then below the promised bound. */
const promptMs = 250;

export function createSendWindow(wire: WindowSocket, limits: Limits): SendWindow {
  return new CreditWindow(wire, limits);
}

interface OutstandingPing {
  payload: string;
  sinceMs: number;
  /** Bytes sent since the previous Ping; the Pong covers them. */
  bytes: number;
}

/** States: `free` (may flush) → Ping sent → `waiting` (nothing is flushed) → Pong → `free`. */
class CreditWindow implements SendWindow {
  readonly #wire: WindowSocket;
  readonly #limits: Limits;
  readonly #dirty = new Map<string, Buffer>();
  #outstanding: OutstandingPing | null = null;
  #flushNumber = 0;
  #flushesSincePing = 0;
  #bytesSincePing = 0;
  /** Starts at one flush, because a new client has not shown yet that it is fast. */
  #flushesPerPing = 1;
  #lastSentAtMs: number;
  #waitingSinceMs: number | null = null;

  constructor(wire: WindowSocket, limits: Limits) {
    this.#wire = wire;
    this.#limits = limits;
    this.#lastSentAtMs = wire.now();
  }

  markDirty(id: string, bytes: Buffer): void {
    this.#dirty.set(id, bytes);
    this.#waitingSinceMs ??= this.#wire.now();
  }

  clearDirty(id: string): void {
    this.#dirty.delete(id);
    if (this.#dirty.size === 0) this.#waitingSinceMs = null;
  }

  hasDirty(): boolean {
    return this.#dirty.size > 0;
  }

  flush(): void {
    if (this.#outstanding !== null || this.#dirty.size === 0) return;
    this.#flushNumber += 1;
    this.#flushesSincePing += 1;
    this.#write(opsMessage(this.#takeBatch()));
    if (this.#dirty.size === 0) this.#waitingSinceMs = null;
  }

  send(text: string): void {
    this.#write(text);
  }

  pong(payload: string): boolean {
    if (this.#outstanding === null || this.#outstanding.payload !== payload) return false;
    const isPrompt = this.#wire.now() - this.#outstanding.sinceMs <= promptMs;
    this.#flushesPerPing = isPrompt ? this.#limits.flushesPerPing : 1;
    this.#outstanding = null;
    this.flush();
    return true;
  }

  probe(): void {
    if (this.#outstanding === null) this.#ping();
  }

  awaitingSinceMs(): number | null {
    return this.#outstanding?.sinceMs ?? null;
  }

  lastSentAtMs(): number {
    return this.#lastSentAtMs;
  }

  waitingSinceMs(): number | null {
    return this.#waitingSinceMs;
  }

  uncoveredBytes(): number {
    return this.#bytesSincePing + (this.#outstanding?.bytes ?? 0);
  }

  #write(data: Buffer | string): void {
    this.#bytesSincePing += Buffer.byteLength(data);
    const { bufferedBytes, bytesPerPing } = this.#limits;
    const isGroupFull =
      this.#flushesSincePing >= this.#flushesPerPing || this.#bytesSincePing >= bytesPerPing;
    if (isGroupFull && this.#outstanding === null) {
      this.#wire.sendTogether(() => {
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
    this.#outstanding = {
      payload: String(this.#flushNumber),
      sinceMs: this.#wire.now(),
      bytes: this.#bytesSincePing,
    };
    this.#flushesSincePing = 0;
    this.#bytesSincePing = 0;
    this.#wire.ping(this.#outstanding.payload);
  }

  /** Oldest first, so that no operation starves; at least one snapshot, whatever its size. */
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
