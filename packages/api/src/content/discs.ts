import { damaged } from './findings.ts';
import type { ContentRefusal } from './findings.ts';
import { hasText } from './kinds.ts';

/** Volume descriptors begin in the seventeenth sector, on every kind of optical disc. */
const descriptorsAt = 0x8000;
const sectorBytes = 2048;
const maxDescriptors = 16;

/** Reads from a file; shorter at its end. */
export type ReadBytes = (offset: number, lengthBytes: number) => Promise<Uint8Array>;

/** Whether the file is an optical disc: ISO 9660, UDF, High Sierra or HFS. */
export function isDisc(head: Uint8Array): boolean {
  return (
    hasText(head, descriptorsAt + 1, 'CD001') ||
    hasText(head, descriptorsAt + 9, 'CDROM') ||
    isUdf(head) ||
    isHfs(head)
  );
}

/** ECMA-167 3/9.1: NSR02 or NSR03 in the sequence that recognises the volume, in sectors of 2 or 4 KiB. */
function isUdf(head: Uint8Array): boolean {
  for (let at = descriptorsAt; at + 6 <= head.length; at += sectorBytes)
    if (hasText(head, at + 1, 'NSR02') || hasText(head, at + 1, 'NSR03')) return true;
  return false;
}

/** A master block of HFS or HFS+ at 1024, with the sizes that a real one has. */
function isHfs(head: Uint8Array): boolean {
  if (head.length < 1024 + 44) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const isPlus =
    (hasText(head, 1024, 'H+') && view.getUint16(1026) === 4) ||
    (hasText(head, 1024, 'HX') && view.getUint16(1026) === 5);
  const blockBytes = isPlus ? view.getUint32(1024 + 40) : view.getUint32(1024 + 20);
  const isBlock = blockBytes >= 512 && blockBytes % 512 === 0;
  return isBlock && (isPlus || (hasText(head, 1024, 'BD') && view.getUint16(1024 + 18) > 0));
}

interface Volume {
  blockBytes: number;
  volumeBytes: number;
  /** The record of the root directory. */
  root: Extent;
}

interface Extent {
  at: number;
  bytes: number;
  isDirectory: boolean;
}

/** Writers of ISOs add up to 150 empty sectors, which a copy of a disc may lack. */
const paddingBytes = 150 * sectorBytes;
const maxDirectories = 4096;
const maxDirectoryBytes = 4 * 1024 ** 2;
/** Of all directories: hostile ones can overlap, so that a small file has many large directories. */
const maxTotalBytes = 16 * 1024 ** 2;

/**
 * Compares the length of a file with its primary volume descriptor (ECMA-119 §8.4). Where only padding can be
 * missing, the directories tell whether a file or a directory is beyond the end.
 */
export async function findMissingEnd(
  head: Uint8Array,
  { fileBytes, read }: { fileBytes: number; read: ReadBytes },
): Promise<ContentRefusal | null> {
  const volume = primaryVolume(head);
  if (volume === null || volume.volumeBytes <= fileBytes) return null;
  const message = `The file is truncated: the ISO has ${volume.volumeBytes} bytes, the file ${fileBytes}.`;
  if (volume.volumeBytes > fileBytes + paddingBytes) return damaged('truncated', message);
  return (await hasAllExtents(volume, { fileBytes, read })) ? null : damaged('truncated', message);
}

function primaryVolume(head: Uint8Array): Volume | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let index = 0; index < maxDescriptors; index += 1) {
    const at = descriptorsAt + index * sectorBytes;
    if (at + 190 > head.length || !hasText(head, at + 1, 'CD001')) return null;
    if (head[at] !== 1) continue;
    const blockBytes = view.getUint16(at + 128, true);
    const volumeBytes = view.getUint32(at + 80, true) * blockBytes;
    return { blockBytes, volumeBytes, root: extentAt(view, at + 156, blockBytes) };
  }
  return null;
}

/** A directory record (ECMA-119 §9.1). */
function extentAt(view: DataView, at: number, blockBytes: number): Extent {
  return {
    at: view.getUint32(at + 2, true) * blockBytes,
    bytes: view.getUint32(at + 10, true),
    isDirectory: (view.getUint8(at + 25) & 2) !== 0,
  };
}

/** False if a file or a directory ends beyond the file, or if the directories are too many to know. */
async function hasAllExtents(
  { root, blockBytes }: Volume,
  { fileBytes, read }: { fileBytes: number; read: ReadBytes },
): Promise<boolean> {
  const known = new Set([root.at]);
  const directories = [root];
  let totalBytes = 0;
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    if (directory.at + directory.bytes > fileBytes) return false;
    totalBytes += directory.bytes;
    if (directory.bytes > maxDirectoryBytes || totalBytes > maxTotalBytes) return false;
    if (known.size > maxDirectories) return false;
    for (const extent of recordsOf(await read(directory.at, directory.bytes), blockBytes)) {
      if (extent.at + extent.bytes > fileBytes) return false;
      if (!extent.isDirectory || known.has(extent.at)) continue;
      known.add(extent.at);
      directories.push(extent);
    }
  }
  return true;
}

function recordsOf(bytes: Uint8Array, blockBytes: number): Extent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extents: Extent[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at] ?? 0;
    // A record never crosses a sector, so a zero ends the sector.
    if (length === 0) at = (Math.floor(at / sectorBytes) + 1) * sectorBytes;
    else if (length < 34 || at + length > bytes.length) break;
    else {
      extents.push(extentAt(view, at, blockBytes));
      at += length;
    }
  }
  return extents;
}
