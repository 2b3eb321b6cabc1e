import type { Snapshot } from '@wcc/progress';
import type { EventStreams, Hub, OnError, Places, WebSocketOptions } from '@wcc/progress/server';
import { createEventStreams, createPlaces } from '@wcc/progress/server';
import { LIMITS } from '@wcc/progress';
import type { Access } from '../../access/access.ts';
import { isRevoked } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import { answerRefusedStream } from './events.ts';

export interface WatchRulesDeps {
  hub: Hub;
  access: Access;
  lookup: (id: string) => Promise<Snapshot | undefined>;
  onError: OnError;
}

/** Rules of sockets and event streams: identity, access and form of the snapshots. */
export type WatchRules = Required<
  Pick<WebSocketOptions<Principal>, 'hub' | 'user' | 'authorize' | 'view' | 'lookup' | 'places' | 'onError'>
>;

/** Connection limit of a share link; its viewers do not use the quota of the lending user. */
const placesPerLimited = 1000;
const limitedPrefix = 'limited:';

export function createWatchRules({ hub, access, lookup, onError }: WatchRulesDeps): WatchRules {
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

/** Creates the event streams. They end with their session and follow every change of rights. */
export function createStreams(rules: WatchRules, access: Access): EventStreams<Principal> {
  const streams = createEventStreams<Principal>({ ...rules, refuse: answerRefusedStream });
  access.onRevoked((revocation) => {
    streams.closeSessions((principal) => isRevoked(revocation, principal));
  });
  // This call includes the sockets, because both follow the hub.
  access.onRightsChanged((userId) =>
    rules.hub.reauthorize((principal) => (principal as Principal).userId === userId),
  );
  return streams;
}
