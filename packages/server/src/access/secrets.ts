import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits, 43 characters of base64url. */
export function createSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Ids of users and tokens: 128 random bits in base64url. Ids are not secret. */
export function createId(): string {
  return randomBytes(16).toString('base64url');
}

/** The stored form of a secret. A fast hash is enough for 256 random bits. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares in constant time, also for different lengths. */
export function equalsSecret(offered: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(offered), 'hex'), Buffer.from(hash, 'hex'));
}
