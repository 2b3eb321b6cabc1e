import type { ImageId, RescanResult } from '@wcc/api';
import { readdir } from 'node:fs/promises';
import { compareIdentity } from '@wcc/copy/recovery';
import { join } from 'node:path';
import { baseNameOf, fileOf, isDeclaredDisc } from '../image-rows.ts';
import type { Store, WriteStatement } from '../../storage/store.ts';
import type { Numbers, ImageRow } from '../image-rows.ts';
import { decodeFileName } from './file-names.ts';
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
  /** A larger image is refused, as uploads and imports refuse it. @default no limit */
  maxVirtualSizeBytes?: number;
  /** `asked`: a person or the start requests the scan. It registers every file that no program writes to. */
  mode: 'asked' | 'automatic';
  /** Compares these names only. @default the whole directory */
  only?: readonly string[];
  /** True from now on: the scan ends before its next file, and marks none as missing. @default never */
  isStopped?: () => boolean;
}

export interface ScanResult {
  result: RescanResult;
  /** Names of new files that changed too recently. */
  unstable: string[];
}

/** Created by file systems. */
const ignoredDirectories: ReadonlySet<string> = new Set(['lost+found']);

/** Compares the directory with the records. Stores new, missing, returned and changed files in one batch. */
export async function scanPool(options: ScanOptions): Promise<ScanResult> {
  const { store, pool, only, isStopped = () => false } = options;
  // Rows first: a file that is published in the meantime can be missing in the rows, but never on the disk.
  const rows = rowsByName(await readRows(store, pool.id, only));
  const names =
    only === undefined
      ? await visibleNames(pool.path)
      : only.map((name) => toPath(pool.path, Buffer.from(name)));
  const unstable: string[] = [];
  const present = new Set<string>();
  const reserved = await readReserved(store, pool.id);
  const result: RescanResult = { added: 0, missing: 0, returned: 0, refused: 0, skipped: [] };
  const statements: WriteStatement[] = [];
  for (const { name, path } of names) {
    if (isStopped()) break;
    present.add(name);
    // Its operation registers the file, or the next scan does.
    if (reserved.has(name)) continue;
    const entry = await statEntry(path, name);
    if (entry === null) present.delete(name);
    if (entry === null || (entry.kind === 'directory' && ignoredDirectories.has(name))) continue;
    statements.push(...(await takeEntry({ entry, known: rowFor(rows, entry), result, unstable }, options)));
  }
  for (const row of isStopped() ? [] : [...rows.values()].flat()) {
    if (row.state === 'missing' || present.has(row.name) || reserved.has(row.name)) continue;
    // The row of a file that was never an image is deleted.
    const wasRefused = row.state === 'refused' && row.format === null;
    if (!wasRefused) result.missing += 1;
    statements.push(
      wasRefused ? removeRow(store, row) : updateFinding(store, row, { state: 'missing', stateReason: null }),
    );
  }
  await writeAll(store, statements);
  return { result, unstable };
}

async function readRows(
  { db }: Store,
  poolId: string,
  only: readonly string[] | undefined,
): Promise<ImageRow[]> {
  const rows = db.selectFrom('images').selectAll().where('poolId', '=', poolId);
  return only === undefined ? rows.execute() : rows.where('name', 'in', only).execute();
}

/** The rows of each name: of one existing image, and of images that went missing. */
function rowsByName(rows: readonly ImageRow[]): Map<string, ImageRow[]> {
  const byName = new Map<string, ImageRow[]>();
  for (const row of rows) {
    const named = byName.get(row.name);
    if (named === undefined) byName.set(row.name, [row]);
    else named.push(row);
  }
  return byName;
}

interface NamedPath {
  name: string;
  path: Buffer;
}

function toPath(directory: string, bytes: Buffer): NamedPath {
  return { name: decodeFileName(bytes), path: Buffer.concat([Buffer.from(`${directory}/`), bytes]) };
}

/**
 * Reads names as bytes, because they need not be UTF-8. A name that is not UTF-8 is refused.
 */
async function visibleNames(directory: string): Promise<NamedPath[]> {
  const names = await readdir(directory, { encoding: 'buffer' });
  return names.map((bytes) => toPath(directory, bytes)).filter(({ name }) => !name.startsWith('.'));
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
  known: ImageRow | null;
  result: RescanResult;
  unstable: string[];
}

async function takeEntry(seen: Seen, options: ScanOptions): Promise<WriteStatement[]> {
  const { store } = options;
  const { entry, known, result } = seen;
  const finding = await find(seen, options);
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
function rowFor(rows: ReadonlyMap<string, readonly ImageRow[]>, { name }: Entry): ImageRow | null {
  const named = rows.get(name) ?? [];
  return named.find((row) => row.state !== 'missing') ?? named.at(-1) ?? null;
}

/** The state of an entry; null if it waits for the next scan. */
async function find(
  { entry, known, result, unstable }: Seen,
  { mode, pool, store, maxVirtualSizeBytes }: ScanOptions,
): Promise<Finding | null> {
  const { sizeBytes, inode, mtimeNs, ctimeNs } = entry;
  const file = { sizeBytes, inode, mtimeNs, ctimeNs };
  const refusal = refusalReason(entry, known !== null && known.format !== null);
  if (refusal !== null) return { state: 'refused', stateReason: refusal, ...file };
  const isSame = known !== null && isSameFile(known, entry);
  if (isSame && !mustJudgeAgain(known, entry)) return isAccepted(known) ? unchanged(known, entry) : null;
  if (mode === 'automatic' && entry.stableForMs < stableAfterMs) {
    if (isSame) return stillWritten(known, entry);
    unstable.push(entry.name);
    return null;
  }
  const baseName = known === null ? undefined : await baseNameOf(store, known);
  const content = await readContent(join(pool.path, entry.name), {
    maxVirtualSizeBytes,
    baseName,
    name: entry.name,
  });
  if (content === 'gone') return null;
  if (content === 'busy') {
    if (isSame) return stillWritten(known, entry);
    result.skipped.push({ name: entry.name, reason: 'busy' });
    return null;
  }
  const { dataBytes } = content;
  const seen = { ...file, dataBytes };
  if ('refused' in content)
    return {
      ...seen,
      state: 'refused',
      stateReason: content.refused,
      format: known?.format ?? null,
      remarks: '[]',
    };
  const { virtualSizeBytes } = content;
  const remarks = JSON.stringify(content.remarks);
  const format = isSame && isDeclaredDisc(known, content.format) ? 'iso' : content.format;
  return { ...seen, state: 'ready', stateReason: null, format, virtualSizeBytes, remarks };
}

/**
 * Whether the row describes this file, by its inode. For a missing image, the modification time must match too,
 * because file systems reuse inode numbers. A refused file may have been repaired. A file that was restored from a
 * backup has another inode, and its old time and size.
 */
function isSameFile(known: ImageRow, { inode, mtimeNs, sizeBytes }: Entry): boolean {
  if (known.inode !== inode) return known.mtimeNs === mtimeNs && known.sizeBytes === sizeBytes;
  return known.state === 'ready' || known.mtimeNs === mtimeNs
    ? true
    : known.format !== null && known.state === 'refused';
}

/** Reasons that end without a change of the content. */
const reasonsBesideContent: ReadonlySet<string | null> = new Set(['hard_link', 'invalid_name']);

/** Whether the content was accepted when it was judged last. */
function isAccepted({ format, state, stateReason }: ImageRow): boolean {
  return format !== null && (state !== 'refused' || reasonsBesideContent.has(stateReason));
}

/**
 * Whether the facts of a row are of another content than the file has now, or the content could not be read. A raw disk
 * that a guest could write, or that a person declared, is never judged again: its content may be any header.
 */
function mustJudgeAgain(known: ImageRow, entry: Entry): boolean {
  if (isAccepted(known) && known.format === 'raw' && known.fixedFormat === 1) return false;
  if (known.state === 'missing' || known.stateReason === 'unreadable') return true;
  return compareIdentity(fileOf(known), entry) !== 'same';
}

/**
 * A file that a program writes, e.g. a running machine, is judged when it rests: until then the row keeps its old times.
 * Its sizes follow, and its digest is of another content.
 */
function stillWritten(known: ImageRow, { sizeBytes, dataBytes }: Entry): Finding {
  const { state, stateReason, format, virtualSizeBytes } = known;
  const shown = state === 'missing' ? { state: 'ready' as const, stateReason: null } : { state, stateReason };
  const virtual = format === 'raw' || format === 'iso' ? sizeBytes : virtualSizeBytes;
  return { ...shown, sizeBytes, dataBytes, virtualSizeBytes: virtual, digestOf: null };
}

/** Keeps the registered format; updates the sizes. */
function unchanged(known: ImageRow, entry: Entry): Finding {
  const { sizeBytes, dataBytes, inode, mtimeNs, ctimeNs } = entry;
  const isTouched = compareIdentity(fileOf(known), entry) !== 'same';
  return {
    state: 'ready',
    stateReason: null,
    sizeBytes,
    inode,
    mtimeNs,
    ctimeNs,
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
