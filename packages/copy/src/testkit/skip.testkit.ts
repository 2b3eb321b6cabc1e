import { it } from 'vitest';

/** Replaces the tests of a `describe` by one skipped test that says why. Null: they run. */
export function isSkipped(reason: string | null): boolean {
  if (reason === null) return false;
  it.skip(`needs what is missing here (${reason})`);
  console.warn(`skipped: ${reason}`);
  return true;
}
