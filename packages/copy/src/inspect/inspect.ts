import { lstatSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';
import { throwIfStopped } from '../run/control.ts';
import { beginPhase } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { countExtents } from './extents.ts';
import type { ExtentSource } from './extents.ts';
import { readWriters } from './lease.ts';
import { kindOf, openSource } from '../run/source.ts';
import type { OpenSource } from '../run/source.ts';

/** Inspects source and destination. Creates nothing. */
export function inspect(run: CopyRun): void {
  beginPhase(run, 'inspect');
  throwIfStopped(run);
  const source = openSource(run.request.source);
  run.source = source;
  assertDestination(run, source.stat);
  if (readWriters(run.kernel, source.fd) === 'some') {
    if (run.request.refuseWriters)
      throw new CopyError('source_in_use', { path: showPath(run.request.source) });
    run.warnings.push('source_open_for_writing');
  }
  const totals = countExtents(extentSource(run, source), { before: 0n, onCheck: () => throwIfStopped(run) });
  run.facts.virtualBytes = Number(source.stat.size);
  run.dataBytes = totals.dataBytes;
  run.facts.dataBytes = Number(totals.dataBytes);
  run.slot.set('skipped', source.stat.size - totals.dataBytes);
}

export function extentSource(run: CopyRun, source: OpenSource): ExtentSource {
  return { kernel: run.kernel, fd: source.fd, sizeBytes: source.stat.size };
}

function assertDestination(run: CopyRun, source: BigIntStats): void {
  const path = showPath(run.request.destination);
  const existing = statIfExists(run.request.destination);
  if (existing === null) return;
  if (existing.ino === source.ino && existing.dev === source.dev) throw new CopyError('same_file', { path });
  if (!run.request.overwrite) throw new CopyError('exists', { path });
  if (!existing.isFile()) throw new CopyError('not_regular', { path, detail: kindOf(existing) });
}

/** The file with this name, without following a symlink; null if there is none. */
export function statIfExists(path: Uint8Array): BigIntStats | null {
  try {
    return lstatSync(Buffer.from(path), { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw toCopyError(error, { path: showPath(path) });
  }
}
