import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { defaultLimits } from '@wcc/progress/protocol';
import type { GoneReason } from '@wcc/progress/protocol';
import { eventId } from './events/event-format.ts';
import { openFeed, readSubscriptions, subscribeFeed } from './events/feed.ts';
import { createResponseSink } from './events/response-sink.ts';
import { eventRefusalStatuses } from './events/options.ts';
import type { EventRefusal, EventRequest, EventStreams, EventStreamsOptions } from './events/options.ts';
import type { EventSink, SinkEvents } from './events/sink.ts';
import { EventStream } from './events/stream.ts';
import { createWebSink } from './events/web-sink.ts';
import type { WebSink } from './events/web-sink.ts';
import { Connections } from './gateway/connections.ts';
import type { Hub } from './hub.ts';
import { assertHub, assertOptions } from './assert-options.ts';
import { watchStats } from './stats.ts';
import type { WatchStats } from './stats.ts';

const checkEveryMs = 500;
const defaultReconnectAfterMs = 1000;
const reconnectJitterMs = 2000;

/**
 * Creates the gateway for event streams. It does not keep the process alive.
 *
 * @throws {ProgressError} `invalid_option`
 */
export function createEventStreams<P>(options: EventStreamsOptions<P>): EventStreams<P> {
  return new EventStreamGateway(options);
}

/** A request of either kind. */
interface Source {
  header(name: string): string | undefined;
  /** True if the client has left. */
  isGone(): boolean;
  createSink(events: SinkEvents): EventSink;
}

/** The client holds the end already. */
type Outcome = EventRefusal | 'open' | 'not_needed';

class EventStreamGateway<P> implements EventStreams<P> {
  readonly #options: EventStreamsOptions<P>;
  readonly #hub: Hub;
  readonly #feeds: Connections<P>;
  readonly #byOperation = new Map<string, Set<EventStream<P>>>();
  readonly #stops: (() => void)[];
  readonly #closed: (() => void) | undefined;
  #isClosing = false;

  /** @param closed called when a stream closes */
  constructor(options: EventStreamsOptions<P>, closed?: () => void) {
    assertHub(options);
    assertOptions(options, { required: ['user', 'authorize'] });
    const { hub } = options;
    this.#options = options;
    this.#closed = closed;
    this.#hub = hub;
    this.#feeds = new Connections(options);
    const checking = setInterval(() => this.#check(), checkEveryMs).unref();
    this.#stops = [
      hub.onChange((ids) => this.#change(ids)),
      hub.onRemove((id, why) => this.#gone(id, why)),
      hub.onReauthorize((filter) => {
        for (const stream of this.#all()) if (filter?.(stream.principal) ?? true) stream.reauthorize();
      }),
      () => clearInterval(checking),
    ];
  }

  get connections(): number {
    return this.#all().length + this.#feeds.open().length;
  }

  async serve(request: IncomingMessage, response: ServerResponse, wanted: EventRequest<P>): Promise<void> {
    const outcome = await this.#start(
      {
        header: (name) => request.headers[name]?.toString(),
        isGone: () => response.destroyed,
        createSink: (events) => createResponseSink(response, events),
      },
      wanted,
    );
    if (outcome === 'open' || response.destroyed) return;
    // An EventSource reconnects forever unless it receives 204.
    if (outcome === 'not_needed') return void response.writeHead(204).end();
    if (this.#options.refuse) return this.#options.refuse(outcome, request, response);
    response.writeHead(eventRefusalStatuses[outcome], refusalHeaders);
    response.end(JSON.stringify({ code: outcome }));
  }

  async respond(request: Request, wanted: EventRequest<P>): Promise<Response> {
    let sink: WebSink | undefined;
    const outcome = await this.#start(
      {
        header: (name) => request.headers.get(name) ?? undefined,
        isGone: () => request.signal.aborted,
        createSink: (events) => (sink = createWebSink(request.signal, events)),
      },
      wanted,
    );
    if (sink !== undefined) return sink.response();
    // Only a client that has left gets this far without a stream.
    if (outcome === 'not_needed' || outcome === 'open') return new Response(null, { status: 204 });
    const status = eventRefusalStatuses[outcome];
    return new Response(JSON.stringify({ code: outcome }), { status, headers: refusalHeaders });
  }

  closeSessions(match: (principal: P) => boolean): number {
    const ended = this.#all().filter(({ principal }) => match(principal));
    for (const stream of ended) stream.endSession();
    return ended.length + this.#feeds.closeSessions(match);
  }

  principals(): P[] {
    return [...this.#all(), ...this.#feeds.open()].map(({ principal }) => principal);
  }

  stats(): WatchStats {
    const streams = this.#all().map(({ isBusy, waitingSinceMs }) => ({
      subscriptions: 1,
      isAwaitingPong: isBusy,
      waitingSinceMs,
    }));
    return watchStats([...streams, ...this.#feeds.states()], this.#feeds.context.sent);
  }

  shutdown({ reconnectAfterMs = defaultReconnectAfterMs }: { reconnectAfterMs?: number } = {}): void {
    this.#isClosing = true;
    for (const stop of this.#stops) stop();
    for (const stream of this.#all())
      stream.sendBye(Math.round(reconnectAfterMs + Math.random() * reconnectJitterMs));
    this.#feeds.stop(reconnectAfterMs);
  }

  async #start(source: Source, wanted: EventRequest<P>): Promise<Outcome> {
    const startedAtMs = performance.now();
    // Without this check a page of another site or port could use up the quota of its visitors.
    const site = source.header('sec-fetch-site');
    if (site === 'cross-site' || site === 'same-site') return 'foreign_origin';
    if (this.#isClosing) return 'shutting_down';
    if ('subs' in wanted) return this.#openFeed(source, wanted);
    const { principal, operation } = wanted;
    const snapshot = await this.#feeds.context.access.find(operation, principal);
    if (source.isGone()) return 'open';
    if (snapshot === undefined || this.#feeds.endedSessions.hasEnded(principal, startedAtMs))
      return 'not_found';
    const isCurrent = source.header('last-event-id') === eventId(snapshot);
    if (isCurrent && isTerminal(snapshot.state)) return 'not_needed';
    const release = this.#feeds.quota.acquire(this.#options.user(principal).user);
    if (release === null) return 'too_many_watchers';
    this.#openStream(source, { principal, snapshot, isCurrent, release });
    return 'open';
  }

  #openFeed(source: Source, { principal, subs: json }: { principal: P; subs: unknown }): Outcome {
    const { context } = this.#feeds;
    const subs = readSubscriptions(json, context.limits);
    if (subs === null) return 'malformed';
    if (source.isGone()) return 'open';
    const { user } = this.#options.user(principal);
    const release = this.#feeds.quota.acquire(user);
    if (release === null) return 'too_many_watchers';
    const connection = openFeed<P>({
      createSink: (events) =>
        source.createSink({
          free: () => events.free(),
          closed: () => {
            release();
            events.closed();
            this.#closed?.();
          },
        }),
      principal,
      context,
    });
    this.#feeds.add(connection);
    void subscribeFeed(connection, { subs, context });
    return 'open';
  }

  #openStream(source: Source, { principal, snapshot, isCurrent, release }: OpenStreamOptions<P>): void {
    const { access, limits, sent } = this.#feeds.context;
    const streams = this.#byOperation.get(snapshot.id) ?? new Set();
    const stream: EventStream<P> = new EventStream({
      createSink: (events) => source.createSink(events),
      principal,
      identity: this.#options.user(principal),
      view: this.#options.view?.(principal) ?? 'full',
      access,
      limits,
      sent,
      snapshot,
      isCurrent,
      closed: () => {
        release();
        streams.delete(stream);
        if (streams.size === 0 && this.#byOperation.get(snapshot.id) === streams)
          this.#byOperation.delete(snapshot.id);
        this.#closed?.();
      },
    });
    this.#byOperation.set(snapshot.id, streams.add(stream));
    stream.open();
  }

  #all(): EventStream<P>[] {
    return [...this.#byOperation.values()].flatMap((streams) => [...streams].filter(({ isOpen }) => isOpen));
  }

  #change(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      const streams = this.#byOperation.get(id);
      const snapshot = streams === undefined ? undefined : this.#hub.get(id);
      if (snapshot === undefined) continue;
      for (const stream of streams ?? []) stream.update(snapshot);
    }
  }

  #gone(id: string, why: GoneReason): void {
    for (const stream of this.#byOperation.get(id) ?? []) stream.gone(why);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const stream of this.#all()) stream.check(nowMs);
  }
}

interface OpenStreamOptions<P> {
  principal: P;
  snapshot: Snapshot;
  isCurrent: boolean;
  release: () => void;
}

const refusalHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/**
 * Serves one request without a shared gateway, for a small server.
 *
 * @param options the request, and the options of {@link createEventStreams}
 */
export function serveEvents<P>(
  request: IncomingMessage,
  response: ServerResponse,
  options: EventStreamsOptions<P> & EventRequest<P>,
): Promise<void> {
  const streams = createEventStreams<P>(options);
  // The gateway's timers and listeners live as long as this response.
  response.once('close', () => streams.shutdown());
  return streams.serve(request, response, options);
}

/**
 * {@link serveEvents} for a Web standard request.
 *
 * @param options `isStill` is asked every `limits.reauthorizeMs`; the stream ends when it says no
 */
export async function respondWithEvents<P>(
  request: Request,
  options: EventStreamsOptions<P> & EventRequest<P> & { isStill: () => Promise<boolean> },
): Promise<Response> {
  const everyMs = options.limits?.reauthorizeMs ?? defaultLimits.reauthorizeMs;
  const asking = setInterval(() => {
    void options.isStill().then((isSo) => isSo || streams.closeSessions(() => true));
  }, everyMs).unref();
  const stop = (): void => {
    clearInterval(asking);
    streams.shutdown();
  };
  const streams = new EventStreamGateway<P>(options, stop);
  const response = await streams.respond(request, options);
  if (streams.connections === 0) stop();
  return response;
}
