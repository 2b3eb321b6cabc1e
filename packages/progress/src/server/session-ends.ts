import { performance } from 'node:perf_hooks';

/** Sessions that ended lately: a stream whose principal was being found then must not outlive its session. */
export interface SessionEnds<P> {
  add(match: (principal: P) => boolean): void;
  /** @param startedAtMs when the authentication began, by the monotonic clock */
  hasEnded(principal: P, startedAtMs: number): boolean;
}

/** @param keepMs longest time from an authentication's begin to its stream */
export function createSessionEnds<P>(keepMs: number): SessionEnds<P> {
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
