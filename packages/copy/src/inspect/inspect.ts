import { lstatSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { systemCode } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';
import { throwIfStopped } from '../run/control.ts';
import { beginPhase, withDestinationErrors } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { mapExtents } from './extents.ts';
import { readWriters } from './lease.ts';
import { kindOf, openSource } from '../run/source.ts';

/** Inspects source and destination. Creates nothing. */
export function inspect(run: CopyRun): void {
  beginPhase(run, 'inspect');
  throwIfStopped(run);
  const source = openSource(run.request.source);
  run.source = source;
  assertDestination(run, source.stat);
  if (run.request.continues === null && readWriters(run.kernel, source.fd) === 'some') {
    if (run.request.ifInUse === 'fail')
      throw new CopyError('source_in_use', { path: showPath(run.request.source) });
    run.warnings.push('source_open_for_writing');
  }
  const { kernel } = run;
  const extents = mapExtents({ kernel, fd: source.fd, sizeBytes: source.stat.size }, () =>
    throwIfStopped(run),
  );
  run.extents = extents;
  run.facts.virtualBytes = Number(source.stat.size);
  run.dataBytes = extents.dataBytes;
  run.facts.dataBytes = Number(extents.dataBytes);
  run.slot.set('data', extents.dataBytes);
  run.slot.set('skipped', source.stat.size - extents.dataBytes);
}

function assertDestination(run: CopyRun, source: BigIntStats): void {
  const path = showPath(run.request.destination);
  const existing = withDestinationErrors(run, () => statIfExists(run.paths.target));
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
    throw error;
  }
}
