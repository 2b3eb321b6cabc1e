import { join, resolve } from 'node:path';
import { CopyError } from '../contract/errors.ts';
import type { PathLike } from '../contract/types.ts';

const slashByte = 0x2f;
const nul = 0;

/** An absolute path in bytes, because names on disk need not be UTF-8. */
export function toPathBytes(path: PathLike): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(resolve(path)) : absolute(path);
  if (path.length === 0 || bytes.includes(nul)) {
    throw new CopyError('invalid_option', { detail: 'a path must not be empty or contain a NUL byte' });
  }
  return bytes;
}

function absolute(path: Uint8Array): Buffer {
  if (path[0] === slashByte) return Buffer.from(path);
  return joinPath(Buffer.from(process.cwd()), path);
}

export function joinPath(directory: Uint8Array, name: Uint8Array | string): Buffer {
  const tail = typeof name === 'string' ? Buffer.from(name) : name;
  const slash = directory.at(-1) === slashByte ? [] : [Buffer.from('/')];
  return Buffer.concat([directory, ...slash, tail]);
}

/** Splits an absolute path into its directory and its last name. */
export function splitPath(path: Uint8Array): { directory: Buffer; name: Buffer } {
  const bytes = Buffer.from(path);
  const at = bytes.lastIndexOf(slashByte);
  return { directory: at <= 0 ? Buffer.from('/') : bytes.subarray(0, at), name: bytes.subarray(at + 1) };
}

/** A path for messages. Bytes that are not UTF-8 become U+FFFD. */
export function showPath(path: Uint8Array): string {
  return Buffer.from(path).toString('utf8');
}

const prefix = '.wcc-';
const hiddenPattern = /^\.wcc-([A-Za-z0-9_-]{1,64})\.(partial|json|json\.tmp)$/;
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

export function assertId(id: string): string {
  if (!idPattern.test(id)) {
    throw new CopyError('invalid_option', { detail: 'an id must have 1 to 64 letters, digits, "_" or "-"' });
  }
  return id;
}

/** The hidden files of one copy, in the directory of its destination. */
export interface HiddenPaths {
  partial: Buffer;
  sidecar: Buffer;
  sidecarTemporary: Buffer;
}

export function hiddenPaths(directory: Uint8Array, id: string): HiddenPaths {
  const at = (ending: string): Buffer => joinPath(directory, `${prefix}${assertId(id)}.${ending}`);
  return { partial: at('partial'), sidecar: at('json'), sidecarTemporary: at('json.tmp') };
}

/** Path of the hidden partial of a copy or of a received file. @throws CopyError `invalid_option` for an invalid id */
export function partialPath(directory: string, id: string): string {
  return join(directory, `${prefix}${assertId(id)}.partial`);
}

/** Path of the sidecar beside a partial. @throws CopyError `invalid_option` for an invalid id */
export function sidecarPath(directory: string, id: string): string {
  return join(directory, `${prefix}${assertId(id)}.json`);
}

/** Id and kind of a hidden file of a copy; null for any other name. */
export function parseHiddenName(
  name: string,
): { id: string; kind: 'partial' | 'sidecar' | 'temporary' } | null {
  const match = hiddenPattern.exec(name);
  const [, id, ending] = match ?? [];
  if (id === undefined) return null;
  return { id, kind: ending === 'partial' ? 'partial' : ending === 'json' ? 'sidecar' : 'temporary' };
}
