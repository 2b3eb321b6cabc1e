import { randomBytes } from 'node:crypto';
import type { Phase } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import type { OperationRecord } from '../hub/record.ts';

export const newId = (): string => createOperationId(randomBytes);

export function phase(name: string, changes: Partial<Phase> = {}): Phase {
  return {
    name,
    unit: 'bytes',
    done: 0,
    durable: 0,
    total: 1000,
    state: 'pending',
    elapsedMs: 0,
    ...changes,
  };
}

/** A copy in its second of four phases, as the server would put it. */
export function copyRecord(changes: Partial<OperationRecord> = {}): OperationRecord {
  return {
    id: newId(),
    label: 'copy_vm_image_100',
    action: 'copy_vm_image',
    subject: { kind: 'image', id: 100, name: 'debian-13' },
    target: { kind: 'image', id: 101, name: 'web-07-disk' },
    owner: 'u1',
    ownerName: 'sato',
    state: 'running',
    queuePosition: null,
    stateReason: null,
    phases: [
      phase('reserve', { unit: null, total: null, state: 'done', elapsedMs: 12 }),
      phase('copy', { state: 'running' }),
      phase('flush'),
      phase('publish', { unit: 'steps', total: 3 }),
    ],
    phaseIndex: 1,
    bytes: { virtual: 40_000, data: 1000, skipped: 39_000, shared: 0, written: 0 },
    method: 'kernel-copy',
    elapsedMs: 0,
    createdAt: '2026-01-02T03:04:05.000Z',
    startedAt: '2026-01-02T03:04:05.100Z',
    endedAt: null,
    warnings: [],
    error: null,
    result: null,
    retryOf: null,
    partOf: null,
    ...changes,
  };
}

/** The same copy with so many bytes done. */
export function moved(
  record: OperationRecord,
  done: number,
  elapsedMs: number = record.elapsedMs,
): OperationRecord {
  const phases = record.phases.map((each, index) =>
    index === record.phaseIndex ? { ...each, done, durable: done } : each,
  );
  return { ...record, phases, elapsedMs };
}

export function ended(record: OperationRecord, changes: Partial<OperationRecord> = {}): OperationRecord {
  return { ...record, state: 'succeeded', endedAt: new Date().toISOString(), ...changes };
}
