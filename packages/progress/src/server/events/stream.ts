import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { GoneReason, Limits, Snapshot, SnapshotView, Version } from '@wcc/progress';
import { isNewer, isTerminal } from '@wcc/progress';
import type { SentCount } from '../stats.ts';
import type { Access } from '../websocket/access.ts';
import type { WatchIdentity } from '../websocket/options.ts';
import { byeEvent, goneEvent, heartbeat, retryLine, snapshotEvent } from './event-format.ts';

export interface EventStreamOptions<P> {
  response: ServerResponse;
  principal: P;
  identity: WatchIdentity;
  view: SnapshotView;
  access: Access<P>;
  limits: Limits;
  sent: SentCount;
  snapshot: Snapshot;
  /** The client holds this very snapshot: only newer ones are sent. */
  isCurrent: boolean;
}

/** Of a browser that lost the stream; it adds no jitter of its own. */
const retryMs = 2000;
const retryJitterMs = 2000;

/**
 * One response that tells one operation until its end. Never a queue: what changes while the last bytes still
 * wait to be taken goes later, in its newest form.
 *
 * `free` → written → `writing` (nothing more is written) → drained → `free`; ended by the terminal snapshot,
 * by `gone`, by the session's end, or cut when nothing was taken for `limits.pongMs`.
 */
export class EventStream<P> {
  readonly principal: P;
  readonly operation: string;
  readonly #options: EventStreamOptions<P>;
  #snapshot: Snapshot;
  /** What the client holds, or will: it is not told twice. */
  #told: Version | undefined;
  #writingSinceMs: number | null = null;
  #waitingSinceMs: number | null = null;
  #lastSentAtMs = performance.now();
  #authorizedAtMs = performance.now();
  #isOver = false;

  constructor(options: EventStreamOptions<P>) {
    this.#options = options;
    this.principal = options.principal;
    this.operation = options.snapshot.id;
    this.#snapshot = options.snapshot;
    this.#told = options.isCurrent ? options.snapshot : undefined;
  }

  get isOpen(): boolean {
    return !this.#isOver;
  }

  /** Bytes that the client has not taken wait in this process. */
  get isWriting(): boolean {
    return this.#writingSinceMs !== null;
  }

  get waitingSinceMs(): number | null {
    return this.#waitingSinceMs;
  }

  /** Headers, the pause before a reconnect, and the snapshot unless it is held already. */
  open(): void {
    const { response, isCurrent } = this.#options;
    response.once('close', () => (this.#isOver = true));
    // What a peer does wrong ends its own stream; `close` follows.
    response.on('error', () => undefined);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would hold the events back until its buffer is full.
      'x-accel-buffering': 'no',
    });
    this.#write(retryLine(Math.round(retryMs + Math.random() * retryJitterMs)));
    if (!isCurrent) this.update(this.#snapshot);
  }

  /** The operation is as this snapshot says, from now on. */
  update(snapshot: Snapshot): void {
    if (this.#isOver) return;
    this.#snapshot = snapshot;
    if (!isNewer(this.#told, snapshot)) return;
    this.#waitingSinceMs ??= performance.now();
    this.#flush();
  }

  gone(why: GoneReason): void {
    this.#end(goneEvent(this.operation, why));
  }

  /** The session is over: a client that comes back is refused then. */
  endSession(): void {
    this.#end();
  }

  /** @param ms the client comes back after so long */
  sayBye(ms: number): void {
    this.#end(byeEvent(ms));
  }

  cut(): void {
    this.#isOver = true;
    this.#options.response.destroy();
  }

  reauthorize(): void {
    this.#authorizedAtMs = performance.now();
    if (!this.#options.access.canWatch(this.principal, this.#snapshot)) this.gone('revoked');
  }

  /** Whatever is due by the clock. */
  check(nowMs: number): void {
    const { identity, limits } = this.#options;
    if (identity.expiresAtMs !== null && Date.now() >= identity.expiresAtMs) return this.endSession();
    if (this.#writingSinceMs !== null && nowMs - this.#writingSinceMs >= limits.pongMs) return this.cut();
    if (nowMs - this.#authorizedAtMs >= limits.reauthorizeMs) this.reauthorize();
    const isSilent = nowMs - this.#lastSentAtMs >= limits.heartbeatMs;
    if (isSilent && !this.#isOver && this.#writingSinceMs === null) this.#write(heartbeat);
  }

  #flush(): void {
    if (this.#writingSinceMs !== null || this.#waitingSinceMs === null) return;
    this.#waitingSinceMs = null;
    const { access, view } = this.#options;
    const bytes = access.bytes(this.#snapshot, view);
    if (bytes === undefined) return;
    this.#told = this.#snapshot;
    const event = snapshotEvent(this.#snapshot, bytes);
    if (isTerminal(this.#snapshot.state)) return this.#end(event);
    this.#write(event);
  }

  #write(data: Buffer | string): void {
    const { response, sent } = this.#options;
    sent.messages += 1;
    sent.bytes += Buffer.byteLength(data);
    this.#lastSentAtMs = performance.now();
    this.#writingSinceMs ??= this.#lastSentAtMs;
    // Called back when the kernel has taken the bytes: that is the credit for the next.
    response.write(data, () => {
      if (response.writableLength > 0) return;
      this.#writingSinceMs = null;
      if (!this.#isOver) this.#flush();
    });
  }

  #end(last?: Buffer | string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { response, limits } = this.#options;
    response.end(last);
    // A client that does not take its last bytes must not hold the response for ever.
    const timer = setTimeout(() => response.destroy(), limits.pongMs).unref();
    response.once('close', () => clearTimeout(timer));
  }
}
