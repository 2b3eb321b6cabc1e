import { randomUUID } from 'node:crypto';

/** A key for one request, so that a repeated request (e.g. by a proxy) starts nothing twice. */
export function createIdempotencyKey(): string {
  return randomUUID();
}
