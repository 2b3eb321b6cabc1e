import { readSlice } from './local-file.ts';
import type { LocalFile } from './local-file.ts';

/** Kind of a file by its first bytes: image formats, and formats that the server rejects. */
export type FileKind =
  'iso' | 'qcow2' | 'raw' | 'gzip' | 'xz' | 'zstd' | 'bzip2' | 'zip' | '7z' | 'vmdk' | 'vdi' | 'vhdx' | 'vhd';

const refused: ReadonlySet<FileKind> = new Set([
  'gzip',
  'xz',
  'zstd',
  'bzip2',
  'zip',
  '7z',
  'vmdk',
  'vdi',
  'vhdx',
  'vhd',
]);

export function isRefusedKind(kind: FileKind): boolean {
  return refused.has(kind);
}

/** Signatures: kind, offset and bytes. */
const marks: readonly (readonly [FileKind, number, readonly number[]])[] = [
  ['qcow2', 0, [0x51, 0x46, 0x49, 0xfb]],
  ['gzip', 0, [0x1f, 0x8b]],
  ['xz', 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', 0, [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', 0, [0x42, 0x5a, 0x68]],
  ['zip', 0, [0x50, 0x4b, 0x03, 0x04]],
  ['7z', 0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['vmdk', 0, [0x4b, 0x44, 0x4d, 0x56]],
  ['vhdx', 0, [0x76, 0x68, 0x64, 0x78, 0x66, 0x69, 0x6c, 0x65]],
  ['vhd', 0, [0x63, 0x6f, 0x6e, 0x65, 0x63, 0x74, 0x69, 0x78]],
  ['vdi', 0x40, [0x7f, 0x10, 0xda, 0xbe]],
  // Volume descriptor of ISO 9660: "CD001" in the seventeenth sector.
  ['iso', 0x8001, [0x43, 0x44, 0x30, 0x30, 0x31]],
];

const headBytes = 0x8006;

/**
 * Detects the kind before the upload starts. The server checks again and decides.
 *
 * @throws {FileReadError} when the file cannot be read
 */
export async function detectKind(file: LocalFile): Promise<FileKind> {
  const head = new Uint8Array(await readSlice(file, 0, Math.min(file.size, headBytes)));
  const found = marks.find(([, at, mark]) => mark.every((byte, index) => head[at + index] === byte));
  return found?.[0] ?? 'raw';
}
