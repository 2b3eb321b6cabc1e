import type { ImageFormat, ImageId } from '@wcc/api';
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
  /** SHA-256 of the whole file, if it was computed or compared. @default null */
  sha256?: string | null;
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
    owner: image.ownerId,
    copiedFrom,
    baseId: image.baseId ?? null,
    // The digest is valid until the file changes.
    ...(sha256 === null || entry === null ? {} : { sha256, digestOf: digestOf(entry) }),
    createdAt: new Date().toISOString(),
  });
  return {
    statements: [{ query, expectRows: 1 }],
    result: { kind: 'image', id },
    target: { kind: 'image', id, name },
  };
}
