import { LIMITS } from '@wcc/progress';
import { createAdmission } from './websocket/admission.ts';

/** How many live streams (sockets and event streams) each user has open, and may have. */
export interface Places {
  /** @returns gives the place back (once), or `null` when all are taken */
  enter(user: string): (() => void) | null;
  count(user: string): number;
}

/**
 * Give the same object to sockets and event streams, so that they count together.
 *
 * @param limit for everybody, or by user. @default 16
 */
export function createPlaces(limit: number | ((user: string) => number) = LIMITS.socketsPerUser): Places {
  return createAdmission(limit);
}
