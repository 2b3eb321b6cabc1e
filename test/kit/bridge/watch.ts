import { WebSocket } from 'ws';
import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { connect } from '@wcc/progress/client';
import type { ConnectOptions, ProgressClient } from '@wcc/progress/client';

/** Connects as a program of this user, which sends a bearer header. */
export function connectAs(user: string, port: number, options: ConnectOptions = {}): ProgressClient {
  const headers = { authorization: `Bearer ${user}` };
  class UserSocket extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { headers });
    }
  }
  return connect(`http://127.0.0.1:${port}/progress`, {
    WebSocket: UserSocket as unknown as NonNullable<ConnectOptions['WebSocket']>,
    fetch: (input, init) => {
      const sent = new Headers(init?.headers);
      sent.set('authorization', headers.authorization);
      return fetch(input, { ...init, headers: sent });
    },
    ...options,
  });
}

/** One watch of one operation: its newest snapshot, and what it was shown against the rules. */
export interface Watch {
  readonly id: string;
  last: Snapshot | null;
  readonly offences: string[];
}

const doneOf = ({ phases, phaseIndex }: Snapshot): number => {
  const phase = phases[phaseIndex];
  return phase !== undefined && 'done' in phase ? phase.done : 0;
};

/** Watches an operation. Numbers may fall only with the epoch, and an end is final. */
export function watchOperation(client: ProgressClient, id: string): Watch {
  const watch: Watch = { id, last: null, offences: [] };
  client.watch(id, (snapshot) => {
    const { last } = watch;
    watch.last = snapshot;
    if (last === null) return;
    if (isTerminal(last.state) && snapshot.state !== last.state)
      watch.offences.push(`${last.state} → ${snapshot.state}`);
    if (last.epoch === snapshot.epoch && doneOf(snapshot) < doneOf(last))
      watch.offences.push(`${doneOf(last)} → ${doneOf(snapshot)} in one epoch`);
  });
  return watch;
}
