import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { CopyErrorCode } from '../contract/errors.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** The names `.` and `..`. */
export const hereName: Buffer = Buffer.of(0x2e);
export const aboveName: Buffer = Buffer.of(0x2e, 0x2e);

/** Descriptors kept open along a path. A deeper path closes the upper ones, and returns through `..`. */
const maxOpenLevels = 32;

/** Errors of opening a directory that was one a moment ago. */
const changedCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

interface Level {
  name: Buffer;
  /** Null while the level is closed. */
  fd: number | null;
  stat: BigIntStats;
}

/** The path of a directory by its descriptor. The kernel resolves it without walking any component again. */
export function descriptorPath(fd: number): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}/`);
}

export function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/**
 * The open directories from a root down to the current one. Every component is opened from the descriptor of its
 * parent, and never through a symlink, so a component that another program swaps cannot lead outside.
 */
export class DirectoryChain {
  readonly #levels: Level[];
  readonly #shown: Uint8Array;
  readonly #changed: CopyErrorCode;
  #prefix: Buffer;

  /**
   * @param root its descriptor stays open; its path is only shown
   * @param changed the code for a component that has changed since it was listed
   */
  constructor(root: { fd: number; path: Uint8Array }, changed: 'source_changed' | 'destination_changed') {
    this.#levels = [{ name: Buffer.alloc(0), fd: root.fd, stat: fstatSync(root.fd, { bigint: true }) }];
    this.#shown = root.path;
    this.#changed = changed;
    this.#prefix = descriptorPath(root.fd);
  }

  get fd(): number {
    return this.#top.fd ?? -1;
  }

  get stat(): BigIntStats {
    return this.#top.stat;
  }

  /** The name of the current directory in its parent; empty at the root. */
  get name(): Buffer {
    return this.#top.name;
  }

  /** 0 at the root. */
  get depth(): number {
    return this.#levels.length - 1;
  }

  /** A path for a system call on an entry of the current directory. */
  at(name: Uint8Array): Buffer {
    return Buffer.concat([this.#prefix, name]);
  }

  /** The path relative to the root, of the current directory or of an entry in it. */
  relative(name?: Uint8Array): Buffer {
    const parts: Uint8Array[] = [];
    for (const level of this.#levels.slice(1)) parts.push(level.name, Buffer.from('/'));
    if (name === undefined) parts.pop();
    else parts.push(name);
    return Buffer.concat(parts);
  }

  /** The path for messages. */
  show(name?: Uint8Array): string {
    const relative = this.relative(name);
    if (relative.length === 0) return showPath(this.#shown);
    return showPath(Buffer.concat([this.#shown, Buffer.from('/'), relative]));
  }

  /** Runs a step on an entry. Its errors name the entry. */
  run<T>(name: Uint8Array | undefined, step: () => T): T {
    try {
      return step();
    } catch (error) {
      throw toCopyError(error, { path: this.show(name) });
    }
  }

  /** Enters a directory. @throws CopyError if it is no longer a directory */
  push(name: Buffer): void {
    const fd = this.#open(this.at(name), name);
    const stat = fstatSync(fd, { bigint: true });
    const old = this.#levels[this.#levels.length - maxOpenLevels];
    if (old !== undefined && old !== this.#levels[0] && old.fd !== null) {
      closeSync(old.fd);
      old.fd = null;
    }
    this.#levels.push({ name, fd, stat });
    this.#prefix = descriptorPath(fd);
  }

  /** Returns to the parent. @throws CopyError if the directory was moved elsewhere and the parent was closed */
  pop(): void {
    const parent = this.#levels.at(-2);
    if (parent === undefined) return;
    if (parent.fd === null) {
      const fd = this.#open(this.at(aboveName));
      if (!isSameFile(fstatSync(fd, { bigint: true }), parent.stat)) {
        closeSync(fd);
        throw new CopyError(this.#changed, { path: this.show(), detail: 'the directory was moved' });
      }
      parent.fd = fd;
    }
    const { fd } = this.#top;
    this.#levels.pop();
    if (fd !== null) closeSync(fd);
    this.#prefix = descriptorPath(this.fd);
  }

  /** Closes everything but the root. */
  close(): void {
    for (const level of this.#levels.splice(1)) {
      if (level.fd !== null) closeSync(level.fd);
    }
    this.#prefix = descriptorPath(this.fd);
  }

  get #top(): Level {
    const top = this.#levels.at(-1);
    if (top === undefined) throw new CopyError('worker_failed', { detail: 'no directory is open' });
    return top;
  }

  #open(path: Buffer, name?: Buffer): number {
    try {
      return openSync(path, directoryFlags);
    } catch (error) {
      const details = { path: this.show(name) };
      if (!changedCodes.has(systemCode(error) ?? '')) throw toCopyError(error, details);
      throw new CopyError(this.#changed, { ...details, cause: error });
    }
  }
}
