import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFile,
  mkdtemp,
  open,
  readFile,
  rm,
  stat,
  mkdir,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectForeign } from './inspect.ts';
import type { InspectOptions, Inspected } from './inspect.ts';

const run = promisify(execFile);
const MiB = 1024 ** 2;
let home: string;
const path = (name: string): string => join(home, name);
const qemuImg = async (...args: string[]): Promise<void> => void (await run('qemu-img', args));

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-foreign-'));
  await writeFile(path('secret'), 'a secret of this host'.padEnd(64 * 1024, '.'));
  await writeFile(path('disk.raw'), randomBytes(4 * MiB));
  await qemuImg('convert', '-f', 'raw', '-O', 'qcow2', path('disk.raw'), path('good.qcow2'));
});
afterAll(async () => {
  await rm(home, { recursive: true });
});

const inspect = (name: string, options: InspectOptions = {}): Promise<Inspected> =>
  inspectForeign(path(name), { ...options, name });

/** The refusal; throws if the file is accepted. */
async function refusalOf(
  name: string,
  options: InspectOptions = {},
): Promise<{ code: string; message: string; hint: string }> {
  const found: unknown = await inspect(name, options).catch((error: unknown) => error);
  expect(found).toBeInstanceOf(Error);
  return found as Error & { code: string; hint: string };
}

async function patch(name: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path(name), 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

/** An ISO up to its first volume descriptor. */
async function writeIso(name: string, { volumeBytes }: { volumeBytes: number }): Promise<void> {
  const bytes = Buffer.alloc(1 * MiB);
  bytes.write('\u0001CD001\u0001', 0x8000, 'latin1');
  bytes.writeUInt32LE(volumeBytes / 2048, 0x8000 + 80);
  bytes.writeUInt16LE(2048, 0x8000 + 128);
  await writeFile(path(name), bytes);
}

describe('accepted files', () => {
  it('accepts qcow2 of both versions, compressed or not', async () => {
    await qemuImg(
      'convert',
      '-f',
      'raw',
      '-O',
      'qcow2',
      '-o',
      'compat=0.10',
      path('disk.raw'),
      path('old.qcow2'),
    );
    await qemuImg('convert', '-c', '-f', 'raw', '-O', 'qcow2', path('disk.raw'), path('small.qcow2'));
    await qemuImg(
      'create',
      '-f',
      'qcow2',
      '-o',
      'extended_l2=on,preallocation=metadata',
      path('wide.qcow2'),
      '1G',
    );
    for (const name of ['good.qcow2', 'old.qcow2', 'small.qcow2'])
      expect(await inspect(name)).toMatchObject({ format: 'qcow2', virtualSizeBytes: 4 * MiB });
    expect(await inspect('wide.qcow2')).toMatchObject({
      format: 'qcow2',
      virtualSizeBytes: 1024 * MiB,
    });
  });

  it('F18: accepts a raw disk with any content, but no empty file', async () => {
    const withPartitions = Buffer.alloc(MiB);
    withPartitions.write('EFI PART', 512, 'latin1');
    withPartitions.writeUInt16LE(0xaa55, 510);
    await writeFile(path('gpt.img'), withPartitions);
    await writeFile(path('empty.img'), '');
    await writeFile(path('short.img'), 'x');
    expect(await inspect('gpt.img')).toMatchObject({ format: 'raw', virtualSizeBytes: MiB });
    expect(await inspect('disk.raw', { believed: 'raw' })).toMatchObject({ format: 'raw' });
    expect(await refusalOf('empty.img')).toMatchObject({
      code: 'not_an_image',
      message: 'The file is empty.',
    });
    expect(await inspect('short.img')).toMatchObject({
      format: 'raw',
      virtualSizeBytes: 1,
      remarks: ['content_is_text'],
    });
  });

  it('accepts an ISO, with any boot code before its descriptor', async () => {
    await writeIso('install.iso', { volumeBytes: MiB });
    expect(await inspect('install.iso')).toMatchObject({ format: 'iso', virtualSizeBytes: MiB });
    await patch('install.iso', 0, Buffer.from('1f8b0800', 'hex'));
    expect(await inspect('install.iso')).toMatchObject({ format: 'iso' });
  });

  it('accepts qcow2 with leaked clusters', async () => {
    await copyFile(path('good.qcow2'), path('leaky.qcow2'));
    const header = await readFile(path('leaky.qcow2'));
    // Without its only L1 entry, every cluster is leaked.
    await patch('leaky.qcow2', Number(header.readBigUInt64BE(40)), Buffer.alloc(8));
    await expect(run('qemu-img', ['check', path('leaky.qcow2')])).rejects.toMatchObject({ code: 3 });
    expect(await inspect('leaky.qcow2')).toMatchObject({ format: 'qcow2' });
  });
});

describe('hostile files', () => {
  it('refuses qcow2 with a backing file', async () => {
    await qemuImg('create', '-f', 'qcow2', '-b', path('secret'), '-F', 'raw', path('backing.qcow2'));
    expect(await refusalOf('backing.qcow2')).toMatchObject({
      code: 'hostile_image',
      message: 'The qcow2 image needs a backing file.',
    });
  });

  it('refuses qcow2 with an external data file, by its bit or by its name', async () => {
    const data = path('data.raw');
    await qemuImg(
      'create',
      '-f',
      'qcow2',
      '-o',
      `data_file=${data},data_file_raw=on`,
      path('data.qcow2'),
      '1M',
    );
    const refusal = { code: 'hostile_image', message: 'The qcow2 image has its data in another file.' };
    expect(await refusalOf('data.qcow2')).toMatchObject(refusal);
    await patch('data.qcow2', 72, Buffer.alloc(8));
    expect(await refusalOf('data.qcow2')).toMatchObject(refusal);
  });

  it('refuses a VMDK that refers to a file of this host', async () => {
    await qemuImg('create', '-f', 'vmdk', '-o', 'subformat=monolithicFlat', path('flat.vmdk'), '1M');
    const text = (await readFile(path('flat.vmdk'), 'utf8')).replace(/FLAT ".*"/, `FLAT "${path('secret')}"`);
    await writeFile(path('extent.img'), text);
    expect(text).toContain(path('secret'));
    expect(await refusalOf('extent.img')).toMatchObject({ code: 'unsupported_format', hint: /-f vmdk/ });
  });

  it('refuses qcow2 with an absurd L1 table or virtual size', async () => {
    await copyFile(path('good.qcow2'), path('l1.qcow2'));
    await patch('l1.qcow2', 36, Buffer.from('ffffffff', 'hex'));
    expect(await refusalOf('l1.qcow2')).toMatchObject({
      code: 'damaged_image',
      message: /4294967295 entries/,
    });
    await qemuImg('create', '-f', 'qcow2', path('huge.qcow2'), '100T');
    const limit = { maxVirtualSizeBytes: 4 * MiB };
    expect(await refusalOf('huge.qcow2', limit)).toMatchObject({
      code: 'image_too_large',
      message: 'The image has 100 TiB; the limit is 4.0 MiB.',
    });
    // The limit itself is allowed.
    expect(await inspect('good.qcow2', limit)).toMatchObject({ virtualSizeBytes: 4 * MiB });
    const less = { maxVirtualSizeBytes: 4 * MiB - 1 };
    expect(await refusalOf('good.qcow2', less)).toMatchObject({ code: 'image_too_large' });
    expect(await refusalOf('disk.raw', less)).toMatchObject({
      code: 'image_too_large',
      message: 'The image has 4194304 bytes; the limit is 4194303 bytes.',
    });
  });

  it('refuses a gzip bomb and other packed files', async () => {
    await writeFile(path('bomb.img'), gzipSync(Buffer.alloc(64 * MiB)));
    expect(await refusalOf('bomb.img')).toMatchObject({ code: 'compressed_file', hint: /gunzip/ });
    for (const [digits, hint] of [
      ['fd377a585a00', /unxz/],
      ['28b52ffd', /unzstd/],
      ['425a6839', /bunzip2/],
      ['504b0304', /unzip/],
    ] as const) {
      await writeFile(path('packed.img'), Buffer.from(digits.padEnd(64, '0'), 'hex'));
      expect(await refusalOf('packed.img')).toMatchObject({ code: 'compressed_file', hint });
    }
  });

  it('refuses qcow2 that is truncated in its header, its tables or its data', async () => {
    const { size } = await stat(path('good.qcow2'));
    for (const length of [50, 100, 70_000, size - 1024 * 1024]) {
      await copyFile(path('good.qcow2'), path('cut.qcow2'));
      await truncate(path('cut.qcow2'), length);
      expect(await refusalOf('cut.qcow2'), String(length)).toMatchObject({ code: 'damaged_image' });
    }
  });

  it('recognises an ISO that was declared as qcow2, and refuses it', async () => {
    await writeIso('really-iso.qcow2', { volumeBytes: MiB });
    expect(await inspect('really-iso.qcow2')).toMatchObject({ format: 'iso' });
    expect(await refusalOf('really-iso.qcow2', { believed: 'qcow2' })).toMatchObject({
      code: 'unsupported_format',
      message: 'The content is iso, not qcow2.',
    });
  });

  it('refuses a truncated ISO', async () => {
    await writeIso('cut.iso', { volumeBytes: 700 * MiB });
    expect(await refusalOf('cut.iso')).toMatchObject({ code: 'damaged_image', message: /truncated/ });
  });

  it('refuses other disk formats by their signatures, with any name', async () => {
    const formats = [
      ['vmdk', /VMDK/],
      ['vdi', /VDI/],
      ['vhdx', /VHDX/],
      ['vpc', /VHD/],
      ['qed', /QED/],
      ['parallels', /Parallels/],
    ] as const;
    for (const [format, message] of formats) {
      await qemuImg('create', '-f', format, path('other.raw'), '8M');
      expect(await refusalOf('other.raw')).toMatchObject({ code: 'unsupported_format', message });
    }
    await qemuImg('create', '-f', 'vpc', '-o', 'subformat=fixed', path('fixed.raw'), '8M');
    expect(await refusalOf('fixed.raw')).toMatchObject({ code: 'unsupported_format', message: /VHD/ });
    await writeFile(path('page.iso'), '<!DOCTYPE html><html>Please sign in');
    expect(await refusalOf('page.iso')).toMatchObject({ code: 'not_an_image', message: /web page/ });
  });

  it('refuses qcow2 that is encrypted, damaged or of another version', async () => {
    await copyFile(path('good.qcow2'), path('locked.qcow2'));
    await patch('locked.qcow2', 32, Buffer.from('00000002', 'hex'));
    expect(await refusalOf('locked.qcow2')).toMatchObject({
      code: 'unsupported_format',
      message: /encrypted/,
    });
    await qemuImg('create', '-f', 'qcow', path('v1.qcow'), '1M');
    expect(await refusalOf('v1.qcow')).toMatchObject({ code: 'unsupported_format', message: /version 1/ });
    await copyFile(path('good.qcow2'), path('damaged.qcow2'));
    const header = await readFile(path('damaged.qcow2'));
    // The header names the first data cluster as the reference count table.
    const l2 = Number(header.readBigUInt64BE(Number(header.readBigUInt64BE(40))) & 0xfffffffffffe00n);
    await patch('damaged.qcow2', l2, Buffer.from('8000000000010000', 'hex'));
    expect(await refusalOf('damaged.qcow2')).toMatchObject({ code: 'damaged_image', message: /damaged/ });
  });

  it('refuses a symlink and a FIFO without a writer', async () => {
    await symlink(path('secret'), path('link.img'));
    expect(await refusalOf('link.img')).toMatchObject({ code: 'not_regular' });
    await run('mkfifo', [path('pipe.img')]);
    expect(await refusalOf('pipe.img')).toMatchObject({ code: 'not_regular' });
  });
});

const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
if (!canTrace) console.log('Skipped, a disk that cannot be read: strace is not installed or not permitted.');

describe.skipIf(!canTrace)('D5: a disk that cannot be read', () => {
  it.each([
    ['info', 'EIO', 'io_error'],
    ['check', 'EIO', 'io_error'],
    ['check', 'ESTALE', 'io_error'],
  ])('is not a hostile image when qemu-img %s gets %s', async (command, errno, code) => {
    const tools = path('failing-tools');
    await mkdir(tools, { recursive: true });
    const inject = `-qq -o /dev/null -P ${path('good.qcow2')} -e trace=pread64 -e inject=pread64:error=${errno}:when=2+`;
    const script = `case "$1" in ${command}) exec strace -f ${inject} /usr/bin/qemu-img "$@" ;; esac`;
    await writeFile(join(tools, 'qemu-img'), `#!/bin/sh\n${script}\nexec /usr/bin/qemu-img "$@"\n`, {
      mode: 0o755,
    });
    expect(await refusalOf('good.qcow2', { toolDirectories: [tools, '/usr/bin'] })).toMatchObject({ code });
  });
});

describe('without qemu-img', () => {
  const toolDirectories = ['/nonexistent'];

  it('accepts raw disks and ISOs without qemu-img, and refuses qcow2 with the package to install', async () => {
    await writeIso('install.iso', { volumeBytes: MiB });
    expect(await inspect('disk.raw', { toolDirectories })).toMatchObject({ format: 'raw' });
    expect(await inspect('install.iso', { toolDirectories })).toMatchObject({ format: 'iso' });
    expect(await refusalOf('good.qcow2', { toolDirectories })).toMatchObject({
      code: 'tool_missing',
      hint: /util-linux|qemu-utils/,
    });
  });
});

it('an inspection rejects with the reason of its signal', async () => {
  const signal = AbortSignal.abort(new Error('given up'));
  await expect(inspect('good.qcow2', { signal })).rejects.toThrow('given up');
});
