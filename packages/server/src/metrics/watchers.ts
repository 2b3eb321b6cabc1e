import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** Statistics of the clients that watch through one gateway. */
export interface WatchStats {
  connections: number;
  subscriptions: number;
  sentBytes: number;
  sentMessages: number;
  /** Age of the oldest change that a client has not received yet. */
  stalenessMs: number;
}

export type WatchKind = 'websocket' | 'sse';
export type WatchSources = Map<WatchKind, () => WatchStats>;

export function registerWatchMetrics(registry: Registry, sources: WatchSources): void {
  const gauge = (name: string, help: string, read: (stats: WatchStats) => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        labelNames: ['kind'],
        collect() {
          for (const [kind, stats] of sources) this.set({ kind }, read(stats()));
        },
      }),
    );
  };
  const counter = (name: string, help: string, read: (stats: WatchStats) => number): void => {
    const reported = new Map<WatchKind, number>();
    registry.registerMetric(
      new Counter({
        name,
        help,
        registers: [],
        labelNames: ['kind'],
        collect() {
          for (const [kind, stats] of sources) {
            const now = read(stats());
            this.inc({ kind }, Math.max(0, now - (reported.get(kind) ?? 0)));
            reported.set(kind, now);
          }
        },
      }),
    );
  };
  gauge('wcc_watchers', 'Open connections that watch operations.', (stats) => stats.connections);
  gauge('wcc_watch_subscriptions', 'Watched operations of all connections.', (stats) => {
    return stats.subscriptions;
  });
  gauge('wcc_watch_staleness_seconds', 'Age of the oldest news that a watcher still waits for.', (stats) => {
    return stats.stalenessMs / 1000;
  });
  counter('wcc_watch_sent_bytes_total', 'Bytes sent to watchers.', (stats) => stats.sentBytes);
  counter('wcc_watch_sent_messages_total', 'Messages sent to watchers.', (stats) => stats.sentMessages);
}
