/** Browsers may deny storage altogether; then a choice lasts as long as the page. */
export function readChoice<Choice extends string>(key: string, choices: readonly Choice[]): Choice | null {
  try {
    const held = localStorage.getItem(key);
    return choices.find((choice) => choice === held) ?? null;
  } catch {
    return null;
  }
}

/** @returns whether it will be remembered */
export function writeChoice(key: string, choice: string): boolean {
  try {
    localStorage.setItem(key, choice);
    return true;
  } catch {
    return false;
  }
}

/** Texts that were written by {@link writeList}; empty when there are none, or something else stands there. */
export function readList(key: string): string[] {
  try {
    const held: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(held) ? held.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

/** @returns whether it will be remembered */
export function writeList(key: string, list: readonly string[]): boolean {
  return writeChoice(key, JSON.stringify(list));
}
