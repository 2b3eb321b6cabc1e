import type { Reference, Snapshot } from './snapshot.ts';

/**
 * Which form of a snapshot a watcher receives: `full`, or `public` for the holder of a link to one operation.
 */
export type SnapshotView = 'full' | 'public';

const nameOnly = ({ kind, name }: Reference): Reference => ({ kind, id: null, name });

/**
 * Removes owner, host, error detail and related ids from a snapshot. Action, title, names, progress and end stay.
 * Idempotent.
 */
export function publicSnapshot(snapshot: Snapshot): Snapshot {
  const { subject, target, error } = snapshot;
  return {
    ...snapshot,
    label: snapshot.action,
    subject: nameOnly(subject),
    target: target === null ? null : nameOnly(target),
    owner: '',
    ownerName: '',
    host: null,
    error: error === null ? null : { ...error, detail: null },
    result: null,
    retryOf: null,
    partOf: null,
  };
}
