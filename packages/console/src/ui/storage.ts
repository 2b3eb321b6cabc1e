/**
 * Reads a stored choice; `null` when there is none. If the browser denies storage, a choice lasts until the page
 * closes.
 */
export function readChoice<Choice extends string>(key: string, choices: readonly Choice[]): Choice | null {
  const stored = readText(key);
  return choices.find((choice) => choice === stored) ?? null;
}

/** `null` when nothing is stored, or the browser denies storage. */
export function readText(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @returns whether it was stored */
export function writeText(key: string, text: string): boolean {
  try {
    localStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

export function removeText(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Without storage there is nothing to remove.
  }
}

/** Strings that {@link writeList} stored; empty when there are none or the value is malformed. */
export function readList(key: string): string[] {
  try {
    const stored: unknown = JSON.parse(readText(key) ?? '[]');
    return Array.isArray(stored) ? stored.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

/** @returns whether it was stored */
export function writeList(key: string, list: readonly string[]): boolean {
  return writeText(key, JSON.stringify(list));
}
