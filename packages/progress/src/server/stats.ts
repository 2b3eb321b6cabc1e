import { performance } from 'node:perf_hooks';

/** What was sent since the start; kept by those who send. */
export interface SentCount {
  messages: number;
  bytes: number;
}

/** How the watchers of one gateway are, at this moment. */
export interface WatchStats {
  connections: number;
  /** Operations watched, summed over the connections. */
  subscriptions: number;
  /** Connections whose last bytes are not acknowledged yet. */
  awaitingPong: number;
  sentMessages: number;
  sentBytes: number;
  /** How long the newest state of an operation has waited for a watcher that cannot take it yet; 0: for nobody. */
  stalenessMs: number;
}

export interface WatcherState {
  subscriptions: number;
  isAwaited: boolean;
  waitingSinceMs: number | null;
}

export function watchStats(watchers: readonly WatcherState[], sent: SentCount): WatchStats {
  const nowMs = performance.now();
  let subscriptions = 0;
  let awaitingPong = 0;
  let stalenessMs = 0;
  for (const watcher of watchers) {
    subscriptions += watcher.subscriptions;
    if (watcher.isAwaited) awaitingPong += 1;
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
