import type { Snapshot } from '@wcc/progress';
import type { EventStreams, GatewayOptions, Hub, OnError } from '@wcc/progress/server';
import { createEventStreams, sharedLimits } from '@wcc/progress/server';
import { defaultLimits } from '@wcc/progress/protocol';
import type { Access } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import { answerRefusedStream } from './events.ts';

export interface WatchRulesDeps {
  hub: Hub;
  access: Access;
  lookup: (id: string) => Promise<Snapshot | undefined>;
  may: NonNullable<GatewayOptions<Principal>['may']>;
  onError: OnError;
}

/** Rules of sockets and event streams: identity, access and form of the snapshots. */
export type WatchRules = Required<
  Pick<
    GatewayOptions<Principal>,
    'hub' | 'user' | 'authorize' | 'may' | 'view' | 'lookup' | 'sharedLimits' | 'onError'
  >
>;

/** Connection limit of a share link; its viewers do not use the quota of the lending user. */
const connectionsPerLink = 1000;
const limitedPrefix = 'limited:';

export function createWatchRules({ hub, access, lookup, may, onError }: WatchRulesDeps): WatchRules {
  const limits = sharedLimits((user) =>
    user.startsWith(limitedPrefix) ? connectionsPerLink : defaultLimits.socketsPerUser,
  );
  return {
    hub,
    sharedLimits: limits,
    lookup,
    may,
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
  access.connections.onEnd((isOver) => streams.closeSessions(isOver));
  // This call includes the sockets, because both follow the hub.
  access.onRightsChanged((userId) =>
    rules.hub.reauthorize((principal) => (principal as Principal).userId === userId),
  );
  return streams;
}
