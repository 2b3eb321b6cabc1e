import { statSync } from 'node:fs';
import type { Connection } from './connection-type.ts';
import { isDamage, StoreError } from './errors.ts';

/** A larger database is checked after the start, by a process of its own. */
const smallBytes = 128 * 1024 ** 2;
const shownProblems = 3;
/** Exit codes of `check-process.ts`. */
export const checkExit = { sound: 0, damaged: 3 } as const;

export function isSmall(path: string): boolean {
  try {
    return statSync(path).size <= smallBytes;
  } catch {
    return true;
  }
}

/** Reads every page. @throws StoreError `store_damaged` */
export function checkDatabase(connection: Pick<Connection, 'run'>): void {
  const problems = findProblems(connection);
  if (problems.length === 0) return;
  const message = `The database is damaged: ${problems.slice(0, shownProblems).join('; ')}.`;
  throw new StoreError('store_damaged', { message });
}

function findProblems(connection: Pick<Connection, 'run'>): string[] {
  try {
    const rows = connection.run('pragma quick_check(100)', []).rows ?? [];
    const texts = rows.map((row) => String((row as { quick_check?: unknown }).quick_check));
    return texts.filter((text) => text !== 'ok').map((text) => text.replaceAll(/\s*\n\s*/g, ', '));
  } catch (error) {
    if (isDamage(error)) return [(error as Error).message];
    throw error;
  }
}
