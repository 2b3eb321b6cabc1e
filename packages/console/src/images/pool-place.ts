import type { Pool } from '@wcc/api';

/** Where a pool is: its path for administrators, its name for others. */
export function poolPlace({ path, name }: Pool): string {
  return path ?? name;
}
