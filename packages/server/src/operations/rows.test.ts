import { expect, it } from 'vitest';
import { operation } from '@wcc/api';
import { newRecord } from './record.ts';
import type { OperationRecord } from './record.ts';
import { parseRow, storedSnapshot } from './rows.ts';

it('a record stored by version 0.1.0 reads with the fields that it lacks', () => {
  const {
    title: _title,
    host: _host,
    ...old
  } = newRecord({
    id: 'a'.repeat(26),
    action: 'copy_vm_image',
    owner: 'u1',
    ownerName: 'sato',
    subject: { kind: 'image', id: 100, name: 'debian' },
    target: null,
    phases: ['copy'],
    createdAt: '2026-01-01T14:00:00.000Z',
  }) satisfies OperationRecord;
  const row = parseRow({ id: old.id, rev: 3, input: '{}', record: JSON.stringify(old) });
  expect(row.record).toMatchObject({ ...old, title: null, host: null });
  expect(operation.parse(storedSnapshot(row))).toMatchObject({ title: null, host: null, seq: 3 });
});
