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
