import type { ImageFormat, ImageId } from '@wcc/api';
import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { join } from 'node:path';
import type { Completion } from '../../operations/action.ts';
import type { Store } from '../../storage/store.ts';
import { digestOf } from '../image-rows.ts';
import { statEntry } from '../scan/stat-entry.ts';

/** An image that an operation has published. */
export interface NewImage {
  id: ImageId;
  poolId: string;
  directory: string;
  name: string;
  format: ImageFormat;
  virtualSizeBytes: number;
  ownerId: string;
  copiedFrom: number | null;
  /** The base of an overlay. @default null */
  baseId?: ImageId | null;
  /** Bytes of data, if the work counted them; null: the allocated blocks of the file. */
  dataBytes: number | null;
  /** A disk of a machine. A copy of a private image is private too. @default false */
  isDisk?: boolean;
  /**
   * The format that a person or wcc chose. A raw disk stays raw whatever its content is, and unknown content stays a disc; so do
   * copies. @default null: the content decided
   */
  declared?: ImageFormat | null;
  /** Codes of what is odd about the content, if it was judged. @default those of the source, which has the same content */
  remarks?: readonly string[];
  /** SHA-256 of the whole file, if it was computed or compared. @default null */
  sha256?: string | null;
}

function isFixedFormat({ isDisk = false, declared = null }: NewImage): boolean {
  return isDisk || declared === 'raw' || declared === 'iso';
}

/** Read when the row is written, because the owner may have published the source during the copy. */
function inherited(column: 'private' | 'fixedFormat', source: number | null): RawBuilder<number> {
  return sql<number>`coalesce((select ${sql.ref(column)} from images where id = ${source}), 0)`;
}

function remarksOf({ remarks, isDisk = false, copiedFrom }: NewImage): RawBuilder<string> | string {
  if (remarks !== undefined || isDisk) return JSON.stringify(remarks ?? []);
  return sql<string>`coalesce((select remarks from images where id = ${copiedFrom}), '[]')`;
}

/** The rows of a new image. If the file no longer exists, the image is `missing`. */
export async function registerImage(store: Store, image: NewImage): Promise<Completion> {
  const entry = await statEntry(join(image.directory, image.name), image.name);
  const { id, poolId, name, format, virtualSizeBytes, copiedFrom, sha256 = null } = image;
  const query = store.db.insertInto('images').values({
    id,
    poolId,
    name,
    format,
    virtualSizeBytes,
    sizeBytes: entry?.sizeBytes ?? 0,
    dataBytes: image.dataBytes ?? entry?.dataBytes ?? 0,
    state: entry === null ? 'missing' : 'ready',
    stateReason: null,
    inode: entry?.inode ?? '0',
    mtimeNs: entry?.mtimeNs ?? '0',
    ctimeNs: entry?.ctimeNs ?? null,
    owner: image.ownerId,
    copiedFrom,
    baseId: image.baseId ?? null,
    private: image.isDisk === true ? 1 : inherited('private', copiedFrom),
    fixedFormat: isFixedFormat(image) ? 1 : inherited('fixedFormat', copiedFrom),
    // The digest is valid until the file changes.
    ...(sha256 === null || entry === null ? {} : { sha256, digestOf: digestOf(entry) }),
    remarks: remarksOf(image),
    createdAt: new Date().toISOString(),
  });
  return {
    statements: [{ query, expectRows: 1 }],
    result: { kind: 'image', id },
    target: { kind: 'image', id, name },
    warnings: image.remarks ?? [],
  };
}
