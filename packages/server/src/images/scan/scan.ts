import type { ImageId, RescanResult } from '@wcc/api';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store, WriteStatement } from '../../storage/store.ts';
import type { Numbers, ImageRow } from '../image-rows.ts';
import type { Finding } from './findings.ts';
import { addFinding, removeRow, sameImage, updateFinding } from './findings.ts';
import { statEntry, readContent, refusalReason } from './stat-entry.ts';
import type { Entry } from './stat-entry.ts';

/** A file that changed within this time waits for the next automatic scan. */
export const stableAfterMs = 5_000;

export interface ScanOptions {
  store: Store;
  numbers: Numbers<ImageId>;
  pool: { id: string; path: string };
  /** `asked`: a person or the start requests the scan. It registers every file that no program writes to. */
  mode: 'asked' | 'automatic';
}

/** Created by file systems. */
const ignoredDirectories: ReadonlySet<string> = new Set(['lost+found']);

/** Compares the directory with the records. Stores new, missing, returned and changed files in one batch. */
export async function scanPool(options: ScanOptions): Promise<RescanResult> {
  const { store, pool } = options;
  // Rows first: a file that is published in the meantime can be missing in the rows, but never on the disk.
  const rows = await store.db.selectFrom('images').selectAll().where('poolId', '=', pool.id).execute();
  const names = await visibleNames(pool.path);
  const reserved = await readReserved(store, pool.id);
  const result: RescanResult = { added: 0, missing: 0, returned: 0, refused: 0, skipped: [] };
  const statements: WriteStatement[] = [];
  for (const { name, path } of names) {
    // Its operation registers the file, or the next scan does.
    if (reserved.has(name)) continue;
    const entry = await statEntry(path, name);
    if (entry === null || (entry.kind === 'directory' && ignoredDirectories.has(name))) continue;
    statements.push(...(await takeEntry({ entry, rows, result }, options)));
  }
  const present = new Set([...names.map(({ name }) => name), ...reserved]);
  for (const row of rows) {
    if (row.state === 'missing' || present.has(row.name)) continue;
    // The row of a file that was never an image is deleted.
    const wasRefused = row.state === 'refused' && row.format === null;
    if (!wasRefused) result.missing += 1;
    statements.push(
      wasRefused ? removeRow(store, row) : updateFinding(store, row, { state: 'missing', stateReason: null }),
    );
  }
  await writeAll(store, statements);
  return result;
}

/**
 * Reads names as bytes, because they need not be UTF-8. A name that is not UTF-8 is shown with U+FFFD and refused.
 */
async function visibleNames(directory: string): Promise<{ name: string; path: Buffer }[]> {
  const names = await readdir(directory, { encoding: 'buffer' });
  return names
    .map((bytes) => ({ name: bytes.toString(), path: Buffer.concat([Buffer.from(`${directory}/`), bytes]) }))
    .filter(({ name }) => !name.startsWith('.'));
}

async function readReserved(store: Store, poolId: string): Promise<Set<string>> {
  const rows = await store.db
    .selectFrom('nameReservations')
    .select('name')
    .where('poolId', '=', poolId)
    .execute();
  return new Set(rows.map(({ name }) => name));
}

interface Seen {
  entry: Entry;
  rows: readonly ImageRow[];
  result: RescanResult;
}

async function takeEntry({ entry, rows, result }: Seen, options: ScanOptions): Promise<WriteStatement[]> {
  const { store } = options;
  const known = rowFor(rows, entry);
  const finding = await find({ entry, known, result }, options);
  if (finding === null) return [];
  if (finding.state === 'refused' && known?.state !== 'refused') result.refused += 1;
  if (known === null) {
    if (finding.state === 'ready') result.added += 1;
    return addFinding(options, entry, finding);
  }
  if (finding.state === 'ready' && known.state === 'missing') result.returned += 1;
  return sameImage(known, finding) ? [] : [updateFinding(store, known, finding)];
}

/** The row of a name: the row of an existing image, otherwise of the image that went missing last. */
function rowFor(rows: readonly ImageRow[], { name }: Entry): ImageRow | null {
  const named = rows.filter((row) => row.name === name);
  return named.find((row) => row.state !== 'missing') ?? named.at(-1) ?? null;
}

/** The state of an entry; null if it waits for the next scan. */
async function find(
  { entry, known, result }: { entry: Entry; known: ImageRow | null; result: RescanResult },
  { mode, pool }: ScanOptions,
): Promise<Finding | null> {
  const { sizeBytes, inode, mtimeNs } = entry;
  const refusal = refusalReason(entry);
  if (refusal !== null) return { state: 'refused', stateReason: refusal, sizeBytes, inode, mtimeNs };
  if (known !== null && isSameFile(known, entry)) {
    return known.format === null ? null : unchanged(known, entry);
  }
  if (mode === 'automatic' && entry.stableForMs < stableAfterMs) return null;
  const content = await readContent(join(pool.path, entry.name));
  if (content === 'gone') return null;
  if (content === 'busy') {
    result.skipped.push({ name: entry.name, reason: 'busy' });
    return null;
  }
  const { dataBytes } = content;
  const seen = { sizeBytes, dataBytes, inode, mtimeNs };
  if ('refused' in content) return { ...seen, state: 'refused', stateReason: content.refused, format: null };
  const { format, virtualSizeBytes } = content;
  return { ...seen, state: 'ready', stateReason: null, format, virtualSizeBytes };
}

/**
 * Whether the row describes this file, by its inode. For a missing image, the modification time must match too,
 * because file systems reuse inode numbers. A refused file may have been repaired.
 */
function isSameFile(known: ImageRow, { inode, mtimeNs }: Entry): boolean {
  if (known.inode !== inode) return false;
  return known.state === 'ready' || known.mtimeNs === mtimeNs
    ? true
    : known.format !== null && known.state === 'refused';
}

/** Keeps the registered format; updates the sizes. */
function unchanged(known: ImageRow, entry: Entry): Finding {
  const { sizeBytes, dataBytes, inode, mtimeNs } = entry;
  const isTouched = known.mtimeNs !== mtimeNs || known.sizeBytes !== sizeBytes;
  return {
    state: 'ready',
    stateReason: null,
    sizeBytes,
    inode,
    mtimeNs,
    dataBytes: isTouched ? dataBytes : known.dataBytes,
    virtualSizeBytes: known.format === 'qcow2' ? known.virtualSizeBytes : sizeBytes,
  };
}

const statementsPerBatch = 200;

async function writeAll(store: Store, statements: readonly WriteStatement[]): Promise<void> {
  for (let at = 0; at < statements.length; at += statementsPerBatch) {
    await store.write(statements.slice(at, at + statementsPerBatch));
  }
}
