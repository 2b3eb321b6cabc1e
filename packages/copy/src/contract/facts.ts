import type { CopyFacts } from './types.ts';

/** The facts before the source is inspected. Caller and worker begin with the same values. */
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
