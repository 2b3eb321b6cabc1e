import { readSlice } from './local-file.ts';
import type { LocalFile } from './local-file.ts';

export interface Range {
  offsetBytes: number;
  lengthBytes: number;
}

/** This page has no `crypto.subtle`: it was loaded over plain http from another computer. */
export class DigestUnavailable extends Error {
  override readonly name = 'DigestUnavailable';
}

/**
 * SHA-256 of the ranges that the server named, by which it recognises the file.
 *
 * @throws {FileReadError} when the file cannot be read
 * @throws {DigestUnavailable} when the browser cannot compute digests
 */
export async function digestRanges(
  file: LocalFile,
  ranges: readonly Range[],
): Promise<(Range & { sha256: string })[]> {
  const { subtle } = crypto as Partial<Crypto>;
  if (subtle === undefined) throw new DigestUnavailable('This page cannot compute digests.');
  const digests: (Range & { sha256: string })[] = [];
  for (const { offsetBytes, lengthBytes } of ranges) {
    // A file that is too short is rejected by its size.
    const end = Math.min(file.size, offsetBytes + lengthBytes);
    const bytes = await readSlice(file, Math.min(offsetBytes, end), end);
    const sha256 = hex(new Uint8Array(await subtle.digest('SHA-256', bytes)));
    digests.push({ offsetBytes, lengthBytes, sha256 });
  }
  return digests;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
