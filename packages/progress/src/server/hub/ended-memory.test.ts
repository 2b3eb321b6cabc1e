import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createHub } from '@wcc/progress/server';
import { expect, it } from 'vitest';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  for (let round = 0; round < 4; round += 1) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const count = 5000;
const maxBytesPerOperation = 3500;

it('an ended operation costs less than 3.5 kB once the hub has looked at what may go', () => {
  const hub = createHub();
  const before = usedBytes();
  const phases = ['inspect', 'transfer', 'verify', 'publish'].map((name) => ({ name }));
  for (let index = 0; index < count; index += 1) {
    const record = {
      id: `operation-${index}`,
      action: 'copy_vm_image',
      owner: 'ann',
      phaseIndex: 1,
    } as const;
    for (let step = 0; step < 10; step += 1) {
      const transfer = { name: 'transfer', unit: 'bytes', done: step * 1e6, total: 1e7 } as const;
      hub.put({ ...record, state: 'running', phases: phases.with(1, transfer) });
    }
    hub.put({ ...record, state: 'succeeded', phases });
    hub.bytes(record.id);
    hub.bytes(record.id, 'public');
  }
  hub.retire();
  expect((usedBytes() - before) / count).toBeLessThan(maxBytesPerOperation);
  expect(hub.get('operation-7')).toMatchObject({ state: 'succeeded' });
  hub.close();
});

it('a record after the end changes what it names and keeps the times of the end', () => {
  const errors: string[] = [];
  let nowMs = 0;
  const hub = createHub({ now: () => nowMs, onError: (error) => errors.push(String(error)) });
  const record = { id: 'job', action: 'job', owner: 'ann' } as const;
  const phase = { name: 'work', unit: 'bytes', done: 5, total: 10 } as const;
  hub.put({ ...record, state: 'running', phases: [phase] });
  nowMs = 4000;
  hub.put({ ...record, state: 'succeeded', phases: [{ ...phase, done: 10 }] });
  const ended = hub.get('job')!;
  expect(ended).toMatchObject({ elapsedMs: 4000, phases: [{ elapsedMs: 4000, done: 10 }] });
  nowMs = 9000;
  hub.put({ ...record, state: 'succeeded', phases: [{ ...phase, done: 10 }], warnings: ['late'] });
  const { seq, at, warnings, ...rest } = hub.get('job')!;
  expect({ ...ended, ...rest }).toEqual(ended);
  expect({ seq, warnings }).toEqual({ seq: ended.seq + 1, warnings: ['late'] });
  expect(at).not.toBe('');
  expect(errors).toEqual([]);
  hub.close();
});
