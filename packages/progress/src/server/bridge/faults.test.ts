import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Hub } from '../hub.ts';
import type { CompleteRecord } from '../hub/record.ts';
import { copyRecord, ended, moved } from '../testkit/record.testkit.ts';
import { createBus, noFaults, seeded } from './bus.testkit.ts';
import { byId, pass, startProcess, stopProcesses, useProcesses } from './processes.testkit.ts';
import type { Process } from './processes.testkit.ts';

useProcesses();

describe('bridge over a transport with faults', () => {
  type Step = {
    at: 0 | 1 | 2;
    kind: 'put' | 'move' | 'end' | 'gone' | 'cut' | 'wait';
    pick: number;
    ms: number;
  };
  const step = fc.record<Step>({
    at: fc.constantFrom(0, 1, 2),
    kind: fc.constantFrom('put', 'put', 'move', 'move', 'move', 'end', 'gone', 'cut', 'wait'),
    pick: fc.nat(),
    // Some waits are longer than the time after which a process counts as lost.
    ms: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 1500 }) },
      { weight: 1, arbitrary: fc.constant(14_000) },
    ),
  });

  /** Runs one step on the operations of one process. */
  function runStep(hub: Hub, records: Map<string, CompleteRecord>, { kind, pick }: Step): void {
    if (kind === 'put') {
      const record = copyRecord();
      records.set(record.id, record);
      hub.put(record);
      return;
    }
    const record = [...records.values()][pick % Math.max(1, records.size)];
    if (record === undefined) return;
    if (kind === 'gone') hub.remove(record.id, 'deleted');
    if (kind === 'gone') records.delete(record.id);
    if (kind === 'end') records.set(record.id, ended(record));
    if (kind === 'move' && record.state === 'running') {
      const [, { done = 0 }] = record.phases as [unknown, { done?: number }];
      records.set(record.id, moved(record, Math.min(1000, done + (pick % 100))));
    }
    const next = records.get(record.id);
    if (next !== undefined) hub.put(next);
  }

  it('shows the same in every process after any losses, repetitions and delays, once it is quiet', async () => {
    const faults = fc.record({
      lost: fc.double({ min: 0, max: 0.6, noNaN: true }),
      repeated: fc.double({ min: 0, max: 0.4, noNaN: true }),
      late: fc.double({ min: 0, max: 0.6, noNaN: true }),
    });
    const run = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      faults,
      fc.integer({ min: 1, max: 2_147_483_646 }),
      async (steps, probabilities, seed) => {
        const bus = createBus(seeded(seed));
        const group = [0, 1, 2].map(() => startProcess(bus));
        const records = group.map(() => new Map<string, CompleteRecord>());
        bus.faults = probabilities;
        for (const each of steps) {
          const { hub, transport } = group[each.at] as Process;
          if (each.kind === 'cut') transport.isCut = !transport.isCut;
          else runStep(hub, records[each.at] ?? new Map<string, CompleteRecord>(), each);
          await pass(each.ms);
        }
        bus.faults = noFaults;
        for (const { transport } of group) transport.isCut = false;
        await pass(15_000);
        group.push(startProcess(bus));
        await pass(1000);
        const [first, ...others] = group.map(({ hub }) => byId(hub));
        const expected = records.flatMap((each) => [...each.keys()]).toSorted();
        expect([...(first?.keys() ?? [])].toSorted()).toEqual(expected);
        for (const other of others) expect(other).toEqual(first);
        expect(group.flatMap(({ errors }) => errors)).toEqual([]);
        await stopProcesses();
      },
    );
    await fc.assert(run, { numRuns: 100 });
  }, 60_000);
});
