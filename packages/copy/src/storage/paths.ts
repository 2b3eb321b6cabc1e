import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CopyError } from '../contract/errors.ts';
import { throwWrong } from '../contract/read-options.ts';
import type { PathLike } from '../contract/types.ts';

const slashByte = 0x2f;
const nul = 0;

/**
 * An absolute path in bytes, because names on disk need not be UTF-8. `name` is the argument's name in messages.
 * @throws CopyError `invalid_option` for anything but a path
 */
export function toPathBytes(path: PathLike, name = 'path'): Buffer {
  const given = assertPath(path, name);
  return typeof given === 'string' ? Buffer.from(resolve(given)) : absolute(given);
}

/** The last part of a path in bytes, for example the final name of a copy. @throws CopyError `invalid_option` */
export function toNameBytes(value: PathLike, name: string): Buffer {
  const bytes = Buffer.from(assertPath(value, name));
  return bytes.includes(slashByte) ? throwWrong(name, 'a name without a slash', bytes.toString()) : bytes;
}

const pathKinds = 'a string, a Uint8Array or a file: URL';

function assertPath(value: unknown, name: string): string | Uint8Array {
  const path = isUrl(value) ? fromUrl(value, name) : value;
  if (typeof path !== 'string' && !(path instanceof Uint8Array)) return throwWrong(name, pathKinds, path);
  if (path.length === 0) return throwWrong(name, 'a path', '');
  const hasNul = typeof path === 'string' ? path.includes('\0') : path.includes(nul);
  return hasNul ? throwWrong(name, 'a path without NUL bytes', Buffer.from(path).toString()) : path;
}

/** A URL of this or of another realm. */
function isUrl(value: unknown): value is URL {
  return typeof value === 'object' && value !== null && 'href' in value && 'protocol' in value;
}

function fromUrl(url: URL, name: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new CopyError('invalid_option', {
      detail: `${name} must be a file: URL, not ${url.href}`,
      hint: `Pass ${pathKinds} as ${name}.`,
      cause,
    });
  }
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

/** @throws CopyError `invalid_option` */
export function assertId(id: unknown, name = 'id'): string {
  if (typeof id === 'string' && idPattern.test(id)) return id;
  return throwWrong(name, '1 to 64 letters, digits, "_" or "-"', id);
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
export function partialPath(directory: string | URL, id: string): string {
  return join(textOf(directory), `${prefix}${assertId(id)}.partial`);
}

/** Path of the sidecar beside a partial. @throws CopyError `invalid_option` for an invalid id */
export function sidecarPath(directory: string | URL, id: string): string {
  return join(textOf(directory), `${prefix}${assertId(id)}.json`);
}

function textOf(directory: unknown): string {
  const path = assertPath(directory, 'directory');
  return typeof path === 'string' ? path : throwWrong('directory', 'a string or a file: URL', path);
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
