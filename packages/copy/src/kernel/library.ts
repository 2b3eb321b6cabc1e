import { createRequire } from 'node:module';
import { SystemError } from './errno.ts';

/** A C function of libc, called synchronously on the calling thread. */
export type NativeCall = (...values: NativeValue[]) => number | bigint;
export type NativeValue = number | bigint | Uint8Array | BigInt64Array | null;

interface Koffi {
  load(path: null): { func(definition: string): NativeCall };
  errno(): number;
}

export interface Library {
  /** Binds a function; null if this libc does not have it. */
  bind(definition: string): NativeCall | null;
  errno(): number;
}

let loaded: { library: Library | null; why: string | null } | null = null;

/**
 * Loads koffi once per thread, at first use, so that a program that never copies does not pay for it. koffi is an
 * optional dependency: without it, copies go through Node's own fs.
 */
export function loadLibrary(): { library: Library | null; why: string | null } {
  loaded ??= open();
  return loaded;
}

function open(): { library: Library | null; why: string | null } {
  if (process.platform !== 'linux') return { library: null, why: `no kernel calls on ${process.platform}` };
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const libc = koffi.load(null);
    return {
      library: { bind: (definition) => bindOrNull(libc, definition), errno: () => koffi.errno() },
      why: null,
    };
  } catch (error) {
    return {
      library: null,
      why: error instanceof Error ? (error.message.split('\n', 1)[0] ?? 'koffi') : String(error),
    };
  }
}

function bindOrNull(libc: { func(definition: string): NativeCall }, definition: string): NativeCall | null {
  try {
    return libc.func(definition);
  } catch {
    return null; // an older libc lacks the symbol: the caller has a fallback
  }
}

const EINTR = 4;

/** A bound function with its name for error messages. */
export interface BoundCall {
  call: NativeCall;
  syscall: string;
}

/** Calls a function again until it is not interrupted. A result of -1 becomes a SystemError. */
export function callChecked(library: Library, bound: BoundCall, values: NativeValue[]): bigint {
  for (;;) {
    const result = BigInt(bound.call(...values));
    if (result >= 0n) return result;
    const errno = library.errno();
    if (errno !== EINTR) throw new SystemError(errno, bound.syscall);
  }
}
