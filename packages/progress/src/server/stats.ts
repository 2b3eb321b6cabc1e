import { performance } from 'node:perf_hooks';

/** Messages and bytes that one gateway has sent since its start. */
export interface SentCount {
  messages: number;
  bytes: number;
}

/** The watchers of one gateway at this moment. */
export interface WatchStats {
  connections: number;
  /** Operations watched, summed over the connections. */
  subscriptions: number;
  /** Connections that have not answered their last Ping, so their last bytes may be unread. */
  awaitingPong: number;
  sentMessages: number;
  sentBytes: number;
  /** Longest time that the newest snapshot has waited for a slow watcher; 0 if none waits. */
  stalenessMs: number;
}

export interface WatcherState {
  subscriptions: number;
  isAwaitingPong: boolean;
  waitingSinceMs: number | null;
}

export function watchStats(watchers: readonly WatcherState[], sent: SentCount): WatchStats {
  const nowMs = performance.now();
  let subscriptions = 0;
  let awaitingPong = 0;
  let stalenessMs = 0;
  for (const watcher of watchers) {
    subscriptions += watcher.subscriptions;
    if (watcher.isAwaitingPong) awaitingPong += 1;
    if (watcher.waitingSinceMs !== null) stalenessMs = Math.max(stalenessMs, nowMs - watcher.waitingSinceMs);
  }
  const { messages: sentMessages, bytes: sentBytes } = sent;
  return {
    connections: watchers.length,
    subscriptions,
    awaitingPong,
    sentMessages,
    sentBytes,
    stalenessMs: Math.round(stalenessMs),
  };
}
