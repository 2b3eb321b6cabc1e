/** Whether this process can hear others: yes, perhaps, or no. */
export type Hearing = 'up' | 'uncertain' | 'down';

export interface HearingSigns {
  /** The last publish was rejected. */
  hasFailed: boolean;
  /** How long the message on its way has taken; 0 if none is. */
  unsentMs: number;
  /** How long this process has not heard its own messages; 0 if the transport does not send to the sender. */
  unheardMs: number;
}

/** Two heartbeats may be lost by chance. */
const certainBeats = 2.5;

/** Judges the transport by what this process sends and hears of itself. */
export function hearingOf(
  { hasFailed, unsentMs, unheardMs }: HearingSigns,
  { heartbeatMs, lostAfterMs }: { heartbeatMs: number; lostAfterMs: number },
): Hearing {
  const silentMs = Math.max(unsentMs, unheardMs);
  if (hasFailed || silentMs >= lostAfterMs) return 'down';
  return silentMs > certainBeats * heartbeatMs ? 'uncertain' : 'up';
}
