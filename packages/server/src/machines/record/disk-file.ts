import type { VmId } from '@wcc/api';
import { join } from 'node:path';
import { statEntry } from '../../images/scan/stat-entry.ts';
import type { Store } from '../../storage/store.ts';

/** A disk with both inodes that its file can have. */
export interface DiskFile {
  position: number;
  name: string;
  /** Of its creation. */
  inode: string | null;
  /** Of its image: a scan has found it since, e.g. after a restore from a backup. */
  imageInode: string | null;
}

export function readDiskFiles({ db }: Store, vmId: VmId): Promise<DiskFile[]> {
  return db
    .selectFrom('vmDisks')
    .leftJoin('images', 'images.id', 'vmDisks.imageId')
    .select(['vmDisks.position', 'vmDisks.name', 'vmDisks.inode', 'images.inode as imageInode'])
    .where('vmId', '=', vmId)
    .execute();
}

/** Whether the file that is there now is this disk, and not one that another program put under its name. */
export async function isDiskThere(directory: string, disk: DiskFile): Promise<boolean> {
  const entry = await statEntry(join(directory, disk.name), disk.name);
  return entry?.kind === 'file' && (entry.inode === disk.inode || entry.inode === disk.imageInode);
}
