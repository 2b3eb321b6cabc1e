import { randomUUID } from 'node:crypto';

/** A request that is sent again by accident, by a proxy say, starts nothing twice. */
export function newKey(): string {
  return randomUUID();
}
