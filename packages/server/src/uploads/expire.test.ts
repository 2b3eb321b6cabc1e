import { request } from 'node:http';
import { utimes } from 'node:fs/promises';
import { sidecarPath } from '@wcc/copy/receive';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dayMs, patchHeaders, ulla, UploadsUnderTest } from './uploads.testkit.ts';

let test: UploadsUnderTest;
beforeEach(async () => {
  test = await UploadsUnderTest.start({ quota: { bytes: 1000 } });
});
afterEach(() => test.close());

it('an upload without new bytes expires after seven days, at the announced time, and leaves no files', async () => {
  const startedAt = Date.now();
  const { id, expires } = await test.create('first.raw', 600);
  const expiresAt = (await test.listed(id)) ?? 0;
  // The header has whole seconds only.
  expect(expiresAt - expires).toBeGreaterThan(-1000);
  expect(expiresAt).toBeGreaterThanOrEqual(startedAt + 7 * dayMs - 1000);
  await expect(test.create('second.raw', 401)).rejects.toThrow(/Needs 401 B; 600 B of 1000 B are used/);
  await test.create('second.raw', 400);
  // Each user has a separate quota, and ended uploads do not count.
  await test.create('other.raw', 1000, 'otto');
  await expect(test.create('empty.raw', 0)).rejects.toThrow(/The file is empty/);
  await test.domain.wait(id, 'interrupted');
  await test.pass(7 * dayMs - 60_000);
  expect((await test.listed(id)) ?? 0).toBeLessThan(Date.now() + test.aheadMs + 60_000);
  await test.pass(61_000);
  expect(await test.listed(id)).toBeNull();
  expect((await test.domain.wait(id, 'failed')).error).toMatchObject({
    code: 'upload_gone',
    message: expect.stringContaining('expired') as string,
  });
  const late = await test.patch(id, 'x');
  expect(late.status).toBe(410);
  // The name and the quota are free again.
  await test.create('first.raw', 600);
});

it('new bytes restart the expiry time, and a running request does not expire', async () => {
  const { id, expires } = await test.create('used.raw', 100);
  const sending = request(test.address(`/${id}`), {
    method: 'PATCH',
    headers: { ...patchHeaders, 'content-length': 100 },
  });
  sending.on('error', () => {});
  sending.write('x'.repeat(50));
  // Wait until the bytes are durable: bytes in flight on a broken connection may be lost.
  await expect.poll(async () => (await test.uploads.get(ulla, id)).offsetBytes).toBe(50);
  expect(await test.domain.operations.snapshot(id)).toMatchObject({ state: 'running' });
  await test.pass(8 * dayMs);
  expect(await test.listed(id)).not.toBeNull();
  const closed = new Promise((resolve) => sending.once('close', resolve));
  sending.destroy();
  await closed;
  await test.domain.wait(id, 'interrupted');
  expect((await test.uploads.get(ulla, id)).offsetBytes).toBe(50);
  expect(await test.listed(id)).toBeGreaterThanOrEqual(expires);
});

describe('D12: a wrong clock and an upload that cannot receive bytes', () => {
  it('D12: a clock that jumps 400 days ahead or to 1970 expires no upload', async () => {
    const { id } = await test.create('kept.raw', 100);
    await test.domain.wait(id, 'interrupted');
    for (const wrongMs of [400 * dayMs, -Date.now()]) {
      test.aheadMs = wrongMs;
      await test.uploads.expire();
      expect(await test.listed(id)).not.toBeNull();
      test.aheadMs = 0;
      await test.uploads.expire();
      expect(await test.listed(id)).not.toBeNull();
    }
    await test.pass(7 * dayMs + 1000);
    expect(await test.listed(id)).toBeNull();
  });

  it('D12: a sidecar that is dated 1970 does not expire when the clock is right', async () => {
    const { id } = await test.create('dated.raw', 100);
    await test.domain.wait(id, 'interrupted');
    await utimes(sidecarPath(test.domain.poolDir, id), 0, 0);
    await test.uploads.expire();
    expect(await test.listed(id)).toBeGreaterThan(Date.now() + 6 * dayMs);
  });

  it('D12: a paused upload does not expire, and its time starts again when it is resumed', async () => {
    const { id } = await test.create('paused.raw', 100);
    await test.domain.wait(id, 'interrupted');
    await test.pass(6 * dayMs);
    await test.patch(id, 'x');
    await test.domain.operations.pause(id, ulla);
    await test.pass(30 * dayMs);
    expect(await test.domain.operations.snapshot(id)).toMatchObject({ state: 'paused' });
    await test.domain.operations.resume(id, ulla);
    await test.domain.wait(id, 'interrupted');
    await test.pass(6 * dayMs);
    expect(await test.listed(id)).not.toBeNull();
    await test.pass(2 * dayMs);
    expect(await test.listed(id)).toBeNull();
  });

  it('D12: the idle time continues after a restart, and the time without a server does not count', async () => {
    const { id } = await test.create('restarted.raw', 100);
    await test.domain.wait(id, 'interrupted');
    await test.pass(4 * dayMs);
    await test.restart();
    test.domain.retention.aheadMs = 4 * dayMs;
    test.aheadMs = 200 * dayMs;
    await test.uploads.expire();
    expect(await test.listed(id)).not.toBeNull();
    await test.pass(4 * dayMs);
    expect(await test.listed(id)).toBeNull();
  });
});
