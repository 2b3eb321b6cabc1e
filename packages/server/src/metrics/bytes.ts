import type { ByteCounts } from '@wcc/progress/protocol';
import type { Hub } from '@wcc/progress/server';
import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';

/** Kinds of counted bytes with the help text of their metric. */
const helpByKind = {
  written: 'Bytes written by operations of this process.',
  data: 'Bytes of data that operations of this process processed.',
  skipped: 'Bytes of holes that copies skipped.',
  shared: 'Bytes that copies share with their source.',
} as const satisfies Partial<Record<keyof ByteCounts, string>>;

type Kind = keyof typeof helpByKind;
const allKinds = Object.keys(helpByKind) as Kind[];
const noBytes: Record<Kind, number> = { written: 0, data: 0, skipped: 0, shared: 0 };

/** What the metrics read of an operation. */
export type MeteredRecord = Pick<Snapshot, 'id' | 'action' | 'state' | 'bytes'>;

/** Bytes of all operations, including running ones, so that a long copy is not one step at its end. */
export interface ByteMetrics {
  /** Called for every state change of an operation. */
  recordState(record: MeteredRecord): void;
}

export function createByteMetrics(registry: Registry, hub: Hub): ByteMetrics {
  const ended = { ...noBytes };
  /** Bytes of an operation at its first state in this process; an earlier process counted these. */
  const startBytes = new Map<string, Record<Kind, number>>();

  const add = (sums: Record<Kind, number>, record: Pick<MeteredRecord, 'id' | 'bytes'>): void => {
    const start = startBytes.get(record.id);
    if (start === undefined || record.bytes === null) return;
    for (const kind of allKinds) sums[kind] += Math.max(0, record.bytes[kind] - start[kind]);
  };
  const total = (kind: Kind): number => {
    const sums = { ...ended };
    for (const snapshot of hub.list()) if (!isTerminal(snapshot.state)) add(sums, snapshot);
    return sums[kind];
  };

  for (const kind of allKinds) {
    let reported = 0;
    registry.registerMetric(
      new Counter({
        name: `wcc_bytes_${kind}_total`,
        help: helpByKind[kind],
        registers: [],
        collect() {
          const now = total(kind);
          if (now > reported) this.inc(now - reported);
          reported = Math.max(now, reported);
        },
      }),
    );
  }
  return {
    recordState(record) {
      if (!startBytes.has(record.id)) startBytes.set(record.id, { ...noBytes, ...record.bytes });
      if (!isTerminal(record.state)) return;
      add(ended, record);
      startBytes.delete(record.id);
    },
  };
}
