import { CLIENT_TIMERS } from '../core/protocol.ts';

/** Timers of the client, in milliseconds. Only tests change the defaults. */
export interface Timing {
  /** On a visible page a connection without a message for this time is dead. @default 12000 */
  deadVisibleMs: number;
  /** The same on a hidden page, where timers fire about once a minute. @default 70000 */
  deadHiddenMs: number;
  /** Maximum time from the request for a ticket to `hello`. @default 4000 */
  attemptMs: number;
  /** Base of the exponential back-off. @default 500 */
  backoffBaseMs: number;
  /** Maximum wait during the first minute of failures. @default 3000 */
  backoffCapFirstMinuteMs: number;
  /** Maximum wait after the first minute. @default 30000 */
  backoffCapMs: number;
  /** After this time online, the next failure counts as the first. @default 30000 */
  resetAfterMs: number;
}

export const defaultTiming: Readonly<Timing> = CLIENT_TIMERS;
