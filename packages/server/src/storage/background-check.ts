import type { OnError } from '@wcc/progress/server';
import { isSmall } from './check.ts';
import { StoreError } from './errors.ts';
import { startCheck } from './inspection/start-check.ts';

/** A check that takes longer ends without an answer. */
const maxMs = 10 * 60_000;

export interface BackgroundCheck {
  isDamaged(): boolean;
  close(): void;
}

/** Checks a database that is too large for a check at the start. */
export function checkInBackground(path: string, onError: OnError): BackgroundCheck {
  if (isSmall(path)) return { isDamaged: () => false, close: () => {} };
  let isDamaged = false;
  const { result, stop } = startCheck(path, { limitMs: maxMs });
  result
    .then(({ state, problem }) => {
      if (state !== 'damaged') return;
      isDamaged = true;
      onError(new StoreError('store_damaged', { message: problem }), { stage: 'storage: check' });
    })
    .catch((error: unknown) => onError(error, { stage: 'storage: check' }));
  return { isDamaged: () => isDamaged, close: stop };
}
