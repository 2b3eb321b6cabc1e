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
  /** True if the client already holds this snapshot, so only newer ones are sent. */
  isCurrent: boolean;
}

/** Wait of a browser before it reconnects. Browsers add no jitter of their own. */
const retryMs = 2000;
const retryJitterMs = 2000;

/**
 * One response that sends the snapshots of one operation until its end. It has no queue: while bytes wait to be
 * sent, newer snapshots replace each other.
 *
 * States: `free` → `writing` (nothing more is written) → drained → `free`. The stream ends with the terminal
 * snapshot, with `gone` or with the session. It is destroyed if the client reads nothing for `limits.pongMs`.
 */
export class EventStream<P> {
  readonly principal: P;
  readonly operation: string;
  readonly #options: EventStreamOptions<P>;
  #snapshot: Snapshot;
  /** The version last sent, or held by the client from the start. */
  #sentVersion: Version | undefined;
  #writingSinceMs: number | null = null;
  #waitingSinceMs: number | null = null;
  #lastSentAtMs = performance.now();
  #authorizedAtMs = performance.now();
  #isClosed = false;

  constructor(options: EventStreamOptions<P>) {
    this.#options = options;
    this.principal = options.principal;
    this.operation = options.snapshot.id;
    this.#snapshot = options.snapshot;
    this.#sentVersion = options.isCurrent ? options.snapshot : undefined;
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** True while bytes wait in this process for the client. */
  get isWriting(): boolean {
    return this.#writingSinceMs !== null;
  }

  get waitingSinceMs(): number | null {
    return this.#waitingSinceMs;
  }

  /** Sends headers, the reconnect time, and the snapshot unless the client holds it. */
  open(): void {
    const { response, isCurrent } = this.#options;
    response.once('close', () => (this.#isClosed = true));
    // An error of the peer ends only its own stream; `close` follows.
    response.on('error', () => undefined);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Otherwise nginx would delay events until its buffer is full.
      'x-accel-buffering': 'no',
    });
    this.#write(retryLine(Math.round(retryMs + Math.random() * retryJitterMs)));
    if (!isCurrent) this.update(this.#snapshot);
  }

  /** Sends the snapshot now, or the newest one when the client has read the last. */
  update(snapshot: Snapshot): void {
    if (this.#isClosed) return;
    this.#snapshot = snapshot;
    if (!isNewer(this.#sentVersion, snapshot)) return;
    this.#waitingSinceMs ??= performance.now();
    this.#flush();
  }

  gone(why: GoneReason): void {
    this.#end(goneEvent(this.operation, why));
  }

  /** Ends the stream because its session ended; a reconnecting client is refused. */
  endSession(): void {
    this.#end();
  }

  /** @param ms wait before the client reconnects */
  sendBye(ms: number): void {
    this.#end(byeEvent(ms));
  }

  destroy(): void {
    this.#isClosed = true;
    this.#options.response.destroy();
  }

  reauthorize(): void {
    this.#authorizedAtMs = performance.now();
    if (!this.#options.access.canWatch(this.principal, this.#snapshot)) this.gone('revoked');
  }

  /** Runs the checks that depend on time. */
  check(nowMs: number): void {
    const { identity, limits } = this.#options;
    if (identity.expiresAtMs !== null && Date.now() >= identity.expiresAtMs) return this.endSession();
    if (this.#writingSinceMs !== null && nowMs - this.#writingSinceMs >= limits.pongMs) return this.destroy();
    if (nowMs - this.#authorizedAtMs >= limits.reauthorizeMs) this.reauthorize();
    const isSilent = nowMs - this.#lastSentAtMs >= limits.heartbeatMs;
    if (isSilent && !this.#isClosed && this.#writingSinceMs === null) this.#write(heartbeat);
  }

  #flush(): void {
    if (this.#writingSinceMs !== null || this.#waitingSinceMs === null) return;
    this.#waitingSinceMs = null;
    const { access, view } = this.#options;
    const bytes = access.bytes(this.#snapshot, view);
    if (bytes === undefined) return;
    this.#sentVersion = this.#snapshot;
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
    // The callback runs when the kernel has accepted the bytes. Only then the stream sends the next snapshot.
    response.write(data, () => {
      if (response.writableLength > 0) return;
      this.#writingSinceMs = null;
      if (!this.#isClosed) this.#flush();
    });
  }

  #end(last?: Buffer | string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { response, limits } = this.#options;
    response.end(last);
    // A client that does not read its last bytes must not keep the response open forever.
    const timer = setTimeout(() => response.destroy(), limits.pongMs).unref();
    response.once('close', () => clearTimeout(timer));
  }
}
