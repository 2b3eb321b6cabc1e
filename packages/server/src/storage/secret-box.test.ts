import type * as files from 'node:fs/promises';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openSecretBox, readOrCreateSecretsKey, readSecretsKey } from './secret-box.ts';

vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof files>()),
  // As on exFAT.
  link: () => Promise.reject(Object.assign(new Error('EPERM: link'), { code: 'EPERM' })),
}));

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'wcc-secrets-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

it('D21: the first start makes the key of secrets, also where hard links do not exist', async () => {
  expect(await readSecretsKey(dataDir)).toBeNull();
  const key = await readOrCreateSecretsKey(dataDir);
  expect(await readSecretsKey(dataDir)).toEqual(key);
  expect(await readOrCreateSecretsKey(dataDir)).toEqual(key);
  expect(await readdir(dataDir)).toEqual(['secrets.key']);
  expect((await stat(join(dataDir, 'secrets.key'))).mode & 0o777).toBe(0o600);
});

it('a truncated key is replaced', async () => {
  await writeFile(join(dataDir, 'secrets.key'), 'short');
  const key = await readOrCreateSecretsKey(dataDir);
  expect(await readSecretsKey(dataDir)).toEqual(key);
});

it('a secret opens in its context only', async () => {
  const box = await openSecretBox(dataDir);
  const sealed = box.seal('one', { query: 'a=b' });
  expect(box.open('one', sealed)).toEqual({ query: 'a=b' });
  expect(() => box.open('other', sealed)).toThrow('authenticate');
});
