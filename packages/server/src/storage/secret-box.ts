import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { renameExclusively, syncDirectory } from '@wcc/copy/receive';
import { ignoreMissing } from '../files/errors.ts';

const keyBytes = 32;
const keyFileName = 'secrets.key';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts secret inputs of operations, so that a copy of the database (a backup) does not reveal them. The key is
 * in a file beside the database, readable by the server's user only.
 */
export interface SecretBox {
  /** @param context names the owner of the secret; decryption needs the same context */
  seal(context: string, secret: unknown): string;
  open(context: string, sealed: string): unknown;
}

/** Reads the key; the first start creates it. */
export async function openSecretBox(dataDir: string): Promise<SecretBox> {
  const key = await readOrCreateSecretsKey(dataDir);
  return {
    seal(context, secret) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      const text = Buffer.concat([cipher.update(JSON.stringify(secret), 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
    },
    open(context, sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      const textAt = nonceBytes + tagBytes;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(nonceBytes, textAt));
      const text = Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]);
      return JSON.parse(text.toString('utf8'));
    },
  };
}

/** Reads the key of an existing installation; null if it is missing or damaged. */
export async function readSecretsKey(dataDir: string): Promise<Buffer | null> {
  const key = await readFile(join(dataDir, keyFileName)).catch(ignoreMissing);
  return key?.length === keyBytes ? key : null;
}

/** Reads the key; creates it if it is missing. */
export async function readOrCreateSecretsKey(dataDir: string): Promise<Buffer> {
  const path = join(dataDir, keyFileName);
  const existing = await readFile(path).catch(ignoreMissing);
  if (existing?.length === keyBytes) return existing;
  // Written completely before it gets its name, so that a crash leaves no truncated key.
  const temporary = `${path}.tmp`;
  await unlink(temporary).catch(ignoreMissing);
  const file = await open(temporary, 'wx', 0o600);
  const made = randomBytes(keyBytes);
  try {
    await file.write(made);
    await file.sync();
  } finally {
    await file.close();
  }
  if (existing !== undefined) await unlink(path);
  renameExclusively(temporary, path);
  await syncDirectory(dataDir);
  return made;
}
