import type { CopyFacts } from './types.ts';

/** What is known before the source was looked at: on both sides of the thread the same. */
export function initialFacts(): CopyFacts {
  return {
    virtualBytes: 0,
    dataBytes: 0,
    method: null,
    cloneRefused: null,
    resumedAtBytes: null,
    restartedBecause: null,
  };
}
