import type { ImageId } from '@wcc/api';
import type { Store, WriteStatement } from '../../storage/store.ts';
import type { Numbers, ImageRow } from '../image-rows.ts';
import type { Entry } from './stat-entry.ts';

/** The result of a scan for one name: the new fields of its row. */
export type Finding = Pick<ImageRow, 'state' | 'stateReason'> &
  Partial<
    Pick<
      ImageRow,
      'format' | 'virtualSizeBytes' | 'sizeBytes' | 'dataBytes' | 'digestOf' | 'remarks' | FileColumns
    >
  >;

/** Together with `sizeBytes`, the identity of the file. */
type FileColumns = 'inode' | 'mtimeNs' | 'ctimeNs';

/** A new row. If an operation registered the name in the meantime, its row wins. */
export function addFinding(
  { store, numbers, pool }: { store: Store; numbers: Numbers<ImageId>; pool: { id: string } },
  entry: Entry,
  finding: Finding,
): WriteStatement[] {
  const { id, statement } = numbers.take();
  const query = store.db
    .insertInto('images')
    .values({
      id,
      poolId: pool.id,
      name: entry.name,
      format: finding.format ?? null,
      virtualSizeBytes: finding.virtualSizeBytes ?? 0,
      sizeBytes: entry.sizeBytes,
      dataBytes: finding.dataBytes ?? 0,
      remarks: finding.remarks ?? '[]',
      state: finding.state,
      stateReason: finding.stateReason,
      inode: entry.inode,
      mtimeNs: entry.mtimeNs,
      ctimeNs: entry.ctimeNs,
      owner: null,
      copiedFrom: null,
      createdAt: new Date().toISOString(),
    })
    .onConflict((conflict) => conflict.doNothing());
  return [statement, { query }];
}

export function updateFinding(store: Store, row: ImageRow, finding: Finding): WriteStatement {
  const query = store.db
    .updateTable('images')
    .set({ ...finding, rev: row.rev + 1 })
    .where('id', '=', row.id)
    .where('rev', '=', row.rev);
  if (row.state !== 'missing' || finding.state === 'missing') return { query };
  // An operation may have registered another image of this name since the rows were read: its row wins. Without this
  // condition, the unique name would refuse the whole batch.
  const others = store.db
    .selectFrom('images')
    .select('id')
    .where('poolId', '=', row.poolId)
    .where('name', '=', row.name)
    .where('state', '<>', 'missing');
  return { query: query.where((where) => where.not(where.exists(others))) };
}

/** True if the row has all these values already. */
export function sameImage(row: ImageRow, finding: Finding): boolean {
  return Object.entries(finding).every(([field, value]) => row[field as keyof ImageRow] === value);
}

export function removeRow(store: Store, row: ImageRow): WriteStatement {
  return { query: store.db.deleteFrom('images').where('id', '=', row.id).where('rev', '=', row.rev) };
}
