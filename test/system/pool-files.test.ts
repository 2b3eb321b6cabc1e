import { execFileSync } from 'node:child_process';
import {
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Operation } from '@wcc/api';
import { makeRandomImage, MiB } from '../kit/images.ts';
import {
  currentPhase,
  findImage,
  expectNoOrphans,
  hasEnded,
  registerImage,
  waitForState,
} from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

let server: TestServer;
const inPool = (name: string): string => join(server.poolDir, name);

beforeAll(async () => {
  server = await startServer({ args: ['--max-copies-per-pool', '8'] });
  await makeRandomImage(inPool('source.raw'), 64 * MiB);
});
afterAll(() => server.close());

/** Starts a slow copy and resolves while it runs. */
async function copyInTheMiddle(from: string, to: string): Promise<Operation> {
  const image = await registerImage(server, from);
  const { operation } = await server.api.copyImage(image.id, {
    name: to,
    method: 'copy',
    bytesPerSecond: 16 * MiB,
  });
  await until(async () => (currentPhase(await server.api.operation(operation.id))?.done ?? 0) > 4 * MiB, {
    what: `the copy of ${from} to write data`,
  });
  return operation;
}

async function waitForEnd(id: string): Promise<Operation> {
  return until(
    async () => {
      const operation = await server.api.operation(id);
      return hasEnded(operation) ? operation : null;
    },
    { what: `${id} to end`, timeoutMs: 60_000 },
  );
}

/** Expects that the name is free and no hidden file of this operation exists. */
async function expectNothingHalfMade(target: string): Promise<void> {
  expect(await findImage(server, target)).toBeUndefined();
  await expectNoOrphans(server.poolDir);
}

it('the scan refuses symlink, FIFO, device, hard link and directory by name without hanging', async () => {
  symlinkSync('/etc/shadow', inPool('link.raw'));
  execFileSync('mkfifo', [inPool('pipe.raw')]);
  writeFileSync(inPool('first-name.raw'), Buffer.alloc(8192, 7));
  linkSync(inPool('first-name.raw'), inPool('second-name.raw'));
  const kinds: Record<string, string> = {
    'link.raw': 'symlink',
    'pipe.raw': 'fifo',
    'first-name.raw': 'hard_link',
    'second-name.raw': 'hard_link',
  };
  if (process.getuid?.() === 0) {
    execFileSync('mknod', [inPool('device.raw'), 'c', '1', '5']);
    kinds['device.raw'] = 'device';
  } else console.log('Without a device node: making one needs root.');
  const found: Record<string, string | null> = {};
  for (const name of Object.keys(kinds)) {
    const image = await registerImage(server, name);
    expect(image, `the image of ${name}`).toMatchObject({ state: 'refused', format: null });
    found[name] = image.stateReason;
    const refusal = server.api.copyImage(image.id, { name: `copy-of-${name}` });
    await expect(refusal, `a copy of ${name}`).rejects.toMatchObject({
      status: 409,
      code: expect.stringMatching(/^(not_regular|image_unavailable)$/) as string,
    });
  }
  expect(found).toEqual(kinds);
  // Four blocking opens of FIFOs would block all of Node's file threads, and this request needs one.
  expect((await registerImage(server, 'source.raw')).state).toBe('ready');
});

it('wcc does not follow a registered file that becomes a symlink', async () => {
  await makeRandomImage(inPool('turns.raw'), MiB);
  const image = await registerImage(server, 'turns.raw');
  rmSync(inPool('turns.raw'));
  symlinkSync('/etc/hostname', inPool('turns.raw'));
  const attempt = server.api.copyImage(image.id, { name: 'turned.raw' });
  const code = await attempt.then(
    async ({ operation }) => (await waitForEnd(operation.id)).error?.code,
    (error: { code: string }) => error.code,
  );
  expect(['not_regular', 'image_unavailable', 'source_changed']).toContain(code);
  expect(() => readFileSync(inPool('turned.raw'))).toThrow('ENOENT');
});

it('a copy never overwrites a file that appears under its final name', async () => {
  const operation = await copyInTheMiddle('source.raw', 'by-hand.raw');
  writeFileSync(inPool('by-hand.raw'), 'mine');
  const end = await waitForEnd(operation.id);
  expect(end).toMatchObject({
    state: 'failed',
    error: { code: 'exists', hint: expect.any(String) as string },
  });
  expect(readFileSync(inPool('by-hand.raw'), 'utf8')).toBe('mine');
  rmSync(inPool('by-hand.raw'));
  await server.api.rescan((await server.api.pools()).items[0]!.id);
  await expectNoOrphans(server.poolDir);
});

it('a copy fails and publishes nothing when its source changes', async () => {
  await makeRandomImage(inPool('changes.raw'), 64 * MiB);
  const operation = await copyInTheMiddle('changes.raw', 'changed.raw');
  truncateSync(inPool('changes.raw'), 65 * MiB);
  const end = await waitForEnd(operation.id);
  expect(end.error).toMatchObject({ code: 'source_changed', message: expect.any(String) as string });
  expect(end.state).toBe('failed');
  await expectNothingHalfMade('changed.raw');
});

it('a copy of a removed source is refused, and the error names the source', async () => {
  await makeRandomImage(inPool('goes.raw'), MiB);
  const image = await registerImage(server, 'goes.raw');
  renameSync(inPool('goes.raw'), join(server.poolDir, '..', 'gone.raw'));
  const attempt = server.api.copyImage(image.id, { name: 'never.raw' });
  await expect(attempt).rejects.toMatchObject({
    status: 409,
    code: expect.stringMatching(/^(source_vanished|image_unavailable)$/) as string,
    hint: expect.stringMatching(/\w/) as string,
  });
  await expectNothingHalfMade('never.raw');
});

it('a queued copy fails with source_vanished when its source disappears', async () => {
  await makeRandomImage(inPool('vanishes.raw'), 64 * MiB);
  const operation = await copyInTheMiddle('vanishes.raw', 'vanished.raw');
  await server.api.pause(operation.id);
  await waitForState(server, operation.id, { states: ['paused'] });
  await server.kill();
  rmSync(inPool('vanishes.raw'));
  await server.start();
  await server.api.resume(operation.id);
  const end = await waitForEnd(operation.id);
  expect(end).toMatchObject({ state: 'failed', error: { code: 'source_vanished' } });
  await expectNothingHalfMade('vanished.raw');
});
