import type { Registry } from 'prom-client';
import { Gauge, Histogram } from 'prom-client';
import type { Store } from '../storage/store.ts';

/** Wraps the store to measure its commits, and shows what it can do now. */
export function measureStore(store: Store, registry: Registry): Store {
  registerStatus(store, registry);
  const commits = new Histogram({
    name: 'wcc_store_commit_seconds',
    help: 'Time until a batch was durable, including its wait in the queue.',
    registers: [registry],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2],
  });
  return {
    db: store.db,
    async write(batch) {
      const stop = commits.startTimer();
      try {
        return await store.write(batch);
      } finally {
        stop();
      }
    },
    status: () => store.status(),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}

function registerStatus(store: Store, registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    const options = { name, help, registers: [registry] };
    void new Gauge({
      ...options,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('wcc_store_writable', '1 if changes are durable when they are answered, else 0.', () => {
    const { isOpen, isDamaged, heldBatches, failure } = store.status();
    return isOpen && !isDamaged && heldBatches === 0 && failure === null ? 1 : 0;
  });
  gauge('wcc_store_held_batches', 'Changes in memory only, because the disk is full.', () => {
    return store.status().heldBatches;
  });
  gauge('wcc_store_ballast_bytes', 'Space that the database can still release on a full disk.', () => {
    return store.status().ballast?.sizeBytes ?? 0;
  });
}
