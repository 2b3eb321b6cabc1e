import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { copyImageRequest } from '@wcc/api';
import { admin, startDomain } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
afterEach(() => domain.close());

it('F22: a scan remarks what is odd about a file, until the file changes, and a copy keeps the remarks', async () => {
  domain = await startDomain();
  const put = (name: string, content: Buffer | string): Promise<void> =>
    writeFile(join(domain.poolDir, name), content);
  await put('notes.raw', 'a list of things to buy\n'.repeat(100));
  await put('tiny.raw', Buffer.alloc(100, 7));
  await put('none.iso', Buffer.alloc(4096, 7));
  await put('disk.raw', Buffer.alloc(4096, 7));
  await domain.rescan();
  const remarks = async (name: string): Promise<readonly string[]> => (await domain.image(name)).remarks;
  expect(await remarks('notes.raw')).toEqual(['content_is_text']);
  expect(await remarks('tiny.raw')).toEqual(['content_is_tiny']);
  expect(await remarks('none.iso')).toEqual(['content_is_no_disc']);
  expect(await remarks('disk.raw')).toEqual([]);

  const { id } = await domain.image('notes.raw');
  const body = copyImageRequest.parse({ name: 'copy.raw' });
  const copying = await domain.images.copy(admin, { id, body, idempotencyKey: null });
  await domain.wait(copying.id, 'succeeded');
  expect(await remarks('copy.raw')).toEqual(['content_is_text']);

  await put('notes.raw', Buffer.alloc(4096, 7));
  await put('disk.raw', 'a list of things to buy\n'.repeat(200));
  await domain.rescan();
  expect(await remarks('notes.raw')).toEqual([]);
  expect(await remarks('disk.raw')).toEqual(['content_is_text']);
  await put('disk.raw', '<!doctype html><title>x</title>');
  await domain.rescan();
  expect(await domain.image('disk.raw')).toMatchObject({ state: 'refused', remarks: [] });
});
