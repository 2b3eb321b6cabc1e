import type { CloseCode, Limits, SubscribeList, SubscribeOps } from '@wcc/progress/protocol';
import { closeCodes } from '@wcc/progress/protocol';
import { Connection } from '../gateway/connection.ts';
import type { GatewayContext, Wire } from '../gateway/connection.ts';
import { asClientMessage } from '../gateway/inbound.ts';
import { textMessage } from '../gateway/messages.ts';
import { messageEvent } from './event-format.ts';
import { eventStreamHeaders } from './sink.ts';
import type { EventSink, SinkEvents } from './sink.ts';

export type Subscribe = SubscribeOps | SubscribeList;

/**
 * Reads the subscriptions of a feed: an array of `sub` messages, as a client would send them over a socket.
 *
 * @returns `null` if it is anything else, or names more than `limits.subscriptions` operations
 */
export function readSubscriptions(json: unknown, limits: Limits): Subscribe[] | null {
  if (!Array.isArray(json)) return null;
  const messages = json.map((each) => asClientMessage(each, limits));
  const subs = messages.filter((message): message is Subscribe => message?.t === 'sub');
  if (subs.length < messages.length) return null;
  const named = subs.reduce((count, sub) => count + ('ops' in sub ? sub.ops.length : 0), 0);
  return named <= limits.subscriptions && subs.length <= limits.subscriptions ? subs : null;
}

export interface FeedOptions<P> {
  createSink: (events: SinkEvents) => EventSink;
  principal: P;
  context: GatewayContext<P>;
}

/** Opens a stream of all server messages that a socket would receive. The credit of its sink is the Pong. */
export function openFeed<P>({ createSink, principal, context }: FeedOptions<P>): Connection<P> {
  let pending: string | null = null;
  const sink = createSink({
    free: () => {
      const payload = pending;
      pending = null;
      if (payload !== null) connection.sendWindow.pong(payload);
    },
    closed: () => connection.closed(),
  });
  const wire: Wire = {
    send: (data) => sink.write(messageEvent(data)),
    // A Ping always follows a message, so the sink is busy and `free` will come.
    ping: (payload) => void (pending = payload),
    sendTogether: (sends) => sends(),
    bufferedBytes: () => sink.bufferedBytes(),
    close: (code: CloseCode) => {
      if (code === closeCodes.noPong) sink.destroy();
      else sink.end(undefined, context.limits.pongMs);
    },
    terminate: () => sink.destroy(),
  };
  const connection = new Connection<P>({ wire, principal, context });
  sink.open(eventStreamHeaders);
  connection.open();
  return connection;
}

/** Answers the subscriptions in their order. */
export async function subscribeFeed<P>(
  connection: Connection<P>,
  { subs, context }: { subs: readonly Subscribe[]; context: GatewayContext<P> },
): Promise<void> {
  for (const sub of subs) {
    if (!connection.isOpen) return;
    await connection.subscribe(sub).catch((error: unknown) => {
      context.onError(error, { stage: 'sub' });
      const failed = { t: 'err', id: sub.id, code: 'unavailable', retry: true, ms: 1000 } as const;
      if (connection.isOpen) connection.sendWindow.send(textMessage(failed));
    });
    if (connection.isOpen) connection.sendWindow.flush();
  }
}
