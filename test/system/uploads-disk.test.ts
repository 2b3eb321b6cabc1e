import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeWorkspace } from '../kit/directories.ts';
import { MiB } from '../kit/images.ts';
import { loopMountSkipReason, fillDisk, withLoopFileSystem } from '../kit/loop-mount.ts';
import { waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import { createTusClient, computeDigest, uploadId } from '../kit/tus.ts';
import type { TusClient } from '../kit/tus.ts';

/** Uploads on a full disk, over a power cut, and the order of writes, syncs and answers. */
const run = promisify(execFile);
const args = ['--free-space-floor', '0'];
const offsetOf = async (client: TusClient, path: string): Promise<number> =>
  (await client.head(path)).offset ?? -1;

describe.skipIf(loopMountSkipReason() !== null)('an upload', () => {
  it('pauses on a full disk and resumes when space is free', async () => {
    expect.hasAssertions();
    await withLoopFileSystem('ext4', 192 * MiB, async (mountPoint) => {
      const small = await startServer({ poolDir: join(mountPoint, 'pool'), args });
      try {
        const client = createTusClient(small.baseUrl, { authorization: `Bearer ${small.token}` });
        const bytes = randomBytes(64 * MiB);
        const path = await client.create('full.raw', bytes.length, {
          sha256: computeDigest(bytes).toString('hex'),
        });
        await client.patch(path, 0, bytes.subarray(0, 8 * MiB));
        const junk = join(mountPoint, 'junk');
        fillDisk(junk, 8 * MiB);
        expect(await client.patch(path, 8 * MiB, bytes.subarray(8 * MiB))).toMatchObject({
          status: 507,
          code: 'no_space',
        });
        await waitForState(small, uploadId(path), { states: ['paused'] });
        rmSync(junk);
        await waitForState(small, uploadId(path), { states: ['running', 'interrupted'] });
        const at = await offsetOf(client, path);
        expect(at).toBeGreaterThanOrEqual(8 * MiB);
        expect(await client.patch(path, at, bytes.subarray(at))).toMatchObject({ status: 204 });
        expect(readFileSync(join(small.poolDir, 'full.raw')).equals(bytes)).toBe(true);
      } finally {
        await small.close();
      }
    });
  });

  it('keeps every acknowledged byte through a power cut at the moment of the answer', async () => {
    expect.hasAssertions();
    const workspace = makeWorkspace('power-cut');
    try {
      await withLoopFileSystem('ext4', 192 * MiB, async (mountPoint) => {
        const small = await startServer({ poolDir: join(mountPoint, 'pool'), args });
        try {
          const client = createTusClient(small.baseUrl, { authorization: `Bearer ${small.token}` });
          const bytes = randomBytes(24 * MiB);
          const [part, whole] = [
            await client.create('part.raw', bytes.length),
            await client.create('whole.raw', MiB),
          ];
          const disk = join(mountPoint, '..', 'disk');
          expect((await client.patch(part, 0, bytes.subarray(0, 16 * MiB))).offset).toBe(16 * MiB);
          copyFileSync(disk, join(workspace.path, 'after-part'));
          expect((await client.patch(whole, 0, bytes.subarray(0, MiB))).status).toBe(204);
          copyFileSync(disk, join(workspace.path, 'after-whole'));
          await withMounted(join(workspace.path, 'after-part'), (mounted) => {
            const pool = join(mounted, 'pool');
            const sidecar = JSON.parse(readFileSync(join(pool, `.wcc-${uploadId(part)}.json`), 'utf8')) as {
              offset: string;
            };
            expect(sidecar.offset).toBe(String(16 * MiB));
            const partial = readFileSync(join(pool, `.wcc-${uploadId(part)}.partial`));
            expect(partial.subarray(0, 16 * MiB).equals(bytes.subarray(0, 16 * MiB))).toBe(true);
          });
          await withMounted(join(workspace.path, 'after-whole'), (mounted) => {
            expect(readFileSync(join(mounted, 'pool/whole.raw')).equals(bytes.subarray(0, MiB))).toBe(true);
          });
        } finally {
          await small.close();
        }
      });
    } finally {
      workspace.remove();
    }
  });
});

/** A copy of the disk, taken while in use. Mounting the copy replays the journal. */
async function withMounted(disk: string, use: (mountPoint: string) => void): Promise<void> {
  const workspace = makeWorkspace('mounted');
  await run('mount', ['-o', 'loop', disk, workspace.path]);
  try {
    use(workspace.path);
  } finally {
    await run('umount', [workspace.path]);
    workspace.remove();
  }
}

it('an answer never reports an offset before the bytes below it are synced', async () => {
  const traced = await startServer({ args });
  const workspace = makeWorkspace('strace');
  const output = join(workspace.path, 'trace');
  const calls = 'trace=fdatasync,fsync,rename,renameat2,writev,write,sendto';
  const tracer = spawn(
    'strace',
    ['-f', '-y', '-s', '4000', '-o', output, '-e', calls, '-p', String(traced.pid)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  try {
    tracer.stderr.setEncoding('utf8');
    let said = '';
    tracer.stderr.on('data', (text: string) => void (said += text));
    await until(() => said.includes('attached'), { what: 'strace to attach' });
    const client = createTusClient(traced.baseUrl, { authorization: `Bearer ${traced.token}` });
    const path = await client.create('traced.raw', 4 * MiB);
    expect((await client.patch(path, 0, randomBytes(MiB))).status).toBe(204);
    expect((await client.patch(path, MiB, randomBytes(MiB))).status).toBe(204);
    const lines = await until(
      () => {
        const all = readFileSync(output, 'utf8').split('\n');
        return all.filter((line) => line.includes(`upload-offset: ${2 * MiB}`)).length > 0 ? all : null;
      },
      { what: 'the trace to contain the second answer' },
    );
    for (const offset of [MiB, 2 * MiB]) expectOrder(lines, uploadId(path), offset);
  } finally {
    tracer.kill('SIGINT');
    await once(tracer, 'exit');
    await traced.close();
    workspace.remove();
  }
});

/** Each step follows the end of the previous one: write, sync, sidecar rename, directory sync, answer. */
function expectOrder(lines: readonly string[], id: string, offset: number): void {
  const answered = lines.findIndex((line) => line.includes(`upload-offset: ${offset}`));
  const before = lines.slice(0, answered);
  const last = (what: string, file: string): number =>
    before.findLastIndex((line) => line.includes(what) && line.includes(file));
  const written = Math.max(last('writev(', `.wcc-${id}.partial`), last('pwritev(', `.wcc-${id}.partial`));
  const synced = last('fdatasync(', `.wcc-${id}.partial`);
  const renamed = last('rename', `.wcc-${id}.json.tmp`);
  const directory = before.findLastIndex((line) => /fsync\(\d+<[^>]*\/pool>/.test(line));
  expect(answered).toBeGreaterThan(0);
  expect([synced > written, renamed > synced, directory > renamed]).toEqual([true, true, true]);
}
