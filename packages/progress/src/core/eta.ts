/** An ETA rounded for display: coarse enough not to flicker, never "0 s". */
export type RoundedEta =
  | { kind: 'few_seconds' }
  /** Steps of 5, from 5 to 55. */
  | { kind: 'seconds'; seconds: number }
  /** Half steps from 1 to 10, whole ones up to 59. */
  | { kind: 'minutes'; minutes: number }
  /** `minutes` in steps of 5. */
  | { kind: 'hours'; hours: number; minutes: number }
  | { kind: 'more_than_a_day' };

const minuteS = 60;
const hourS = 3600;
const dayS = 86_400;

const toStep = (seconds: number, step: number): number => Math.round(seconds / step) * step;

/**
 * Rounds an ETA for display: from 1 h to 5 min, from 10 min to 1 min, from 1 min to 30 s, below that to 5 s.
 *
 * @param etaMs as in a snapshot; NaN reads as `more_than_a_day`, never as done
 */
export function roundEta(etaMs: number): RoundedEta {
  const seconds = etaMs / 1000;
  if (Number.isNaN(seconds) || seconds > dayS) return { kind: 'more_than_a_day' };
  if (seconds < 5) return { kind: 'few_seconds' };
  // Compares the rounded value, so 58 s become 1 min and not "60 s".
  const fives = toStep(seconds, 5);
  if (fives < minuteS) return { kind: 'seconds', seconds: fives };
  const halves = toStep(seconds, minuteS / 2);
  if (halves < 10 * minuteS) return { kind: 'minutes', minutes: Math.max(halves, minuteS) / minuteS };
  const minutes = toStep(seconds, minuteS);
  if (minutes < hourS) return { kind: 'minutes', minutes: minutes / minuteS };
  const coarse = Math.max(toStep(seconds, 5 * minuteS), hourS);
  return { kind: 'hours', hours: Math.floor(coarse / hourS), minutes: (coarse % hourS) / minuteS };
}
