import type { VmDiskRequest } from '@wcc/api';
import { CliError } from '../../runtime/errors.ts';
import { findImage } from '../../server/find-image.ts';
import type { Server } from '../../server/server.ts';
import { bytes } from '../options.ts';

/** A disk as the command line tells it; the image is not looked up yet. */
export type DiskWish =
  | { kind: 'blank'; sizeBytes: number; format?: 'raw' | 'qcow2' }
  | { kind: 'image'; image: string; sizeBytes?: number };

const blankPattern = /^blank:([^,]+)(?:,format=(raw|qcow2))?$/;
/** A size at the end belongs to no name: an image that is called so is named by its id. */
const imagePattern = /^image:(.+?)(?:,size=(\d+[KMGT]?(?:i?B)?))?$/i;

/** `blank:20G`, `blank:20G,format=raw`, `image:debian-13.raw`, `image:100,size=40G`. @throws CliError `usage` */
export function parseDisk(text: string): DiskWish {
  const [, size, format] = blankPattern.exec(text) ?? [];
  if (size !== undefined) {
    const sizeBytes = sizeOf(size, text);
    return { kind: 'blank', sizeBytes, ...(format === 'raw' || format === 'qcow2' ? { format } : {}) };
  }
  const [, image, grown] = imagePattern.exec(text) ?? [];
  if (image === undefined) throw noDisk(text);
  return { kind: 'image', image, ...(grown === undefined ? {} : { sizeBytes: sizeOf(grown, text) }) };
}

function sizeOf(size: string, text: string): number {
  try {
    return bytes(size);
  } catch (cause) {
    throw noDisk(text, cause);
  }
}

function noDisk(text: string, cause?: unknown): CliError {
  return new CliError('usage', `"${text}" is no disk.`, {
    code: 'invalid_disk',
    hint: 'An empty one: --disk blank:20G   A copy: --disk image:debian-13.raw, or image:100,size=40G to let it grow',
    cause,
  });
}

/** The request's disks, in their order: the first one boots. The ISO lies in the drive. */
export async function findDisks(
  server: Server,
  { wishes, iso }: { wishes: readonly DiskWish[]; iso: string | undefined },
): Promise<VmDiskRequest[]> {
  const disks: VmDiskRequest[] = [];
  for (const wish of wishes) {
    if (wish.kind === 'blank') disks.push(wish);
    else {
      const { image, ...rest } = wish;
      disks.push({ ...rest, kind: 'copy', image: (await findImage(server, image)).id });
    }
  }
  if (iso !== undefined) disks.push({ kind: 'cdrom', image: (await findImage(server, iso)).id });
  return disks;
}
