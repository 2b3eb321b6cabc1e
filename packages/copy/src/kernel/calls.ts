import { callChecked, loadLibrary } from './library.ts';
import { fiemapArgument, fiemapRequest, readFiemap } from './fiemap.ts';
import type { MappedRange } from './fiemap.ts';
import type { Library, NativeCall, NativeValue } from './library.ts';

/** A range of bytes of an open file. */
export interface FileRange {
  fd: number;
  offset: bigint;
  lengthBytes: number | bigint;
}

/** Kernel calls that Node's fs lacks. Each one throws a SystemError and may block its thread. */
export interface Kernel {
  /** Copies inside the kernel, at the same offset in both files. Returns the bytes copied; 0 at the end of the source. */
  copyRange(sourceFd: number, target: FileRange): number;
  /** Offset of the next data at or after `offset`; null if there is none. */
  seekData(fd: number, offset: bigint): bigint | null;
  /** Offset of the next hole at or after `offset`. The end of the file counts as a hole. */
  seekHole(fd: number, offset: bigint): bigint;
  /**
   * FIEMAP: the next mapped ranges from an offset on; `isLast`: no range follows. `isSynced` writes dirty pages of the
   * file back first.
   */
  mapRanges(
    fd: number,
    from: { offset: bigint; isSynced: boolean },
  ): { ranges: MappedRange[]; isLast: boolean };
  startWriteBack(range: FileRange): void;
  awaitWriteBack(range: FileRange): void;
  /** Length 0 means: to the end of the file. */
  dropCache(range: FileRange): void;
  allocate(range: FileRange): void;
  truncate(fd: number, sizeBytes: bigint): void;
  read(buffer: Uint8Array, range: FileRange): number;
  write(buffer: Uint8Array, range: FileRange): number;
  /** FICLONE: shares all blocks of a file. */
  cloneFile(sourceFd: number, targetFd: number): void;
  /** FICLONERANGE: shares the blocks of one range, at the same offset in both files. */
  cloneRange(sourceFd: number, target: FileRange): void;
  /** Renames unless the new name exists; null if this libc lacks renameat2. */
  renameNoReplace: ((from: Buffer, to: Buffer) => void) | null;
  /** flock(LOCK_EX | LOCK_NB): false if the lock is held elsewhere. */
  tryLock(fd: number): boolean;
  /** Takes a read lease and releases it at once. The kernel grants it only if no program has the file open for writing. */
  tryReadLease(fd: number): void;
  /** Takes a write lease and releases it at once. The kernel grants it only if no other descriptor has the file open. */
  tryWriteLease(fd: number): void;
  /** syncfs: makes everything on the file system of `fd` durable. */
  syncFileSystem(fd: number): void;
  /** Sets the times of an open file or directory to the nanosecond. */
  setTimes(fd: number, times: FileTimes): void;
  /** Sets the times of the file itself, also when it is a symlink. */
  setTimesAt(path: Buffer, times: FileTimes): void;
}

export interface FileTimes {
  atimeNs: bigint;
  mtimeNs: bigint;
}

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 'ENXIO';
const SYNC_WRITE = 2;
const SYNC_WAIT = 1 | 2 | 4;
const POSIX_FADV_DONTNEED = 4;
const FICLONE = 0x40049409;
const FICLONERANGE = 0x4020940d;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const RENAME_NOREPLACE = 1;
const LOCK_EX_NB = 2 | 4;
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const SIGURG = 23;

type Invoke = (name: keyof typeof definitions, values: NativeValue[]) => bigint;

const definitions = {
  copy_file_range:
    'long copy_file_range(int, _Inout_ int64_t *, int, _Inout_ int64_t *, size_t, unsigned int)',
  lseek: 'int64_t lseek(int, int64_t, int)',
  sync_file_range: 'int sync_file_range(int, int64_t, int64_t, unsigned int)',
  posix_fadvise: 'int posix_fadvise(int, int64_t, int64_t, int)',
  fallocate: 'int fallocate(int, int, int64_t, int64_t)',
  ftruncate: 'int ftruncate(int, int64_t)',
  pread: 'long pread(int, _Out_ uint8_t *, size_t, int64_t)',
  pwrite: 'long pwrite(int, const void *, size_t, int64_t)',
  ioctl: 'int ioctl(int, unsigned long, int64_t)',
  ioctl_range_argument: 'int ioctl(int, unsigned long, const void *)',
  ioctl_buffer_argument: 'int ioctl(int, unsigned long, _Inout_ uint8_t *)',
  flock: 'int flock(int, int)',
  fcntl: 'int fcntl(int, int, int)',
  syncfs: 'int syncfs(int)',
  futimens: 'int futimens(int, const void *)',
  utimensat: 'int utimensat(int, const void *, const void *, int)',
} as const;

let cached: Kernel | null | undefined;

/** The kernel calls of this thread; null if koffi or one of the calls is missing. */
export function loadKernel(): Kernel | null {
  cached ??= build();
  return cached;
}

/** Whether kernel calls can be used. `why` is the reason if they cannot, else null. */
export function support(): { available: boolean; why: string | null } {
  const { library, why } = loadLibrary();
  if (library === null) return { available: false, why };
  return loadKernel() === null
    ? { available: false, why: 'a kernel call is missing from this libc' }
    : { available: true, why: null };
}

function build(): Kernel | null {
  const { library } = loadLibrary();
  if (library === null) return null;
  const calls = new Map<string, NativeCall>();
  for (const [name, definition] of Object.entries(definitions)) {
    const call = library.bind(definition);
    if (call === null) return null;
    calls.set(name, call);
  }
  const invoke: Invoke = (name, values) => {
    const call = calls.get(name);
    if (call === undefined) throw new Error(`unbound kernel call: ${name}`);
    return callChecked(library, { call, syscall: name.replace(/_\w+_argument$/, '') }, values);
  };
  return {
    ...rangeCalls(invoke),
    ...seekCalls(invoke),
    ...fileCalls(invoke),
    ...timeCalls(invoke),
    syncFileSystem: (fd) => {
      invoke('syncfs', [fd]);
    },
    renameNoReplace: bindRename(library),
  };
}

function rangeCalls(
  invoke: Invoke,
): Pick<
  Kernel,
  | 'copyRange'
  | 'startWriteBack'
  | 'awaitWriteBack'
  | 'dropCache'
  | 'allocate'
  | 'read'
  | 'write'
  | 'cloneRange'
> {
  return {
    copyRange(sourceFd, { fd, offset, lengthBytes }) {
      const from = new BigInt64Array([offset]);
      const to = new BigInt64Array([offset]);
      return Number(invoke('copy_file_range', [sourceFd, from, fd, to, lengthBytes, 0]));
    },
    startWriteBack: ({ fd, offset, lengthBytes }) => {
      invoke('sync_file_range', [fd, offset, lengthBytes, SYNC_WRITE]);
    },
    awaitWriteBack: ({ fd, offset, lengthBytes }) => {
      invoke('sync_file_range', [fd, offset, lengthBytes, SYNC_WAIT]);
    },
    // posix_fadvise is advice: it returns its error instead of setting errno, and the error does not matter
    dropCache: ({ fd, offset, lengthBytes }) => {
      invoke('posix_fadvise', [fd, offset, lengthBytes, POSIX_FADV_DONTNEED]);
    },
    allocate: ({ fd, offset, lengthBytes }) => {
      invoke('fallocate', [fd, 0, offset, lengthBytes]);
    },
    read: (buffer, { fd, offset, lengthBytes }) => Number(invoke('pread', [fd, buffer, lengthBytes, offset])),
    write: (buffer, { fd, offset, lengthBytes }) =>
      Number(invoke('pwrite', [fd, buffer, lengthBytes, offset])),
    cloneRange(sourceFd, { fd, offset, lengthBytes }) {
      const range = new BigInt64Array([BigInt(sourceFd), offset, BigInt(lengthBytes), offset]);
      invoke('ioctl_range_argument', [fd, FICLONERANGE, range]);
    },
  };
}

function seekCalls(invoke: Invoke): Pick<Kernel, 'seekData' | 'seekHole' | 'mapRanges'> {
  return {
    mapRanges(fd, { offset, isSynced }) {
      const argument = fiemapArgument(offset, isSynced);
      invoke('ioctl_buffer_argument', [fd, fiemapRequest, argument]);
      return readFiemap(argument);
    },
    seekData(fd, offset) {
      try {
        return invoke('lseek', [fd, offset, SEEK_DATA]);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === ENXIO) return null;
        throw error;
      }
    },
    seekHole: (fd, offset) => invoke('lseek', [fd, offset, SEEK_HOLE]),
  };
}

type FileCall = 'truncate' | 'cloneFile' | 'tryLock' | 'tryReadLease' | 'tryWriteLease';

function fileCalls(invoke: Invoke): Pick<Kernel, FileCall> {
  const tryLease = (fd: number, kind: number): void => {
    // If a writer opens the file while the lease is held, the kernel sends SIGIO, which ends a process without a
    // handler. SIGURG is ignored by default, so it replaces SIGIO before the lease is taken.
    invoke('fcntl', [fd, F_SETSIG, SIGURG]);
    invoke('fcntl', [fd, F_SETLEASE, kind]);
    invoke('fcntl', [fd, F_SETLEASE, F_UNLCK]);
  };
  return {
    truncate: (fd, sizeBytes) => {
      invoke('ftruncate', [fd, sizeBytes]);
    },
    cloneFile: (sourceFd, targetFd) => {
      invoke('ioctl', [targetFd, FICLONE, sourceFd]);
    },
    tryLock(fd) {
      try {
        invoke('flock', [fd, LOCK_EX_NB]);
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false;
        throw error;
      }
    },
    tryReadLease: (fd) => tryLease(fd, F_RDLCK),
    tryWriteLease: (fd) => tryLease(fd, F_WRLCK),
  };
}

function timeCalls(invoke: Invoke): Pick<Kernel, 'setTimes' | 'setTimesAt'> {
  return {
    setTimes: (fd, times) => {
      invoke('futimens', [fd, timeSpecs(times)]);
    },
    setTimesAt: (path, times) => {
      const bytes = Buffer.concat([path, Buffer.from([0])]);
      invoke('utimensat', [AT_FDCWD, bytes, timeSpecs(times), AT_SYMLINK_NOFOLLOW]);
    },
  };
}

const nsPerSecond = 1_000_000_000n;

/** Two `struct timespec`. Times before 1970 have a negative number of seconds. */
function timeSpecs({ atimeNs, mtimeNs }: FileTimes): BigInt64Array {
  const split = (ns: bigint): [bigint, bigint] => {
    const rest = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond;
    return [(ns - rest) / nsPerSecond, rest];
  };
  return new BigInt64Array([...split(atimeNs), ...split(mtimeNs)]);
}

function bindRename(library: Library): Kernel['renameNoReplace'] {
  const call = library.bind('int renameat2(int, const void *, int, const void *, unsigned int)');
  if (call === null) return null;
  const end = Buffer.from([0]);
  return (from, to) => {
    const values = [
      AT_FDCWD,
      Buffer.concat([from, end]),
      AT_FDCWD,
      Buffer.concat([to, end]),
      RENAME_NOREPLACE,
    ];
    callChecked(library, { call, syscall: 'renameat2' }, values);
  };
}
