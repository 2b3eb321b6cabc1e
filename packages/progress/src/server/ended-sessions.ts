import { performance } from 'node:perf_hooks';

/** Remembers recently ended sessions, so that no stream in authentication outlives its session. */
export interface EndedSessions<P> {
  add(match: (principal: P) => boolean): void;
  /** @param startedAtMs start of the authentication, by the monotonic clock */
  hasEnded(principal: P, startedAtMs: number): boolean;
}

/** @param keepMs longest time from the start of an authentication to its stream */
export function createEndedSessions<P>(keepMs: number): EndedSessions<P> {
  let ends: { match: (principal: P) => boolean; atMs: number }[] = [];
  return {
    add: (match) => {
      const nowMs = performance.now();
      ends = ends.filter(({ atMs }) => nowMs - atMs <= keepMs);
      ends.push({ match, atMs: nowMs });
    },
    hasEnded: (principal, startedAtMs) =>
      ends.some(({ match, atMs }) => atMs >= startedAtMs && match(principal)),
  };
}
