import { CLIENT_TIMERS } from '../core/protocol.ts';

/** The client's timers, all in milliseconds. Every client should keep the defaults; tests shorten them. */
export interface Timing {
  /** Nothing came for so long while the page is visible: the connection is dead. @default 12000 */
  deadVisibleMs: number;
  /** The same while it is hidden, where timers fire about once a minute. @default 70000 */
  deadHiddenMs: number;
  /** From the request for a ticket to `hello`. @default 4000 */
  attemptMs: number;
  /** @default 500 */
  backoffBaseMs: number;
  /** @default 3000 */
  backoffCapFirstMinuteMs: number;
  /** @default 30000 */
  backoffCapMs: number;
  /** Up for so long: the next failure counts as the first. @default 30000 */
  resetAfterMs: number;
}

export const defaultTiming: Readonly<Timing> = CLIENT_TIMERS;
