import type { Snapshot } from '@wcc/progress';
import type { EventStreams, Hub, OnError, Places, WebSocketOptions } from '@wcc/progress/server';
import { createEventStreams, createPlaces } from '@wcc/progress/server';
import { LIMITS } from '@wcc/progress';
import type { Access } from '../../access/access.ts';
import { isRevoked } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import { refuseStream } from './events.ts';

export interface WatchingDeps {
  hub: Hub;
  access: Access;
  lookup: (id: string) => Promise<Snapshot | undefined>;
  onError: OnError;
}

/** What sockets and event streams ask alike: who somebody is, what they may watch, and in which form. */
export type WatchRules = Required<
  Pick<WebSocketOptions<Principal>, 'hub' | 'user' | 'authorize' | 'view' | 'lookup' | 'places' | 'onError'>
>;

/** Many people may look at what one link shows; they must not take the places of the user who lends it. */
const placesPerLimited = 1000;
const limitedPrefix = 'limited:';

export function createWatchRules({ hub, access, lookup, onError }: WatchingDeps): WatchRules {
  const places: Places = createPlaces((user) =>
    user.startsWith(limitedPrefix) ? placesPerLimited : LIMITS.socketsPerUser,
  );
  return {
    hub,
    places,
    lookup,
    onError,
    user: ({ userId, sessionKey, expiresAtMs, limitedTo }) => ({
      user: limitedTo === null ? userId : limitedPrefix + sessionKey,
      session: sessionKey,
      expiresAtMs,
    }),
    view: ({ limitedTo }) => (limitedTo === null ? 'full' : 'public'),
    authorize: (principal, _action, snapshot) =>
      can(principal, 'operation.watch', access.subjectOf(principal, snapshot)),
  };
}

/** The event streams, which end with their session, and follow every change of rights. */
export function createStreams(rules: WatchRules, access: Access): EventStreams<Principal> {
  const streams = createEventStreams<Principal>({ ...rules, refuse: refuseStream });
  access.onRevoked((revocation) => {
    streams.closeSessions((principal) => isRevoked(revocation, principal));
  });
  // One call reaches the sockets as well: both follow the hub.
  access.onRightsChanged((userId) =>
    rules.hub.reauthorize((principal) => (principal as Principal).userId === userId),
  );
  return streams;
}
