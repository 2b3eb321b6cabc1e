/** Counts by key up to a limit: unauthenticated upgrades by address, live streams by user. */
export interface Admission {
  /** @returns gives the place back (once), or `null` when all are taken */
  enter(key: string): (() => void) | null;
  count(key: string): number;
}

export function createAdmission(limit: number | ((key: string) => number)): Admission {
  const limitOf = typeof limit === 'number' ? () => limit : limit;
  const counts = new Map<string, number>();
  return {
    enter: (key) => {
      const count = counts.get(key) ?? 0;
      if (count >= limitOf(key)) return null;
      counts.set(key, count + 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        const left = (counts.get(key) ?? 1) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      };
    },
    count: (key) => counts.get(key) ?? 0,
  };
}
