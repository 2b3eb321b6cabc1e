import type { Hub, OnError } from '@wcc/progress/server';
import type { Access } from './access/access.ts';
import type { Principal } from './access/principal.ts';
import { repeat } from './concurrency/repeat.ts';
import type { WatchRules } from './http/live/watch-rules.ts';

const sweepMs = 60_000;
/** With the time for a last answer, an end of rights takes effect within a second. */
const askMs = 200;

/**
 * Records the use of sessions by what they hold open, ends what outlives its session, token or share, and removes
 * ended sessions. @returns a function that stops it
 */
export function watchSessions(
  { access, hub }: { access: Access; hub: Hub },
  { rules, onError }: { rules: WatchRules; onError: OnError },
): () => void {
  const { sessions, connections } = access;
  const sweep = async (): Promise<void> => {
    const running = [...hub.list()].filter(({ state }) => state === 'running');
    const seesRunning = (principal: Principal): boolean =>
      running.some((snapshot) => rules.authorize(principal, 'watch', snapshot));
    await sessions.touch(connections.takeUsed(seesRunning));
    await sessions.sweep();
  };
  const timers = [
    repeat(sweep, { everyMs: sweepMs, onError: (error) => onError(error, { stage: 'session-sweep' }) }),
    repeat(() => access.endStaleConnections(), {
      everyMs: askMs,
      onError: (error) => onError(error, { stage: 'connections: ask' }),
    }),
  ];
  return () => {
    for (const stop of timers) stop();
  };
}
