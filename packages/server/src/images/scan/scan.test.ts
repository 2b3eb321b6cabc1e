import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import {
  link,
  mkdir,
  open,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, startDomain } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';
import { readContent, statEntry } from './stat-entry.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  domain = await startDomain();
});
afterEach(async () => {
  await domain.close();
});

async function states(): Promise<Record<string, string>> {
  const { items } = await domain.images.list(admin, { limit: 200 });
  return Object.fromEntries(items.map(({ name, state, stateReason }) => [name, stateReason ?? state]));
}

describe('a requested rescan', () => {
  it('a rescan registers new files by content, not by name', async () => {
    await writeFile(path('a.iso'), 'no ISO at all');
    const iso = Buffer.alloc(40_000);
    iso.write('CD001', 0x8001);
    await writeFile(path('b.raw'), iso);
    expect(await domain.rescan()).toMatchObject({ added: 2, refused: 0 });
    expect(await domain.image('a.iso')).toMatchObject({
      format: 'raw',
      virtualSizeBytes: 13,
      state: 'ready',
    });
    expect(await domain.image('b.raw')).toMatchObject({
      format: 'iso',
      virtualSizeBytes: 40_000,
      owner: null,
    });
    expect((await domain.image('a.iso')).id).toBeGreaterThanOrEqual(100);
  });

  it('a rescan reports refused files, and never blocks', async () => {
    await symlink('/etc/shadow', path('symlink'));
    await symlink('/nonexistent', path('dangling'));
    execFileSync('mkfifo', [path('pipe')]);
    await mkdir(path('directory'));
    await mkdir(path('lost+found'));
    await writeFile(path('one'), 'x');
    await link(path('one'), path('two'));
    await writeFile(path('.hidden'), 'x');
    await writeFile(path('line\nbreak'), 'x');
    await writeFile(Buffer.concat([Buffer.from(`${domain.poolDir}/not-`), Buffer.from([0xff])]), 'x');
    const socket = createServer().listen(path('socket'));
    await new Promise((resolve) => socket.once('listening', resolve));
    const startedAt = performance.now();
    const result = await domain.rescan();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await states()).toEqual({
      symlink: 'symlink',
      dangling: 'symlink',
      pipe: 'fifo',
      directory: 'directory',
      one: 'hard_link',
      two: 'hard_link',
      'line\nbreak': 'invalid_name',
      'not-\u{fffd}ff': 'invalid_name',
      socket: 'socket',
    });
    expect(result).toEqual({ added: 0, missing: 0, returned: 0, refused: 9, skipped: [] });
    await new Promise((resolve) => socket.close(resolve));
  });

  it.skipIf(process.getuid?.() !== 0)('a rescan refuses a device (needs root: mknod)', async () => {
    execFileSync('mknod', [path('device'), 'c', '1', '5']);
    await domain.rescan();
    expect(await states()).toEqual({ device: 'device' });
  });

  it('a rescan reports a file that is open for writing, and registers it afterwards', async () => {
    const writer = await open(path('growing'), 'w');
    await writer.write('x');
    expect(await domain.rescan()).toMatchObject({ added: 0, skipped: [{ name: 'growing', reason: 'busy' }] });
    await writer.close();
    expect(await domain.rescan()).toMatchObject({ added: 1, skipped: [] });
  });
});

describe('a registered image', () => {
  it('an image keeps its id and format when its file disappears and returns', async () => {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path('a'), '1M']);
    await domain.rescan();
    const before = await domain.image('a');
    await rename(path('a'), path('.aside'));
    expect(await domain.rescan()).toMatchObject({ missing: 1 });
    expect((await domain.image('a')).state).toBe('missing');
    await rename(path('.aside'), path('a'));
    expect(await domain.rescan()).toMatchObject({ returned: 1, added: 0 });
    expect(await domain.image('a')).toEqual(before);
  });

  it('F1: a raw disk that a guest may write keeps its format; only its sizes follow', async () => {
    await writeFile(path('disk'), Buffer.alloc(8_192));
    await domain.rescan();
    await domain.store.write([{ query: domain.store.db.updateTable('images').set({ fixedFormat: 1 }) }]);
    const guest = await open(path('disk'), 'r+');
    await guest.write(Buffer.from('QFI\u{fb}', 'latin1'), 0, 4, 0);
    await guest.truncate(65_536);
    await guest.close();
    await domain.rescan();
    expect(await domain.image('disk')).toMatchObject({
      format: 'raw',
      virtualSizeBytes: 65_536,
      state: 'ready',
    });
  });

  it('F1: a file that is changed in place is judged again', async () => {
    const qemuImg = (...args: string[]): void => void execFileSync('qemu-img', args);
    qemuImg('create', '-q', '-f', 'qcow2', path('grown'), '8M');
    qemuImg('create', '-q', '-f', 'qcow2', path('hostile'), '8M');
    await writeFile(path('over'), Buffer.alloc(8_192));
    await writeFile(path('emptied'), Buffer.alloc(8_192));
    await domain.rescan();
    qemuImg('resize', '-q', path('grown'), '20M');
    await expect(
      domain.images.copy(admin, {
        id: (await domain.image('grown')).id,
        body: { name: 'copy', method: 'auto', bytesPerSecond: null, verify: false },
        idempotencyKey: null,
      }),
    ).rejects.toMatchObject({ code: 'image_unavailable', message: /changed since/ });
    const { ino } = await stat(path('over'));
    await writeFile(path('over'), await readFile(path('grown')));
    expect((await stat(path('over'))).ino).toBe(ino);
    qemuImg('rebase', '-u', '-b', '/etc/hostname', '-F', 'raw', path('hostile'));
    await truncate(path('emptied'), 0);
    await domain.rescan();
    expect(await domain.image('grown')).toMatchObject({ virtualSizeBytes: 20 * 1024 ** 2, state: 'ready' });
    expect(await domain.image('over')).toMatchObject({ format: 'qcow2', virtualSizeBytes: 20 * 1024 ** 2 });
    expect(await domain.image('hostile')).toMatchObject({ state: 'refused', stateReason: 'backing_file' });
    expect(await domain.image('emptied')).toMatchObject({ state: 'refused', stateReason: 'empty' });
    await domain.rescan();
    expect(await domain.image('hostile')).toMatchObject({ state: 'refused', stateReason: 'backing_file' });
  });

  it('a raw disk of a guest is ready again once its second name is removed', async () => {
    await writeFile(path('disk'), Buffer.alloc(8_192));
    await domain.rescan();
    await domain.store.write([{ query: domain.store.db.updateTable('images').set({ fixedFormat: 1 }) }]);
    await link(path('disk'), path('.second'));
    await domain.rescan();
    expect(await states()).toEqual({ disk: 'hard_link' });
    await unlink(path('.second'));
    await domain.rescan();
    expect(await states()).toEqual({ disk: 'ready' });
  });

  it('a file that could not be read, or had a second name, is judged again without a change of its content', async () => {
    for (const name of ['image', 'never']) await writeFile(path(name), Buffer.alloc(8_192));
    await link(path('never'), path('.second'));
    await domain.rescan();
    const failed = { state: 'refused', stateReason: 'unreadable' } as const;
    const rows = domain.store.db.updateTable('images').set(failed);
    await domain.store.write([{ query: rows.where('name', '=', 'image') }]);
    expect(await states()).toEqual({ image: 'unreadable', never: 'hard_link' });
    await unlink(path('.second'));
    await domain.rescan();
    expect(await states()).toEqual({ image: 'ready', never: 'ready' });
  });

  it('a file that changes while it is judged is busy', async () => {
    await writeFile(path('log'), '<html>');
    const options = {
      get name(): string {
        appendFileSync(path('log'), 'more');
        return 'log';
      },
    };
    expect(await readContent(path('log'), options)).toBe('busy');
    expect(await readContent(path('log'), {})).toMatchObject({ refused: 'web_page' });
  });

  it('another file with the name of an image is recognised by its content', async () => {
    await writeFile(path('disk'), Buffer.alloc(8_192));
    await domain.rescan();
    const iso = Buffer.alloc(40_000);
    iso.write('CD001', 0x8001);
    await writeFile(path('.new'), iso);
    await rename(path('.new'), path('disk'));
    await domain.rescan();
    expect(await domain.image('disk')).toMatchObject({ format: 'iso', virtualSizeBytes: 40_000 });
  });

  it('an image with a hard link is refused, and is ready again once the link is removed', async () => {
    await writeFile(path('disk'), 'x');
    await domain.rescan();
    const before = await domain.image('disk');
    await link(path('disk'), path('.second'));
    await domain.rescan();
    expect(await domain.image('disk')).toMatchObject({ state: 'refused', stateReason: 'hard_link' });
    await unlink(path('.second'));
    await domain.rescan();
    expect(await domain.image('disk')).toEqual(before);
  });

  it('a refused file that was never an image leaves no record', async () => {
    await symlink('/etc/passwd', path('link'));
    await domain.rescan();
    await unlink(path('link'));
    expect(await domain.rescan()).toMatchObject({ missing: 0 });
    expect(await states()).toEqual({});
  });

  it('no image is missing while its pool is unavailable', async () => {
    await writeFile(path('disk'), 'x');
    await domain.rescan();
    await rename(domain.poolDir, `${domain.poolDir}.away`);
    await mkdir(domain.poolDir);
    await expect(domain.rescan()).rejects.toMatchObject({
      code: 'pool_unavailable',
      reason: 'marker_missing',
    });
    expect(await states()).toEqual({ disk: 'ready' });
    expect(await domain.images.pools(admin)).toMatchObject({
      items: [{ state: 'unavailable', stateReason: { code: 'marker_missing' } }],
    });
    await rename(domain.poolDir, `${domain.poolDir}.empty`);
    await rename(`${domain.poolDir}.away`, domain.poolDir);
    expect(await domain.rescan()).toMatchObject({ added: 0, missing: 0 });
    expect(await domain.images.pools(admin)).toMatchObject({ items: [{ state: 'ready' }] });
  });
});

it('D16: a new file that is dated in the future is registered automatically', async () => {
  await domain.close();
  domain = await startDomain({ pollMs: 100 });
  await writeFile(path('future'), 'x');
  const inAYear = new Date(Date.now() + 365 * 86_400_000);
  await utimes(path('future'), inAYear, inAYear);
  await expect.poll(states, { timeout: 12_000 }).toEqual({ future: 'ready' });
});

it.each([-400, 400])(
  'D16: a file that is %i days away from the clock has not changed lately',
  async (days) => {
    await writeFile(path('skewed'), 'x');
    const nowMs = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(nowMs + days * 86_400_000);
    const entry = await statEntry(path('skewed'), 'skewed');
    clock.mockRestore();
    expect(entry?.stableForMs).toBeGreaterThan(399 * 86_400_000);
  },
);

it('a new file is registered automatically once it is unchanged for 5 s', async () => {
  await domain.close();
  domain = await startDomain({ pollMs: 100 });
  await writeFile(path('fresh'), 'x');
  await writeFile(path('old'), 'x');
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(path('old'), longAgo, longAgo);
  await new Promise((resolve) => setTimeout(resolve, 400));
  // The attributes of `old` have just changed too, so both files wait.
  expect(await states()).toEqual({});
  await expect.poll(states, { timeout: 20_000 }).toEqual({ fresh: 'ready', old: 'ready' });
});
