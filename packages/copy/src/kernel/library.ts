// The default import, because webpack replaces a `createRequire` that is imported by its name.
import nodeModule from 'node:module';
import { SystemError } from './errno.ts';
import { moduleBases } from './module-bases.ts';

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

/** The library, or why there is none; `hint`: what to do, if it is not to install koffi. */
type Loaded =
  { library: Library; why: null; hint: null } | { library: null; why: string; hint: string | null };

let loaded: Loaded | null = null;

/**
 * Loads koffi once per thread, at first use, so that a program that never copies does not pay for it. koffi is an
 * optional dependency: without it, copies go through Node's own fs.
 */
export function loadLibrary(): Loaded {
  loaded ??= open();
  return loaded;
}

function open(): Loaded {
  if (process.platform !== 'linux')
    return { library: null, why: `no kernel calls on ${process.platform}`, hint: null };
  try {
    const koffi = requireKoffi();
    const libc = koffi.load(null);
    return {
      library: { bind: (definition) => bindOrNull(libc, definition), errno: () => koffi.errno() },
      why: null,
      hint: null,
    };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? 'koffi') : String(error);
    const isDenied = error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_DISABLED';
    return { library: null, why, hint: isDenied ? 'Start node with --allow-addons as well.' : null };
  }
}

function requireKoffi(): Koffi {
  let missing: unknown = new Error("Cannot find module 'koffi'");
  for (const base of moduleBases()) {
    try {
      return nodeModule.createRequire(base)('koffi') as Koffi;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error;
      missing = error;
    }
  }
  throw missing;
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
