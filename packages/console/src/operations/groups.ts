import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { OperationEntry } from './operation-entry.ts';

export function isActive(entry: OperationEntry): boolean {
  return !isTerminal(entry.snapshot.state) && !entry.isUnknown;
}

/** For `toSorted`: the oldest first. */
export function byCreation(a: OperationEntry, b: OperationEntry): number {
  return compare(a.snapshot.createdAt, b.snapshot.createdAt);
}

/** Oldest first, as a queue is read. */
export function activeOf(entries: readonly OperationEntry[]): OperationEntry[] {
  return entries.filter(isActive).toSorted(byCreation);
}

/** The latest ended first. */
export function endedOf(entries: readonly OperationEntry[]): OperationEntry[] {
  return entries.filter((entry) => !isActive(entry)).toSorted((a, b) => compare(endOf(b), endOf(a)));
}

/** Operations that make an image that is not in the list yet. The list shows each as a row. */
export function pendingImages(
  entries: readonly OperationEntry[],
  hasImage: (id: number | string) => boolean,
): OperationEntry[] {
  const retried = new Set(entries.map((entry) => entry.snapshot.retryOf));
  return activeOf(entries)
    .concat(entries.filter((entry) => hasJustEnded(entry, hasImage) && !retried.has(entry.snapshot.id)))
    .filter(({ snapshot }) => createdImageName(snapshot) !== null);
}

/** Name of the image that an operation makes; `null` when it makes none. */
export function createdImageName({ action, subject, target }: Snapshot): string | null {
  if (target?.kind === 'image') return target.name;
  return actionsNamedBySubject.has(action) ? subject.name : null;
}

const actionsNamedBySubject: ReadonlySet<string> = new Set(['make_sample_image', 'upload_image']);

/** Whether it succeeded but its image is not loaded yet, or failed and was not dismissed. */
function hasJustEnded(entry: OperationEntry, hasImage: (id: number | string) => boolean): boolean {
  const { snapshot } = entry;
  if (entry.isUnknown || entry.isHistory || snapshot.endedAt === null) return false;
  if (snapshot.state === 'succeeded') return snapshot.result !== null && !hasImage(snapshot.result.id);
  return snapshot.state === 'failed';
}

function endOf({ snapshot }: OperationEntry): string {
  return snapshot.endedAt ?? snapshot.at;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
