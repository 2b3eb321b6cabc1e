import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { CopyError } from '../contract/errors.ts';
import {
  abortSignal,
  atLeast,
  callback,
  flag,
  oneOf,
  optional,
  readOptions,
} from '../contract/read-options.ts';
import type { Reader, Readers } from '../contract/read-options.ts';
import type { CopyTreeOptions } from '../contract/tree.ts';
import type { PathLike } from '../contract/types.ts';
import { assertId, splitPath, toPathBytes } from '../storage/paths.ts';

type Unset = 'id' | 'signal' | 'onProgress';
type OptionValues = Required<Omit<CopyTreeOptions, Unset>> & {
  [Name in Unset]: CopyTreeOptions[Name] | undefined;
};

/** The options with every default set. */
export type TreePlan = OptionValues & { id: string; source: Buffer; destination: Buffer };

const slashByte = 0x2f;

const idReader: Reader<string> = (value, name) => assertId(value, name);

const readers: Readers<OptionValues> = {
  id: optional(idReader),
  method: oneOf(['auto', 'clone', 'copy'], 'auto'),
  merge: flag(false),
  overwrite: flag(false),
  symlinks: oneOf(['copy', 'skip', 'fail'], 'copy'),
  special: oneOf(['skip', 'fail'], 'skip'),
  onError: oneOf(['stop', 'skip'], 'stop'),
  preserveOwner: flag(false),
  durable: flag(true),
  resume: flag(true),
  keepPartial: flag(false),
  minFreeBytes: atLeast(0, 0),
  concurrency: atLeast(1, 2),
  native: oneOf(['auto', 'off'], 'auto'),
  signal: abortSignal(),
  onProgress: callback(),
};

/** Checks paths and options. @throws CopyError `invalid_option` */
export function planTree(paths: { source: PathLike; destination: PathLike }, options: unknown): TreePlan {
  const source = withoutSlashes(toPathBytes(paths.source, 'source'));
  const destination = withoutSlashes(toPathBytes(paths.destination, 'destination'));
  if (splitPath(destination).name.length === 0) {
    throw new CopyError('invalid_option', { detail: 'the destination has no name' });
  }
  const values = readOptions<OptionValues>(options, readers);
  if (values.overwrite && !values.merge) {
    throw new CopyError('invalid_option', {
      detail: 'overwrite needs merge: a whole tree is never replaced',
    });
  }
  const concurrency = Math.min(Math.floor(values.concurrency), availableParallelism());
  const id = values.id ?? deriveId(source, destination);
  return { ...values, source, destination, concurrency, id };
}

/** `resolve` does this for strings; a path in bytes may end in slashes. */
function withoutSlashes(path: Buffer): Buffer {
  let end = path.length;
  while (end > 1 && path[end - 1] === slashByte) end -= 1;
  return path.subarray(0, end);
}

const idLength = 27;

/** The same for the same paths, so that a later call finds what a killed process has left. */
function deriveId(source: Buffer, destination: Buffer): string {
  const hash = createHash('sha256').update(source).update('\0').update(destination).digest('base64url');
  return `tree-${hash.slice(0, idLength)}`;
}
