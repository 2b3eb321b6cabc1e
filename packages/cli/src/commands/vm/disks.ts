import type { VmDiskRequest } from '@wcc/api';
import { CliError } from '../../runtime/errors.ts';
import { findImage } from '../../server/find-image.ts';
import type { Server } from '../../server/server.ts';
import { parseBytes } from '../options.ts';

/** A disk as given on the command line, before its image is looked up. */
export type DiskSpec =
  | { kind: 'blank'; sizeBytes: number; format?: 'raw' | 'qcow2' }
  | { kind: 'image'; image: string; sizeBytes?: number };

const blankPattern = /^blank:([^,]+)(?:,format=(raw|qcow2))?$/;
/** A trailing size is never part of the name; use the id of an image with such a name. */
const imagePattern = /^image:(.+?)(?:,size=(\d+[KMGT]?(?:i?B)?))?$/i;

/**
 * Parses `blank:20G`, `blank:20G,format=raw`, `image:debian-13.raw` or `image:100,size=40G`.
 *
 * @throws CliError `usage`
 */
export function parseDisk(text: string): DiskSpec {
  const [, size, format] = blankPattern.exec(text) ?? [];
  if (size !== undefined) {
    const sizeBytes = sizeOf(size, text);
    return { kind: 'blank', sizeBytes, ...(format === 'raw' || format === 'qcow2' ? { format } : {}) };
  }
  const [, image, grown] = imagePattern.exec(text) ?? [];
  if (image === undefined) throw invalidDisk(text);
  return { kind: 'image', image, ...(grown === undefined ? {} : { sizeBytes: sizeOf(grown, text) }) };
}

function sizeOf(size: string, text: string): number {
  try {
    return parseBytes(size);
  } catch (cause) {
    throw invalidDisk(text, cause);
  }
}

function invalidDisk(text: string, cause?: unknown): CliError {
  return new CliError('usage', `"${text}" is not a valid disk.`, {
    code: 'invalid_disk',
    hint: 'Empty disk: --disk blank:20G   Copy of an image: --disk image:debian-13.raw, larger: image:100,size=40G',
    cause,
  });
}

/** The disks of the request, in order. The first one boots; the ISO is in the CD drive. */
export async function findDisks(
  server: Server,
  { diskSpecs, iso }: { diskSpecs: readonly DiskSpec[]; iso: string | undefined },
): Promise<VmDiskRequest[]> {
  const disks: VmDiskRequest[] = [];
  for (const spec of diskSpecs) {
    if (spec.kind === 'blank') disks.push(spec);
    else {
      const { image, ...rest } = spec;
      disks.push({ ...rest, kind: 'copy', image: (await findImage(server, image)).id });
    }
  }
  if (iso !== undefined) disks.push({ kind: 'cdrom', image: (await findImage(server, iso)).id });
  return disks;
}
