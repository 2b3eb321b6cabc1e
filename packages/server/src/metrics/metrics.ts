import { operationActions } from '@wcc/api';
import { isTerminal } from '@wcc/progress';
import { operationStates } from '@wcc/progress/protocol';
import type { Hub } from '@wcc/progress/server';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Store } from '../storage/store.ts';
import { createByteMetrics } from './bytes.ts';
import type { MeteredRecord } from './bytes.ts';
import { registerEventLoopLag } from './event-loop.ts';
import { registerWatchMetrics } from './watchers.ts';
import { measureStore } from './store.ts';
import type { WatchKind, WatchSources, WatchStats } from './watchers.ts';

/** One answered request. */
export interface RequestRecord {
  /** The route pattern, e.g. `/api/operations/:id`. */
  route: string;
  method: string;
  status: number;
  durationMs: number;
  /** A stream lasts until its client leaves, so its duration is not measured. */
  isStream: boolean;
}

/** Free space of one pool, in bytes. */
export interface PoolSpace {
  name: string;
  freeBytes: number;
  totalBytes: number;
}

/**
 * Metrics for Prometheus. Labels come from fixed short lists; they never contain users, operations or names from
 * publishers. Each server has its own registry.
 */
export interface Metrics {
  readonly contentType: string;
  /** All current metrics as text. */
  text(pools: readonly PoolSpace[]): Promise<string>;
  /** Called for every state change of an operation. */
  recordState(record: MeteredRecord): void;
  recordRequest(request: RequestRecord): void;
  /** Wraps the store to measure the time of each commit, and shows its state. */
  measureStore(store: Store): Store;
  /** Adds the statistics of one gateway. They are read at each scrape. */
  addWatchers(kind: WatchKind, stats: () => WatchStats): void;
  close(): void;
}

export function createMetrics({ hub }: { hub: Hub }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const stopLag = registerEventLoopLag(registry);
  const sources: WatchSources = new Map();
  registerWatchMetrics(registry, sources);
  registerOperations(registry, hub);
  const ended = new Counter({
    name: 'wcc_operations_ended_total',
    help: 'Operations that ended in this process.',
    registers: [registry],
    labelNames: ['action', 'state'],
  });
  const bytes = createByteMetrics(registry, hub);
  const showPools = registerPools(registry);
  return {
    contentType: registry.contentType,
    text(pools) {
      showPools(pools);
      return registry.metrics();
    },
    recordState(record) {
      bytes.recordState(record);
      if (isTerminal(record.state)) ended.inc({ action: actionLabel(record.action), state: record.state });
    },
    recordRequest: registerRequests(registry),
    measureStore: (store) => measureStore(store, registry),
    addWatchers: (kind, stats) => void sources.set(kind, stats),
    close() {
      stopLag();
      registry.clear();
    },
  };
}

/** Publishers choose any action name, so all of them share one label. */
function actionLabel(action: string): string {
  return operationActions.some((name) => name === action) ? action : 'published';
}

function registerOperations(registry: Registry, hub: Hub): void {
  const states = operationStates.filter((state) => !isTerminal(state));
  const actions = [...operationActions, 'published'];
  registry.registerMetric(
    new Gauge({
      name: 'wcc_operations',
      help: 'Operations that have not ended.',
      registers: [],
      labelNames: ['state', 'action'],
      collect() {
        // Zero instead of a missing series, which would be a gap in a graph.
        for (const state of states) for (const action of actions) this.set({ state, action }, 0);
        for (const { state, action } of hub.list()) {
          if (!isTerminal(state)) this.inc({ state, action: actionLabel(action) });
        }
      },
    }),
  );
}

function registerPools(registry: Registry): (pools: readonly PoolSpace[]) => void {
  const labelNames = ['pool'];
  const free = new Gauge({
    name: 'wcc_pool_free_bytes',
    help: 'Free space for new images, without reservations and the floor.',
    registers: [registry],
    labelNames,
  });
  const total = new Gauge({
    name: 'wcc_pool_size_bytes',
    help: 'Size of the file system of the pool.',
    registers: [registry],
    labelNames,
  });
  return (pools) => {
    free.reset();
    total.reset();
    for (const { name: pool, freeBytes, totalBytes } of pools) {
      free.set({ pool }, freeBytes);
      total.set({ pool }, totalBytes);
    }
  };
}

function registerRequests(registry: Registry): (request: RequestRecord) => void {
  const requests = new Counter({
    name: 'wcc_http_requests_total',
    help: 'Answered requests.',
    registers: [registry],
    labelNames: ['route', 'method', 'status'],
  });
  const durations = new Histogram({
    name: 'wcc_http_request_duration_seconds',
    help: 'Time until the answer was sent, without streams.',
    registers: [registry],
    labelNames: ['route', 'method'],
    buckets: [0.002, 0.01, 0.05, 0.2, 1, 5],
  });
  return ({ route, method, status, durationMs, isStream }) => {
    requests.inc({ route, method, status: String(status) });
    if (!isStream) durations.observe({ route, method }, durationMs / 1000);
  };
}
