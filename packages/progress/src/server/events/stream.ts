import { performance } from 'node:perf_hooks';
import type { Snapshot } from '@wcc/progress';
import type { GoneReason, Limits, SnapshotView, Version } from '@wcc/progress/protocol';
import { isNewer, isTerminal } from '@wcc/progress';
import type { SentCount } from '../stats.ts';
import type { Access } from '../gateway/access.ts';
import type { WatchIdentity } from '../gateway/options.ts';
import { byeEvent, goneEvent, heartbeat, retryLine, snapshotEvent } from './event-format.ts';
import { eventStreamHeaders } from './sink.ts';
import type { EventSink, SinkEvents } from './sink.ts';

export interface EventStreamOptions<P> {
  createSink: (events: SinkEvents) => EventSink;
  principal: P;
  identity: WatchIdentity;
  view: SnapshotView;
  access: Access<P>;
  limits: Limits;
  sent: SentCount;
  snapshot: Snapshot;
  /** True if the client already holds this snapshot, so only newer ones are sent. */
  isCurrent: boolean;
  /** Called once, when the stream is over and its sink closed. */
  closed(): void;
}

/** Wait of a browser before it reconnects. Browsers add no jitter of their own. */
const retryMs = 2000;
const retryJitterMs = 2000;

/**
 * One response that sends the snapshots of one operation until its end. It has no queue: while the sink has no
 * credit, newer snapshots replace each other.
 *
 * The stream ends with the terminal snapshot, with `gone` or with the session. It is destroyed if the client reads
 * nothing for `limits.pongMs`.
 */
export class EventStream<P> {
  readonly principal: P;
  readonly operation: string;
  readonly #options: EventStreamOptions<P>;
  readonly #sink: EventSink;
  #snapshot: Snapshot;
  /** The version last sent, or held by the client from the start. */
  #sentVersion: Version | undefined;
  #busySinceMs: number | null = null;
  #waitingSinceMs: number | null = null;
  #lastSentAtMs = performance.now();
  #authorizedAtMs = performance.now();
  #isOver = false;

  constructor(options: EventStreamOptions<P>) {
    this.#options = options;
    this.principal = options.principal;
    this.operation = options.snapshot.id;
    this.#snapshot = options.snapshot;
    this.#sentVersion = options.isCurrent ? options.snapshot : undefined;
    this.#sink = options.createSink({
      free: () => {
        this.#busySinceMs = null;
        if (!this.#isOver) this.#flush();
      },
      closed: () => {
        this.#isOver = true;
        options.closed();
      },
    });
  }

  get isOpen(): boolean {
    return !this.#isOver;
  }

  /** True while bytes wait in this process for the client. */
  get isBusy(): boolean {
    return this.#sink.isBusy;
  }

  get waitingSinceMs(): number | null {
    return this.#waitingSinceMs;
  }

  /** Sends headers, the reconnect time, and the snapshot unless the client holds it. */
  open(): void {
    this.#sink.open(eventStreamHeaders);
    this.#write(retryLine(Math.round(retryMs + Math.random() * retryJitterMs)));
    if (!this.#options.isCurrent) this.update(this.#snapshot);
  }

  /** Sends the snapshot now, or the newest one when the client has read the last. */
  update(snapshot: Snapshot): void {
    if (this.#isOver) return;
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

  reauthorize(): void {
    this.#authorizedAtMs = performance.now();
    if (!this.#options.access.canWatch(this.principal, this.#snapshot)) this.gone('revoked');
  }

  /** Runs the checks that depend on time. */
  check(nowMs: number): void {
    const { identity, limits } = this.#options;
    if (identity.expiresAtMs !== null && Date.now() >= identity.expiresAtMs) return this.endSession();
    if (this.#busySinceMs !== null && nowMs - this.#busySinceMs >= limits.pongMs) {
      this.#isOver = true;
      return this.#sink.destroy();
    }
    if (nowMs - this.#authorizedAtMs >= limits.reauthorizeMs) this.reauthorize();
    const isSilent = nowMs - this.#lastSentAtMs >= limits.heartbeatMs;
    if (isSilent && !this.#isOver && !this.#sink.isBusy) this.#write(heartbeat);
  }

  #flush(): void {
    if (this.#sink.isBusy || this.#waitingSinceMs === null) return;
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
    const { sent } = this.#options;
    sent.messages += 1;
    sent.bytes += Buffer.byteLength(data);
    this.#lastSentAtMs = performance.now();
    this.#busySinceMs ??= this.#lastSentAtMs;
    this.#sink.write(data);
  }

  #end(last?: Buffer | string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.end(last, this.#options.limits.pongMs);
  }
}
