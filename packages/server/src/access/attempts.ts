/** How many attempts a key has in a window. */
export interface AttemptLimit {
  max: number;
  /** @default 60000 */
  windowMs?: number;
  now: () => number;
}

export interface Refusal {
  retryAfterS: number;
  /** The first refusal of this window: it belongs in the audit record. */
  isFirst: boolean;
}

/** Counts attempts by key in fixed windows. */
export interface Attempts {
  /** Counts an attempt. @returns null if it is allowed */
  take(key: string): Refusal | null;
  /** Uncounts the attempts of a key. */
  forget(key: string): void;
}

/** The oldest key is forgotten first. */
const maxKeys = 20_000;

export function createAttempts({ max, windowMs = 60_000, now }: AttemptLimit): Attempts {
  const windows = new Map<string, { count: number; endsAtMs: number }>();
  return {
    take(key) {
      const known = windows.get(key);
      const window =
        known !== undefined && known.endsAtMs > now() ? known : { count: 0, endsAtMs: now() + windowMs };
      if (window !== known) windows.delete(key);
      windows.set(key, window);
      const [oldest] = windows.keys();
      if (windows.size > maxKeys && oldest !== undefined) windows.delete(oldest);
      window.count += 1;
      if (window.count <= max) return null;
      const retryAfterS = Math.max(1, Math.ceil((window.endsAtMs - now()) / 1000));
      return { retryAfterS, isFirst: window.count === max + 1 };
    },
    forget: (key) => void windows.delete(key),
  };
}
