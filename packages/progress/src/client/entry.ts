import type { Rights } from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';

/** Receives a snapshot, and the rights of this user if the server sends them. */
export type WatchListener = (snapshot: Snapshot, may: Rights | null) => void;

/** What is known of one operation, and who watches it by name. */
export interface Entry {
  readonly listeners: Set<WatchListener>;
  snapshot?: Snapshot | undefined;
  may: Rights | null;
  /** Number of the connection over which the snapshot came. The present one has the newest. */
  connection?: number;
}

export function isEnded({ snapshot }: Entry): boolean {
  return !!snapshot && isTerminal(snapshot.state);
}

/** @returns whether the rights changed; a new connection often repeats the same ones */
export function setRights(entry: Entry, rights: Rights): boolean {
  const { may } = entry;
  const isSame = (verb: string): boolean => (may?.[verb] ?? false) === (rights[verb] ?? false);
  if (may && Object.keys({ ...may, ...rights }).every(isSame)) return false;
  entry.may = rights;
  return true;
}
