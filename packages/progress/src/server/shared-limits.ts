import { defaultLimits } from '@wcc/progress/protocol';

/** Limits connections per key: live streams per user, or open upgrades per address. */
export interface SharedLimits {
  /** @returns the function that releases the connection; `null` when the key is at its limit */
  acquire(key: string): (() => void) | null;
  /** Connections that this key holds now. */
  count(key: string): number;
}

/**
 * Creates a quota. Give the same one to sockets and event streams to count both together.
 *
 * @param limit connections for each key, or a function that returns the limit of a key. @default 16
 */
export function sharedLimits(
  limit: number | ((key: string) => number) = defaultLimits.socketsPerUser,
): SharedLimits {
  const limitOf = typeof limit === 'number' ? () => limit : limit;
  const counts = new Map<string, number>();
  const release = (key: string): void => {
    const left = (counts.get(key) ?? 1) - 1;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  };
  return {
    acquire: (key) => {
      const count = counts.get(key) ?? 0;
      if (count >= limitOf(key)) return null;
      counts.set(key, count + 1);
      let isReleased = false;
      return () => {
        if (!isReleased) release(key);
        isReleased = true;
      };
    },
    count: (key) => counts.get(key) ?? 0,
  };
}
