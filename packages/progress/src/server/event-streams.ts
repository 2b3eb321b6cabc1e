import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { GoneReason, Limits, Snapshot } from '@wcc/progress';
import { LIMITS, isOperationId, isTerminal } from '@wcc/progress';
import { eventId } from './events/event-format.ts';
import { EventStream } from './events/stream.ts';
import type { Hub } from './hub.ts';
import { warnOnError } from './on-error.ts';
import { createConnectionQuota } from './connection-quota.ts';
import type { ConnectionQuota } from './connection-quota.ts';
import { createEndedSessions } from './ended-sessions.ts';
import type { EndedSessions } from './ended-sessions.ts';
import { watchStats } from './stats.ts';
import type { SentCount, WatchStats } from './stats.ts';
import { createAccess } from './websocket/access.ts';
import type { Access } from './websocket/access.ts';
import type { WebSocketOptions } from './websocket/options.ts';

/** Options shared with {@link attachWebSocket}: the same rights, the same quota. */
export type EventStreamsOptions<P> = Pick<
  WebSocketOptions<P>,
  'hub' | 'authorize' | 'user' | 'view' | 'lookup' | 'places' | 'limits' | 'onError'
> & {
  /**
   * Answers a refused request.
   * @default the status and a short JSON body `{"code":"…"}`
   */
  refuse?: (refusal: EventRefusal, request: IncomingMessage, response: ServerResponse) => void;
};

/** Why no stream was opened. `not_found` covers unknown and forbidden operations. */
export type EventRefusal = 'foreign_origin' | 'not_found' | 'too_many_watchers' | 'shutting_down';

/** The HTTP status of each refusal. */
export const EVENT_REFUSAL_STATUSES: Readonly<Record<EventRefusal, number>> = {
  foreign_origin: 403,
  not_found: 404,
  too_many_watchers: 429,
  shutting_down: 503,
};

/** A request for the events of an operation. */
export interface EventRequest<P> {
  /** The authenticated principal. The host authenticates, as for its other routes. */
  principal: P;
  /** Id of the operation. */
  operation: string;
}

/** Operations as server-sent events: for curl, and for networks whose proxies block WebSockets. */
export interface EventStreams<P> {
  /** Answers the request. Resolves when the stream is open, was refused, or was not needed (204). */
  serve(request: IncomingMessage, response: ServerResponse, wanted: EventRequest<P>): Promise<void>;
  /**
   * Ends every stream whose principal matches, including those whose operation is being looked up.
   *
   * @returns how many streams were open
   */
  closeSessions(match: (principal: P) => boolean): number;
  readonly connections: number;
  stats(): WatchStats;
  /** Sends `bye` on every stream and ends it. New requests receive 503. */
  shutdown(options?: { reconnectAfterMs?: number }): void;
}

const checkEveryMs = 500;
const defaultReconnectAfterMs = 1000;
const reconnectJitterMs = 2000;
/** How long the end of a session is remembered for streams whose operation is being looked up. */
const lookupMs = 20_000;

/** Creates the gateway for event streams. It does not keep the process alive. */
export function createEventStreams<P>(options: EventStreamsOptions<P>): EventStreams<P> {
  return new EventStreamGateway(options);
}

class EventStreamGateway<P> implements EventStreams<P> {
  readonly #options: EventStreamsOptions<P>;
  readonly #hub: Hub;
  readonly #limits: Limits;
  readonly #access: Access<P>;
  readonly #quota: ConnectionQuota;
  readonly #byOperation = new Map<string, Set<EventStream<P>>>();
  readonly #endedSessions: EndedSessions<P> = createEndedSessions(lookupMs);
  readonly #sent: SentCount = { messages: 0, bytes: 0 };
  readonly #stops: (() => void)[];
  #isClosing = false;

  constructor(options: EventStreamsOptions<P>) {
    const { hub, onError = warnOnError } = options;
    this.#options = options;
    this.#hub = hub;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#access = createAccess({ ...options, onError });
    this.#quota = options.places ?? createConnectionQuota(this.#limits.socketsPerUser);
    const checking = setInterval(() => this.#check(), checkEveryMs).unref();
    this.#stops = [
      hub.onChange((ids) => this.#change(ids)),
      hub.onGone((id, why) => this.#gone(id, why)),
      hub.onReauthorize((filter) => {
        for (const stream of this.#all()) if (filter?.(stream.principal) ?? true) stream.reauthorize();
      }),
      () => clearInterval(checking),
    ];
  }

  get connections(): number {
    return this.#all().length;
  }

  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    { principal, operation }: EventRequest<P>,
  ): Promise<void> {
    const startedAtMs = performance.now();
    if (isForeignFetch(request)) return this.#refuse('foreign_origin', request, response);
    if (this.#isClosing) return this.#refuse('shutting_down', request, response);
    const snapshot = await this.#find(operation, principal);
    if (response.destroyed) return;
    if (snapshot === undefined || this.#endedSessions.hasEnded(principal, startedAtMs))
      return this.#refuse('not_found', request, response);
    const isCurrent = request.headers['last-event-id'] === eventId(snapshot);
    // An EventSource reconnects forever unless it receives 204.
    if (isCurrent && isTerminal(snapshot.state)) return void response.writeHead(204).end();
    const release = this.#quota.acquire(this.#options.user(principal).user);
    if (release === null) return this.#refuse('too_many_watchers', request, response);
    response.once('close', release);
    this.#open(response, { principal, snapshot, isCurrent });
  }

  closeSessions(match: (principal: P) => boolean): number {
    this.#endedSessions.add(match);
    const ended = this.#all().filter(({ principal }) => match(principal));
    for (const stream of ended) stream.endSession();
    return ended.length;
  }

  stats(): WatchStats {
    return watchStats(
      this.#all().map(({ isWriting, waitingSinceMs }) => ({
        subscriptions: 1,
        isAwaitingPong: isWriting,
        waitingSinceMs,
      })),
      this.#sent,
    );
  }

  shutdown({ reconnectAfterMs = defaultReconnectAfterMs }: { reconnectAfterMs?: number } = {}): void {
    this.#isClosing = true;
    for (const stop of this.#stops) stop();
    for (const stream of this.#all())
      stream.sendBye(Math.round(reconnectAfterMs + Math.random() * reconnectJitterMs));
  }

  #open(
    response: ServerResponse,
    { principal, snapshot, isCurrent }: { principal: P; snapshot: Snapshot; isCurrent: boolean },
  ): void {
    const stream = new EventStream({
      response,
      principal,
      identity: this.#options.user(principal),
      view: this.#options.view?.(principal) ?? 'full',
      access: this.#access,
      limits: this.#limits,
      sent: this.#sent,
      snapshot,
      isCurrent,
    });
    const streams = this.#byOperation.get(snapshot.id) ?? new Set();
    this.#byOperation.set(snapshot.id, streams.add(stream));
    response.once('close', () => {
      streams.delete(stream);
      if (streams.size === 0 && this.#byOperation.get(snapshot.id) === streams)
        this.#byOperation.delete(snapshot.id);
    });
    stream.open();
  }

  /** Looks up forbidden operations too, so that they take the same time as unknown ones. */
  async #find(id: string, principal: P): Promise<Snapshot | undefined> {
    if (!isOperationId(id)) return undefined;
    const current = this.#hub.get(id);
    if (current !== undefined && this.#access.canWatch(principal, current)) return current;
    const found = await this.#access.lookup(id);
    // The hub may have received a newer snapshot during the look-up.
    const newest = this.#hub.get(id) ?? found;
    return newest !== undefined && this.#access.canWatch(principal, newest) ? newest : undefined;
  }

  #refuse(refusal: EventRefusal, request: IncomingMessage, response: ServerResponse): void {
    if (this.#options.refuse) return this.#options.refuse(refusal, request, response);
    response.writeHead(EVENT_REFUSAL_STATUSES[refusal], {
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
    response.end(JSON.stringify({ code: refusal }));
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

/** Without this check a page of another site or port could use up the quota of its visitors. */
function isForeignFetch({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  return site === 'cross-site' || site === 'same-site';
}

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
  const { principal, operation, ...rest } = options;
  const streams = createEventStreams<P>(rest);
  // The gateway's timers and listeners live as long as this response.
  response.once('close', () => streams.shutdown());
  return streams.serve(request, response, { principal, operation });
}
