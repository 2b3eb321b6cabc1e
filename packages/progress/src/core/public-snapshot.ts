import type { Reference, Snapshot } from './snapshot.ts';

/**
 * Which form of a snapshot somebody gets: `full`, or `public` for those who hold no more than a link to one
 * operation.
 */
export type SnapshotView = 'full' | 'public';

const nameOnly = ({ kind, name }: Reference): Reference => ({ kind, id: null, name });

/**
 * The form without owner, detail and related ids: what is done to what, how far it is and how it ended, and
 * nothing that leads further. Idempotent.
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
    error: error === null ? null : { ...error, detail: null },
    result: null,
    retryOf: null,
    partOf: null,
  };
}
