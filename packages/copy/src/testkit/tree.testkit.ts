import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { copyTree, CopyError } from '@wcc/copy';
import type { CopyErrorCode, CopyTreeOptions } from '@wcc/copy';

/** A small tree with every kind of entry that a copy keeps. */
export function makeTree(root: string): void {
  mkdirSync(join(root, 'inner', 'deep'), { recursive: true });
  mkdirSync(join(root, 'empty'));
  writeFileSync(join(root, 'small'), 'a few bytes');
  writeFileSync(join(root, 'none'), '');
  writeFileSync(join(root, 'inner', 'large'), randomBytes(3 * 1024 ** 2 + 17));
  writeFileSync(join(root, 'inner', 'read-only'), 'locked');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/inner/`), Buffer.from([0xff, 0x0a, 0xfe])]), 'bytes');
  linkSync(join(root, 'small'), join(root, 'inner', 'deep', 'same'));
  symlinkSync('../small', join(root, 'inner', 'to-small'));
  symlinkSync('/nowhere', join(root, 'dangling'));
  execFileSync('truncate', ['-s', '8M', join(root, 'inner', 'hole')]);
  chmodSync(join(root, 'inner', 'read-only'), 0o440);
  execFileSync('touch', ['-h', '-d', '2001-02-03 04:05:06.123456789', join(root, 'inner', 'to-small')]);
  execFileSync('touch', ['-d', '1969-12-31 23:59:58.5', join(root, 'none')]);
  utimesSync(join(root, 'inner', 'deep'), 1_000_000_000, 1_100_000_000);
  chmodSync(join(root, 'inner', 'deep'), 0o550);
}

interface Entry {
  kind: string;
  mode: string;
  mtimeNs: string;
  content: string;
}

/** Every entry below a directory, by its path in Latin-1. Times without kernel calls are exact to a microsecond. */
export function listTree(
  root: string,
  { timeUnitNs = 1n }: { timeUnitNs?: bigint } = {},
): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const inodes = new Map<bigint, string>();
  const visit = (path: Buffer, shown: string): void => {
    const stat = lstatSync(path, { bigint: true });
    const first = inodes.get(stat.ino);
    if (stat.nlink > 1n && !stat.isDirectory()) inodes.set(stat.ino, first ?? shown);
    const kind = stat.isDirectory()
      ? 'directory'
      : stat.isSymbolicLink()
        ? 'symlink'
        : stat.isFile()
          ? 'file'
          : 'special';
    const mode = kind === 'symlink' ? '' : (stat.mode & 0o7777n).toString(8);
    const content = first ?? contentOf(path, kind);
    entries.set(shown, { kind, mode, mtimeNs: String(stat.mtimeNs / timeUnitNs), content });
    if (kind !== 'directory') return;
    for (const name of readdirSync(path, { encoding: 'buffer' }).toSorted((a, b) => Buffer.compare(a, b))) {
      visit(Buffer.concat([path, Buffer.from('/'), name]), `${shown}/${name.toString('latin1')}`);
    }
  };
  visit(Buffer.from(root), '');
  return entries;
}

function contentOf(path: Buffer, kind: string): string {
  if (kind === 'symlink') return readlinkSync(path, 'latin1');
  return kind === 'file' ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
}

/** Compares everything that a copy keeps. */
export function expectEqualTrees(source: string, copy: string, options: { timeUnitNs?: bigint } = {}): void {
  expect(Object.fromEntries(listTree(copy, options))).toEqual(Object.fromEntries(listTree(source, options)));
}

/** The error that a copy rejects with. Throws if the copy succeeds, or fails with another code. */
export async function expectTreeFailure(
  paths: { source: string; destination: string },
  options: CopyTreeOptions,
  code: CopyErrorCode,
): Promise<CopyError> {
  const error = await copyTree(paths.source, paths.destination, options).then(
    () => new Error('the copy succeeded'),
    (failure: unknown) => failure,
  );
  if (!(error instanceof CopyError)) throw error;
  expect(error.code, error.message).toBe(code);
  return error;
}

/** Expects that a directory has only these names, hidden ones included. */
export function expectNames(directory: string, names: readonly string[]): void {
  expect(existsSync(directory) ? readdirSync(directory).toSorted() : []).toEqual([...names].toSorted());
}
