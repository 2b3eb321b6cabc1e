import { fchmodSync, fchownSync, fsyncSync, futimesSync, lchownSync, lutimesSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { TreeContext } from './context.ts';

const fileBits = 0o777n;
/** A directory keeps its sticky bit, because it protects the files of others. */
const directoryBits = 0o1777n;
const allBits = 0o7777n;

/**
 * Sets owner, mode and times, in this order: a change of the owner clears setuid bits, and the times come last. This completes the file. Without
 * the owner, setuid and setgid bits are left out, because the program would run with the rights of another user.
 */
export function setFacts({ request, kernel, syncsEach }: TreeContext, fd: number, stat: BigIntStats): void {
  const bits = stat.isDirectory() ? directoryBits : fileBits;
  if (request.preserveOwner) fchownSync(fd, Number(stat.uid), Number(stat.gid));
  fchmodSync(fd, Number(stat.mode & (request.preserveOwner ? allBits : bits)));
  if (kernel === null) futimesSync(fd, nodeTime(stat.atimeNs), nodeTime(stat.mtimeNs));
  else kernel.setTimes(fd, stat);
  if (syncsEach) fsyncSync(fd);
}

/** A symlink has no mode of its own. */
export function setLinkFacts({ request, kernel }: TreeContext, path: Buffer, stat: BigIntStats): void {
  if (request.preserveOwner) lchownSync(path, Number(stat.uid), Number(stat.gid));
  if (kernel === null) lutimesSync(path, nodeTime(stat.atimeNs), nodeTime(stat.mtimeNs));
  else kernel.setTimesAt(path, stat);
}

const nsPerMicrosecond = 1000n;
const nsPerMs = 1_000_000n;

/**
 * A time for Node, which takes seconds as a floating-point number and cuts them to microseconds. Node replaces negative
 * numbers by the current time, so a time before 1970 is a date, exact to a millisecond.
 */
function nodeTime(ns: bigint): number | Date {
  if (ns < 0n) return new Date(Number(ns / nsPerMs));
  return (Number(ns / nsPerMicrosecond) + 0.5) / 1e6;
}

/** Error of a time that Node has set, in ns. */
const nodeTimeError = 2000n;

/** Whether a file of an earlier run can be a complete copy: its times were set after its last byte. */
export function canBeComplete(
  { kernel }: TreeContext,
  { copy, source }: { copy: BigIntStats; source: BigIntStats },
): boolean {
  const difference = copy.mtimeNs - source.mtimeNs;
  const most = kernel === null ? nodeTimeError : 0n;
  const isSameTime = difference <= most && difference >= -most;
  return copy.isFile() && copy.size === source.size && isSameTime;
}
