import { ApiError } from '@wcc/api';
import type { FastifyRequest } from 'fastify';

/** The `Idempotency-Key` header: 1 to 255 printable characters; null when there is none. */
export function idempotencyKeyOf(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = 'An Idempotency-Key has 1 to 255 printable characters.';
  throw new ApiError('malformed_request', { field: 'Idempotency-Key', message });
}
