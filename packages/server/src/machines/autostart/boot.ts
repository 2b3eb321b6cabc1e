import { readFile } from 'node:fs/promises';
import type { Store, WriteStatement } from '../../storage/store.ts';

/** Key of the row in `settings`. */
const key = 'boot';

/**
 * Identifies this boot of the host: the kernel's boot id, and the start time of process 1. A container or a namespace
 * boots without its kernel, and only its process 1 is new then. A hardened service may not see process 1.
 */
export async function readBoot(): Promise<string> {
  const [bootId, stat] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readFile('/proc/1/stat', 'utf8').catch(() => ''),
  ]);
  return `${bootId.trim()} ${startTimeOf(stat)}`.trim();
}

/** The 22nd field; the second one is a name in brackets, which may contain spaces. */
function startTimeOf(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Compares start times of process 1 only where both are known. */
export function isSameBoot(a: string, b: string): boolean {
  const [idA, startA] = a.split(' ');
  const [idB, startB] = b.split(' ');
  return idA === idB && (startA === undefined || startB === undefined || startA === startB);
}

/** The boot at which wcc last ran; null: it has not stored one. */
export async function readStoredBoot({ db }: Store): Promise<string | null> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value ?? null;
}

export function storeBoot({ db }: Store, value: string): WriteStatement {
  const row = { key, value };
  return {
    query: db
      .insertInto('settings')
      .values(row)
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value })),
  };
}
