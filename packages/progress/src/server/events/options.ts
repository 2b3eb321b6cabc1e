import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GatewayOptions } from '../gateway/options.ts';
import type { WatchStats } from '../stats.ts';

/** Options shared with {@link createGateway}: the same rights, the same quota. */
export type EventStreamsOptions<P> = Pick<
  GatewayOptions<P>,
  'hub' | 'authorize' | 'may' | 'user' | 'view' | 'lookup' | 'sharedLimits' | 'limits' | 'onError'
> & {
  /**
   * Answers a refused request of `serve`.
   * @default the status and a short JSON body `{"code":"…"}`
   */
  refuse?: (refusal: EventRefusal, request: IncomingMessage, response: ServerResponse) => void;
};

/** Why no stream was opened. `not_found` covers unknown and forbidden operations. */
export type EventRefusal =
  'malformed' | 'foreign_origin' | 'not_found' | 'too_many_watchers' | 'shutting_down';

/** The HTTP status of each refusal. */
export const eventRefusalStatuses: Readonly<Record<EventRefusal, number>> = {
  malformed: 400,
  foreign_origin: 403,
  not_found: 404,
  too_many_watchers: 429,
  shutting_down: 503,
};

/** What a request wants to watch. */
export type EventRequest<P> = {
  /** The authenticated principal. The host authenticates, as for its other routes. */
  principal: P;
} & (
  | {
      /** Id of the one operation to watch until its end. Its events are `op`, `gone` and `bye`. */
      operation: string;
    }
  | {
      /**
       * Parsed JSON: the `sub` messages of a client, `[{"t":"sub","id":1,"ops":[…]}, …]`. Each event of the stream is
       * one server message, as on a socket. It is checked here, so pass a request's body as it is.
       */
      subs: unknown;
    }
);

/** Operations as server-sent events: for curl, and for networks whose proxies block WebSockets. */
export interface EventStreams<P> {
  /** Answers the request. Resolves when the stream is open, was refused, or was not needed (204). */
  serve(request: IncomingMessage, response: ServerResponse, wanted: EventRequest<P>): Promise<void>;
  /** The same with Web standard objects. The body is pulled, so a slow client has the same cost: one snapshot. */
  respond(request: Request, wanted: EventRequest<P>): Promise<Response>;
  /**
   * Ends every stream whose principal matches, including those whose operation is being looked up.
   *
   * @returns how many streams were open
   */
  closeSessions(match: (principal: P) => boolean): number;
  /** The principals of all open streams, one for each stream. */
  principals(): P[];
  readonly connections: number;
  /** Counts of connections, messages and bytes, for metrics. */
  stats(): WatchStats;
  /** Sends `bye` on every stream and ends it. New requests receive 503. */
  shutdown(options?: { reconnectAfterMs?: number }): void;
}
