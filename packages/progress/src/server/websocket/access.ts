import type { Rights, Snapshot, SnapshotView } from '@wcc/progress';
import { publicSnapshot } from '@wcc/progress';
import type { Hub } from '../hub.ts';
import type { OnError } from '../on-error.ts';
import { serialiseSnapshot } from '../hub/snapshot-size.ts';
import { composeSnapshot } from '../hub/record.ts';
import type { WebSocketOptions } from './options.ts';

/** The host's answers about rights and about ended operations, made safe: what throws refuses. */
export interface Access<P> {
  canWatch(principal: P, snapshot: Snapshot): boolean;
  rights(principal: P, snapshot: Snapshot): Rights | undefined;
  /** @throws what the host's `lookup` throws */
  lookup(id: string): Promise<Snapshot | undefined>;
  /** The hub's bytes of an operation, or those of a snapshot that was looked up. */
  bytes(snapshot: Snapshot, view: SnapshotView): Buffer | undefined;
}

type AccessOptions<P> = Pick<WebSocketOptions<P>, 'authorize' | 'may' | 'lookup'> & {
  hub: Hub;
  onError: OnError;
};

export function createAccess<P>(options: AccessOptions<P>): Access<P> {
  const { hub, onError, authorize, may, lookup } = options;

  const attempt = <T>(stage: string, ask: () => T): T | undefined => {
    try {
      return ask();
    } catch (error) {
      onError(error, { stage });
      return undefined;
    }
  };

  return {
    canWatch: (principal, snapshot) =>
      attempt('authorize', () => authorize(principal, 'watch', snapshot)) === true,
    rights: (principal, snapshot) => attempt('may', () => may?.(principal, snapshot)),
    lookup: async (id) => {
      const found = await lookup?.(id);
      if (found === undefined) return undefined;
      // The same picking as for a living one: a store's row may hold more than a watcher may see.
      const { epoch, seq, at, phases } = found;
      return composeSnapshot(found, { epoch, seq, at, phases, measured: found });
    },
    bytes: (snapshot, view) => {
      const held = hub.get(snapshot.id);
      if (held !== undefined) return hub.bytes(snapshot.id, view);
      return attempt('serialise', () =>
        serialiseSnapshot(view === 'public' ? publicSnapshot(snapshot) : snapshot),
      );
    },
  };
}
