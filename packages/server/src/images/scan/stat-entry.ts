import { ApiError, findFileNameProblem, findImageNameProblem } from '@wcc/api';
import type { ImageFormat } from '@wcc/api';
import type { ContentRemark, JudgeOptions, Judgement } from '@wcc/api/content';
import { inspectFile } from '@wcc/copy';
import type { FileIdentity } from '@wcc/copy';
import { compareIdentity, identityOf } from '@wcc/copy/recovery';
import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { hasErrorCode } from '../../files/errors.ts';
import { briefCodes, toRefusal } from '../../operations/failure.ts';
import { isUndecodable } from './file-names.ts';
import { openSafely } from '../foreign/inspect.ts';
import { judgeFile } from '../foreign/judge-file.ts';

/** The kind of a directory entry. */
export type Kind = 'file' | 'symlink' | 'fifo' | 'socket' | 'device' | 'directory';

export interface Entry extends FileIdentity {
  name: string;
  kind: Kind;
  sizeBytes: number;
  /** Bytes of its allocated blocks, at most its size. */
  dataBytes: number;
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
  return {
    name,
    kind: kindOf(stat),
    sizeBytes,
    dataBytes: Math.min(Number(stat.blocks) * 512, sizeBytes),
    ...identityOf(stat),
    links: Number(stat.nlink),
    // Any program can set the modification time. A wrong clock must not make a file wait for the date of its change.
    stableForMs: Math.abs(Date.now() - Number(stat.ctimeMs)),
  };
}

function kindOf(stat: BigIntStats): Kind {
  if (stat.isFile()) return 'file';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isDirectory() ? 'directory' : 'device';
}

/**
 * Why an entry cannot be an image, by its attributes; null if its content decides.
 * @param isKnown it is an image already, so a name that earlier releases accepted stays valid
 */
export function refusalReason(entry: Entry, isKnown: boolean): string | null {
  if (entry.kind !== 'file') return entry.kind;
  const problem = isKnown ? findFileNameProblem(entry.name) : findImageNameProblem(entry.name);
  if (problem !== null || isUndecodable(entry.name)) return 'invalid_name';
  return entry.links > 1 ? 'hard_link' : null;
}

/** The judged content of a regular file. */
export type Content = { dataBytes: number } & (
  { format: ImageFormat; virtualSizeBytes: number; remarks: readonly ContentRemark[] } | { refused: string }
);

/** `busy`: a program has it open for writing, it changes, or this process has too many open files. */
export async function readContent(path: string, options: JudgeOptions): Promise<Content | 'busy' | 'gone'> {
  try {
    const { writers, dataBytes } = await inspectFile(path, { headBytes: 0 });
    if (writers === 'some') return 'busy';
    const found = await judgePath(path, options);
    if (found === 'busy') return 'busy';
    return 'refusal' in found ? { refused: found.refusal.reason, dataBytes } : { ...found, dataBytes };
  } catch (error) {
    return withoutContent(error, path);
  }
}

/** One file that cannot be read must not end the scan of the others. */
function withoutContent(error: unknown, path: string): Content | 'busy' | 'gone' {
  const known = toRefusal(error, { sourcePath: path });
  if (!(known instanceof ApiError)) throw error;
  if (known.code === 'source_vanished' || known.code === 'not_regular') return 'gone';
  return briefCodes.has(known.code) ? 'busy' : { refused: 'unreadable', dataBytes: 0 };
}

/**
 * Judges a file by its path. Never follows a symlink.
 * @returns `busy` if it changed in the meantime: its parts are of different times, and its end was another
 */
export async function judgePath(path: string, options: JudgeOptions): Promise<Judgement | 'busy'> {
  const file = await openSafely(path);
  try {
    const before = identityOf(await file.stat({ bigint: true }));
    const found = await judgeFile(file, options);
    const after = identityOf(await file.stat({ bigint: true }));
    return compareIdentity(before, after) === 'same' ? found : 'busy';
  } finally {
    await file.close();
  }
}
