import { execFile } from 'node:child_process';
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConvertImageInput } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { admin, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';
import { toWorkFailure } from '../../operations/failure.ts';
import { between, conversionFailure } from './run.ts';

const run = promisify(execFile);
/** Some tests start qemu-img six times. */
vi.setConfig({ testTimeout: 120_000 });
let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  domain = await startDomain();
});
afterEach(async () => {
  await domain.close();
});

async function convert(
  source: string,
  body: Partial<ConvertImageInput> & { name: string },
): Promise<Snapshot> {
  const { id } = await domain.image(source);
  const whole = { format: 'qcow2' as const, compress: false, ...body };
  return domain.images.convert(admin, { id, body: whole, idempotencyKey: null });
}

async function addRaw(name: string, { data, size }: { data: number; size: number }): Promise<void> {
  await writeRandom(path(name), data);
  const file = await open(path(name), 'r+');
  await file.truncate(size);
  await file.close();
  await domain.rescan();
}

/** qemu-img processes that write into this pool. */
async function converters(): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid,stat,args']);
  const found = stdout.split('\n').filter((line) => /qemu-img convert/.test(line));
  const inodes = await Promise.all(
    found.map(async (line) => {
      const pid = line.trim().split(/\s+/)[0] ?? '';
      const links = await readdir(`/proc/${pid}/fd`).catch(() => []);
      const targets = await Promise.all(
        links.map((fd) =>
          run('readlink', [`/proc/${pid}/fd/${fd}`]).then(
            ({ stdout: to }) => to,
            () => '',
          ),
        ),
      );
      return targets.some((to) => to.startsWith(domain.poolDir)) ? line : null;
    }),
  );
  return inodes.filter((line) => line !== null);
}

describe('convert_image', () => {
  it('converts raw to qcow2 and back to the same bytes, holes included', async () => {
    await addRaw('a.raw', { data: 6 * MiB, size: 64 * MiB });
    const there = await domain.wait((await convert('a.raw', { name: 'b.qcow2' })).id, 'succeeded');
    expect(there).toMatchObject({ action: 'convert_image', label: 'convert_image_100', error: null });
    expect(there.phases.map(({ name, state }) => `${name}:${state}`)).toEqual([
      'inspect:done',
      'convert:done',
      'flush:done',
      'publish:done',
    ]);
    expect(await domain.image('b.qcow2')).toMatchObject({
      format: 'qcow2',
      virtualSizeBytes: 64 * MiB,
      copiedFrom: 100,
      owner: admin.userId,
    });
    await run('qemu-img', ['check', '-f', 'qcow2', path('b.qcow2')]);
    await domain.wait((await convert('b.qcow2', { name: 'c.raw', format: 'raw' })).id, 'succeeded');
    expect(await sha256(path('c.raw'))).toBe(await sha256(path('a.raw')));
    expect((await stat(path('c.raw'))).blocks * 512).toBeLessThan(10 * MiB);
    expect(await domain.litter()).toEqual([]);
    expect(domain.errors).toEqual([]);
  });

  it('compresses a qcow2 image on request', async () => {
    await writeFile(path('text.raw'), 'wcc '.repeat(2 * MiB));
    await domain.rescan();
    await domain.wait((await convert('text.raw', { name: 'z.qcow2', compress: true })).id, 'succeeded');
    expect((await stat(path('z.qcow2'))).size).toBeLessThan(MiB);
    await domain.wait((await convert('z.qcow2', { name: 'back.raw', format: 'raw' })).id, 'succeeded');
    expect(await sha256(path('back.raw'))).toBe(await sha256(path('text.raw')));
  });

  it('pauses and resumes a conversion, and leaves no file after a cancel', async () => {
    await addRaw('a.raw', { data: 200 * MiB, size: 200 * MiB });
    const { id } = await convert('a.raw', { name: 'slow.qcow2', compress: true });
    await expect.poll(async () => (await converters()).length, { timeout: 20_000 }).toBeGreaterThan(0);
    await domain.operations.pause(id, admin);
    await expect
      .poll(async () => (await converters()).every((line) => /^\s*\d+\s+T/.test(line)), { timeout: 20_000 })
      .toBe(true);
    await domain.operations.resume(id, admin);
    await domain.wait(id, 'running');
    await domain.operations.cancel(id, admin);
    await domain.wait(id, 'cancelled');
    expect(await converters()).toEqual([]);
    expect(await domain.litter()).toEqual([]);
    expect(await readdir(domain.poolDir)).not.toContain('slow.qcow2');
  });

  it('restarts a conversion at zero after a stop of the server, and succeeds', async () => {
    await addRaw('a.raw', { data: 100 * MiB, size: 100 * MiB });
    const { id } = await convert('a.raw', { name: 'b.qcow2', compress: true });
    await expect.poll(async () => (await converters()).length, { timeout: 20_000 }).toBeGreaterThan(0);
    await domain.stop();
    expect(await converters()).toEqual([]);
    domain = await startDomain({ home: domain.home });
    await domain.wait(id, 'succeeded');
    await run('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', path('a.raw'), path('b.qcow2')]);
    expect(await domain.litter()).toEqual([]);
  });
});

describe('a refused conversion', () => {
  it('refuses a conversion to the same format, of an ISO, and compression of raw', async () => {
    await addRaw('a.raw', { data: MiB, size: MiB });
    await expect(convert('a.raw', { name: 'b.raw', format: 'raw' })).rejects.toMatchObject({
      field: 'format',
    });
    await expect(convert('a.raw', { name: 'b.raw', format: 'raw', compress: true })).rejects.toMatchObject({
      field: 'compress',
    });
    await expect(convert('a.raw', { name: 'a.raw' })).rejects.toMatchObject({ code: 'exists' });
    const iso = Buffer.alloc(MiB);
    iso.write('\u0001CD001', 0x8000, 'latin1');
    await writeFile(path('x.iso'), iso);
    await domain.rescan();
    await expect(convert('x.iso', { name: 'b.raw' })).rejects.toMatchObject({ code: 'unsupported_format' });
  });

  it('warns that snapshots inside the source are left out', async () => {
    await run('qemu-img', ['create', '-f', 'qcow2', path('s.qcow2'), '1M']);
    await run('qemu-img', ['snapshot', '-c', 'before', path('s.qcow2')]);
    await domain.rescan();
    const { id } = await convert('s.qcow2', { name: 's.raw', format: 'raw' });
    expect((await domain.wait(id, 'succeeded')).warnings).toEqual(['snapshots_left_out']);
  });

  it('refuses a source that now refers to another file', async () => {
    await run('qemu-img', ['create', '-f', 'qcow2', path('q.qcow2'), '1M']);
    await domain.rescan();
    const file = await open(path('q.qcow2'), 'r+');
    const header = await readFile(path('q.qcow2'));
    header.writeBigUInt64BE(512n, 8);
    header.writeUInt32BE(9, 16);
    await file.write(header, 0, 32, 0);
    await file.close();
    await expect(convert('q.qcow2', { name: 'b.raw', format: 'raw' })).rejects.toMatchObject({
      code: 'hostile_image',
      message: /backing file/,
    });
  });

  it('converts a raw disk as raw even if its guest wrote a qcow2 header', async () => {
    await addRaw('guest.raw', { data: MiB, size: 2 * MiB });
    await domain.store.write([{ query: domain.store.db.updateTable('images').set({ fixedFormat: 1 }) }]);
    await run('qemu-img', [
      'create',
      '-f',
      'qcow2',
      '-b',
      '/etc/hostname',
      '-F',
      'raw',
      join(domain.home, 'x'),
    ]);
    const header = await readFile(join(domain.home, 'x'));
    const file = await open(path('guest.raw'), 'r+');
    await file.write(header, 0, header.length, 0);
    await file.close();
    await domain.wait((await convert('guest.raw', { name: 'g.qcow2' })).id, 'succeeded');
    await domain.wait((await convert('g.qcow2', { name: 'g.raw', format: 'raw' })).id, 'succeeded');
    expect(await sha256(path('g.raw'))).toBe(await sha256(path('guest.raw')));
  });
});

it.each([
  ['No space left on device', 'no_space'],
  ['Stale file handle', 'io_error'],
  ['Input/output error', 'io_error'],
  ['Read-only file system', 'read_only'],
  ['Too many open files', 'resources'],
])('D5: qemu-img that fails with "%s" pauses its conversion: %s', (text, code) => {
  const error = conversionFailure(`qemu-img: error while writing: ${text}`, 'code 1');
  expect(toWorkFailure(error)).toMatchObject({ code: 'paused', error: { code } });
});

it('the progress is finer than the steps that qemu-img reports, but stays within the current step', () => {
  const at = (read: number, percent: number): number => between(read, { percent, dataBytes: 1000_000 });
  expect(at(0, 0)).toBe(0);
  expect(at(4_000, 0)).toBe(4_000);
  expect(at(900_000, 10)).toBe(115_000);
  expect(at(100, 50)).toBe(500_000);
  expect(at(2_000_000, 100)).toBe(1_000_000);
});
