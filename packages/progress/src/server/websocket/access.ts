import type { Rights, Snapshot, SnapshotView } from '@wcc/progress';
import { publicSnapshot } from '@wcc/progress';
import type { Hub } from '../hub.ts';
import type { OnError } from '../on-error.ts';
import { serialiseSnapshot } from '../hub/snapshot-size.ts';
import { composeSnapshot } from '../hub/record.ts';
import type { WebSocketOptions } from './options.ts';

/** The host's answers about rights and ended operations. An error of the host counts as a refusal. */
export interface Access<P> {
  /** False if `authorize` returned false or threw. */
  canWatch(principal: P, snapshot: Snapshot): boolean;
  /** What the principal may do; `undefined` if the host does not say. */
  rights(principal: P, snapshot: Snapshot): Rights | undefined;
  /** Finds an operation that is not in the hub. @throws what the host's `lookup` throws */
  lookup(id: string): Promise<Snapshot | undefined>;
  /** The serialised snapshot, from the hub if it has the operation. */
  bytes(snapshot: Snapshot, view: SnapshotView): Buffer | undefined;
}

type AccessOptions<P> = Pick<WebSocketOptions<P>, 'authorize' | 'may' | 'lookup'> & {
  hub: Hub;
  onError: OnError;
};

export function createAccess<P>(options: AccessOptions<P>): Access<P> {
  const { hub, onError, authorize, may, lookup } = options;

  const tryOrReport = <T>(stage: string, call: () => T): T | undefined => {
    try {
      return call();
    } catch (error) {
      onError(error, { stage });
      return undefined;
    }
  };

  return {
    canWatch: (principal, snapshot) =>
      tryOrReport('authorize', () => authorize(principal, 'watch', snapshot)) === true,
    rights: (principal, snapshot) => tryOrReport('may', () => may?.(principal, snapshot)),
    lookup: async (id) => {
      const found = await lookup?.(id);
      if (found === undefined) return undefined;
      // Copies known fields only, because the host's record may contain fields that a watcher must not see.
      const { epoch, seq, at, phases } = found;
      return composeSnapshot(found, { epoch, seq, at, phases, measured: found });
    },
    bytes: (snapshot, view) => {
      const current = hub.get(snapshot.id);
      if (current !== undefined) return hub.bytes(snapshot.id, view);
      return tryOrReport('serialise', () =>
        serialiseSnapshot(view === 'public' ? publicSnapshot(snapshot) : snapshot),
      );
    },
  };
}
