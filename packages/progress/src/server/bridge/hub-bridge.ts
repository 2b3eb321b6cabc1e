import { performance } from 'node:perf_hooks';
import { ProgressError, createOperationId } from '@wcc/progress';
import type { GoneReason } from '@wcc/progress/protocol';
import type { Hub } from '../hub.ts';
import { warnOnError } from '../on-error.ts';
import type { OnError } from '../on-error.ts';
import { createMemoryTicketStore } from '../tickets/memory-store.ts';
import type { TicketStore } from '../tickets/store.ts';
import { Asking } from './asking.ts';
import { ChangeLog } from './change-log.ts';
import type { Bridge, BridgeOptions } from './contract.ts';
import { Duties } from './duties.ts';
import { hearingOf } from './hearing.ts';
import type { Hearing } from './hearing.ts';
import { parseMessage } from './messages.ts';
import type { BridgeMessage } from './messages.ts';
import { Mirror } from './mirror.ts';
import type { Peer, PeerState } from './peer.ts';
import { Peers } from './peers.ts';
import { Requests } from './requests.ts';
import { Sender } from './sender.ts';
import { createSharedTickets } from './shared-tickets.ts';
import type { BridgeTransport } from './transport.ts';

const newId = (): string => createOperationId();
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const byeEveryMs = 100;
const closeMs = 2000;

/** Connects a hub with a transport. */
export class HubBridge implements Bridge {
  readonly id: string = newId();
  readonly #hub: Hub;
  readonly #transport: BridgeTransport;
  readonly #onError: OnError;
  readonly tickets: TicketStore;
  readonly #now: () => number;
  readonly #heartbeatMs: number;
  readonly #lostAfterMs: number;
  readonly #log = new ChangeLog();
  readonly #sender: Sender;
  readonly #peers: Peers;
  readonly #requests: Requests;
  readonly #duties: Duties;
  readonly #mirror: Mirror;
  readonly #asking = new Asking((peer) => this.#ask(peer));
  readonly #reported = new Set<string>();
  readonly #stops: (() => unknown)[];
  #unsubscribe: (() => unknown) | null = null;
  #isSubscribing = false;
  #hasFailedToSubscribe = false;
  #isClosed = false;
  #closing: Promise<void> | null = null;
  /** Processes that have everything, while this one stops. */
  readonly #complete = new Set<string>();
  #beatAtMs: number;
  /** When this process heard itself last; `null` if the transport does not send to the sender. */
  #echoAtMs: number | null = null;

  constructor(hub: Hub, transport: BridgeTransport, options: BridgeOptions) {
    this.#hub = hub;
    this.#transport = transport;
    this.#onError = options.onError ?? warnOnError;
    this.#now = options.now ?? (() => performance.now());
    this.#beatAtMs = this.#now();
    this.#heartbeatMs = options.heartbeatMs ?? 2000;
    this.#lostAfterMs = options.lostAfterMs ?? 10_000;
    this.#mirror = new Mirror(hub);
    this.#sender = this.#createSender(options.name ?? String(process.pid));
    this.#peers = this.#createPeers();
    const own = createMemoryTicketStore(this.#now);
    this.#duties = new Duties({ hub, onAction: options.onAction, tickets: own });
    this.tickets = this.#createTickets(own);
    this.#requests = new Requests({
      newId,
      send: (body) => this.#sender.send(`req ${body.req}`, body),
      answer: (body) => this.#sender.send(`res ${body.req}`, body),
      carryOut: (request) => this.#duties.carryOut(request),
    });
    for (const { id } of hub.list()) if (hub.relayedFrom(id) === undefined) this.#log.changed(id);
    const beating = setInterval(() => this.#beat(), this.#heartbeatMs).unref();
    this.#stops = [
      hub.onChange((ids) => this.#changed(ids)),
      hub.onRemove((id, why) => this.#removed(id, why)),
      hub.onRetire((ids) => this.#retired(ids)),
      () => clearInterval(beating),
    ];
    void this.#subscribe();
    this.#sender.wake();
  }

  get processes(): { id: string; name: string; state: PeerState }[] {
    return [...this.#peers].map(({ id, name, state }) => ({ id, name, state }));
  }

  async act(id: string, verb: string, by: unknown = null): Promise<unknown> {
    if (this.#isClosed) throw new ProgressError('bridge_closed');
    const snapshot = this.#hub.get(id);
    const to = this.#mirror.ownerOf(id);
    if (snapshot === undefined) throw new ProgressError('unknown_operation', { detail: id });
    if (this.#hub.relayedFrom(id) === undefined) return this.#duties.act(id, verb, by);
    if (to === undefined || this.#peers.get(to)?.state !== 'live')
      throw new ProgressError('action_unanswered', { detail: id });
    return this.#requests.ask({ to, kind: 'act', op: id, verb, by });
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  #createSender(name: string): Sender {
    return new Sender({
      id: this.id,
      name,
      log: this.#log,
      now: this.#now,
      bytes: (id) => (this.#hub.relayedFrom(id) === undefined ? this.#hub.bytes(id) : undefined),
      publish: (message) => this.#transport.publish(message),
      report: (error) => this.#onError(error, { stage: 'bridge publish' }),
    });
  }

  #createTickets(own: TicketStore): TicketStore {
    return createSharedTickets({
      own,
      others: () => [...this.#peers].filter(({ state }) => state === 'live').map(({ id }) => id),
      ask: (request, patience) => this.#requests.ask(request, patience),
    });
  }

  #createPeers(): Peers {
    return new Peers({
      lostAfterMs: this.#lostAfterMs,
      now: this.#now,
      lost: ({ id }, code) => this.#hub.markUnreachable(id, { code }),
      // Asks for everything, because the peer itself must confirm what it still has.
      returned: (peer) => {
        peer.restart();
        this.#ask(peer);
      },
      silent: (peer) => this.#ask(peer),
    });
  }

  async #subscribe(): Promise<void> {
    this.#isSubscribing = true;
    try {
      const stop = await this.#transport.subscribe((message) => this.#receive(message));
      if (this.#isClosed) await stop();
      else this.#unsubscribe = stop;
      this.#sender.send('ask', { t: 'ask', of: null, after: 0 });
      this.#hasFailedToSubscribe = false;
    } catch (error) {
      if (!this.#hasFailedToSubscribe) this.#onError(error, { stage: 'bridge subscribe' });
      this.#hasFailedToSubscribe = true;
    }
    this.#isSubscribing = false;
  }

  #beat(): void {
    const nowMs = this.#now();
    if (nowMs - this.#beatAtMs > 2 * this.#heartbeatMs) this.#peers.pardon();
    this.#beatAtMs = nowMs;
    if (this.#unsubscribe === null && !this.#isSubscribing) void this.#subscribe();
    this.#sender.send('hb', { t: 'hb', at: this.#log.latest });
    this.#peers.judge(this.#hearing(nowMs));
  }

  #hearing(nowMs: number): Hearing {
    const { hasFailed, sendingSinceMs } = this.#sender;
    const signs = {
      hasFailed,
      unsentMs: nowMs - (sendingSinceMs ?? nowMs),
      unheardMs: nowMs - (this.#echoAtMs ?? nowMs),
    };
    return hearingOf(signs, { heartbeatMs: this.#heartbeatMs, lostAfterMs: this.#lostAfterMs });
  }

  #changed(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      if (this.#hub.relayedFrom(id) === undefined) {
        this.#log.changed(id);
        this.#mirror.forget(id);
      } else this.#log.forget(id);
    }
    this.#sender.wake();
  }

  #removed(id: string, why: GoneReason): void {
    this.#log.removed(id, why);
    this.#sender.wake();
    const to = this.#mirror.ownerOf(id);
    this.#mirror.forget(id);
    if (to === undefined || this.#mirror.isRemoving) return;
    const request = this.#requests.ask({ to, kind: 'remove', op: id, verb: why, by: null });
    request.catch((error: unknown) => this.#onError(error, { stage: 'bridge remove' }));
  }

  #retired(ids: readonly string[]): void {
    for (const id of ids) {
      this.#log.forget(id);
      this.#mirror.forget(id);
    }
  }

  #receive(text: string): void {
    if (this.#isClosed) return;
    try {
      const message = parseMessage(text);
      if (typeof message === 'string') this.#reportOnce(message);
      else if (message.from === this.id) this.#echoAtMs = this.#now();
      else this.#handle(message);
    } catch (error) {
      if (error instanceof ProgressError && error.code === 'hub_closed') void this.#stop();
      else this.#onError(error, { stage: 'bridge receive' });
    }
  }

  #handle(message: BridgeMessage): void {
    const peer = this.#peers.heard(message.from, message.name);
    switch (message.t) {
      case 'hb':
        peer.mentioned(message.at);
        break;
      case 'ops':
        this.#mirror.take(peer, message);
        break;
      case 'ask':
        if (message.of === null) this.#sender.send('hb', { t: 'hb', at: this.#log.latest });
        if (message.of === null || message.of === this.id) this.#sender.sendAgain(message.after);
        break;
      case 'bye':
        peer.mentioned(message.at);
        peer.stopsAt = message.at;
        // It waits a moment only, so there is no time to see what is merely late.
        if (!peer.isComplete) this.#ask(peer);
        break;
      case 'got':
        if (message.of === this.id) this.#complete.add(peer.id);
        break;
      case 'req':
        if (message.to === this.id) void this.#requests.requested(message);
        break;
      case 'res':
        if (message.to === this.id) this.#requests.answered(message);
    }
    this.#follow(peer, message);
  }

  /** Asks for what is missing, and notes the end of a peer that stops. */
  #follow(peer: Peer, { t }: Pick<BridgeMessage, 't'>): void {
    if (!peer.isComplete) this.#asking.later(peer);
    if (!peer.isStopped || (t !== 'bye' && t !== 'ops')) return;
    this.#peers.left(peer);
    this.#sender.send(`got ${peer.id}`, { t: 'got', of: peer.id });
  }

  #ask(peer: Peer): void {
    this.#sender.send(`ask ${peer.id}`, { t: 'ask', of: peer.id, after: peer.upTo });
  }

  #reportOnce(code: 'bridge_version' | 'bridge_message'): void {
    if (this.#reported.has(code)) return;
    this.#reported.add(code);
    this.#onError(new ProgressError(code), { stage: 'bridge receive' });
  }

  async #leave(): Promise<void> {
    this.#hub.flush();
    const deadline = this.#now() + closeMs;
    await Promise.race([this.#sender.drained(), sleep(closeMs)]);
    while (this.#now() < deadline && [...this.#peers].some((peer) => this.#mustHear(peer))) {
      this.#sender.send('bye', { t: 'bye', at: this.#log.latest });
      await sleep(byeEveryMs);
    }
    await this.#stop();
  }

  #mustHear({ id, state }: Peer): boolean {
    return state === 'live' && !this.#complete.has(id);
  }

  async #stop(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sender.stop();
    this.#requests.close();
    for (const stop of this.#stops) stop();
    this.#asking.stop();
    try {
      await this.#unsubscribe?.();
    } catch (error) {
      this.#onError(error, { stage: 'bridge close' });
    }
  }
}
