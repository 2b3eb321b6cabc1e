import { findImageNameProblem } from '@wcc/api';
import { CopyError, inspectFile } from '@wcc/copy';
import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { hasErrorCode } from '../../files/errors.ts';
import { isoDescriptorOffset, recognise } from './recognise.ts';
import type { Recognition } from './recognise.ts';

/** The kind of a directory entry. */
export type Kind = 'file' | 'symlink' | 'fifo' | 'socket' | 'device' | 'directory';

export interface Entry {
  name: string;
  kind: Kind;
  sizeBytes: number;
  /** Bytes of its allocated blocks, at most its size. */
  dataBytes: number;
  inode: string;
  mtimeNs: string;
  links: number;
  /** Milliseconds since content or attributes last changed. */
  stableForMs: number;
}

/** Null if it does not exist. Never opens the file, so a FIFO cannot block and a symlink is not followed. */
export async function statEntry(path: string | Buffer, name: string): Promise<Entry | null> {
  let stat: BigIntStats;
  try {
    stat = await lstat(path, { bigint: true });
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
  const sizeBytes = Number(stat.size);
  const changedMs = Number(stat.mtimeMs > stat.ctimeMs ? stat.mtimeMs : stat.ctimeMs);
  return {
    name,
    kind: kindOf(stat),
    sizeBytes,
    dataBytes: Math.min(Number(stat.blocks) * 512, sizeBytes),
    inode: String(stat.ino),
    mtimeNs: String(stat.mtimeNs),
    links: Number(stat.nlink),
    stableForMs: Date.now() - changedMs,
  };
}

function kindOf(stat: BigIntStats): Kind {
  if (stat.isFile()) return 'file';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isDirectory() ? 'directory' : 'device';
}

/** Decoding replaces bytes that are not UTF-8 by this character. The decoded name does not open the file. */
const replacement = '\u{fffd}';

/** Why an entry cannot be an image, by its attributes; null if its content decides. */
export function refusalReason(entry: Entry): string | null {
  if (entry.kind !== 'file') return entry.kind;
  if (findImageNameProblem(entry.name) !== null || entry.name.includes(replacement)) return 'invalid_name';
  return entry.links > 1 ? 'hard_link' : null;
}

/** The recognised content of a regular file. */
export type Content = (Recognition | { refused: 'unreadable' }) & { dataBytes: number };

/** `busy`: a program has it open for writing. */
export async function readContent(path: string): Promise<Content | 'busy' | 'gone'> {
  try {
    const samples = [{ offset: isoDescriptorOffset, lengthBytes: 5 }];
    const facts = await inspectFile(path, { headBytes: 512, samples });
    if (facts.writers === 'some') return 'busy';
    const [descriptor = new Uint8Array()] = facts.samples;
    const { sizeBytes, head, dataBytes } = facts;
    return { ...recognise({ sizeBytes, head, descriptor }), dataBytes };
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    if (error.code === 'not_found' || error.code === 'not_regular') return 'gone';
    return { refused: 'unreadable', dataBytes: 0 };
  }
}
