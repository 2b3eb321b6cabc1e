/**
 * Reads a stored choice; `null` when there is none. If the browser denies storage, a choice lasts until the page
 * closes.
 */
export function readChoice<Choice extends string>(key: string, choices: readonly Choice[]): Choice | null {
  try {
    const stored = localStorage.getItem(key);
    return choices.find((choice) => choice === stored) ?? null;
  } catch {
    return null;
  }
}

/** @returns whether it was stored */
export function writeChoice(key: string, choice: string): boolean {
  try {
    localStorage.setItem(key, choice);
    return true;
  } catch {
    return false;
  }
}

/** Strings that {@link writeList} stored; empty when there are none or the value is malformed. */
export function readList(key: string): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(stored) ? stored.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

/** @returns whether it was stored */
export function writeList(key: string, list: readonly string[]): boolean {
  return writeChoice(key, JSON.stringify(list));
}
