import type { Snapshot } from '@wcc/progress';
import type { Rights, SnapshotView } from '@wcc/progress/protocol';
import { isWatchableId, publicSnapshot } from '@wcc/progress/protocol';
import type { Hub } from '../hub.ts';
import type { OnError } from '../on-error.ts';
import { serialiseSnapshot } from '../hub/snapshot-size.ts';
import { composeSnapshot } from '../hub/record.ts';
import type { GatewayOptions } from './options.ts';

/** The host's answers about rights and ended operations. An error of the host counts as a refusal. */
export interface Access<P> {
  /** False if `authorize` returned false or threw. */
  canWatch(principal: P, snapshot: Snapshot): boolean;
  /** What the principal may do; `undefined` if the host does not say. */
  rights(principal: P, snapshot: Snapshot): Rights | undefined;
  /** Finds an operation that is not in the hub. @throws what the host's `lookup` throws */
  lookup(id: string): Promise<Snapshot | undefined>;
  /**
   * The newest snapshot of an operation that the principal may watch. Looks up forbidden operations too, so that they
   * take the same time as unknown ones.
   */
  find(id: string, principal: P): Promise<Snapshot | undefined>;
  /** The serialised snapshot, from the hub if it has the operation. */
  bytes(snapshot: Snapshot, view: SnapshotView): Buffer | undefined;
}

type AccessOptions<P> = Pick<GatewayOptions<P>, 'authorize' | 'may' | 'lookup'> & {
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

  const canWatch = (principal: P, snapshot: Snapshot): boolean =>
    tryOrReport('authorize', () => authorize(principal, 'watch', snapshot)) === true;

  const lookUp = async (id: string): Promise<Snapshot | undefined> => {
    const found = await lookup?.(id);
    if (found === undefined) return undefined;
    // Copies known fields only, because the host's record may contain fields that a watcher must not see.
    const { epoch, seq, at, phases } = found;
    return composeSnapshot(found, { epoch, seq, at, phases, measured: found });
  };

  return {
    canWatch,
    rights: (principal, snapshot) => tryOrReport('may', () => may?.(principal, snapshot)),
    lookup: lookUp,
    find: async (id, principal) => {
      if (!isWatchableId(id)) return undefined;
      const current = hub.get(id);
      if (current !== undefined && canWatch(principal, current)) return current;
      const found = await lookUp(id);
      // The hub may have received a newer snapshot during the look-up.
      const newest = hub.get(id) ?? found;
      return newest !== undefined && canWatch(principal, newest) ? newest : undefined;
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
