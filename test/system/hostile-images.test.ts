import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '@wcc/api';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { fileHandler, startFileServer } from '../kit/network/file-server.ts';
import type { FileServer } from '../kit/network/file-server.ts';
import { makeQcow2, makeRandomImage, MiB } from '../kit/images.ts';
import { findImage, expectNoOrphans, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createTusClient, uploadId } from '../kit/tus.ts';
import type { TusClient, TusResponse } from '../kit/tus.ts';

/**
 * Uploads images with references to host files, or with false headers, to a real server. The test traces every file
 * that the server and its tools open. The referenced host file must not be among them.
 */
const run = promisify(execFile);
const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
if (!canTrace) console.log('Skipped, hostile images: strace is not installed or not permitted.');

const maxBytes = 8 * MiB;
let home: Workspace;
let server: TestServer;
let files: FileServer;
let tus: TusClient;
let tracer: ChildProcess;
/** The host file that the images refer to. */
let canary: string;

const at = (name: string): string => join(home.path, name);
const trace = (): string => readFileSync(at('trace'), 'utf8');

beforeAll(async () => {
  if (!canTrace) return;
  home = makeWorkspace('hostile');
  canary = at('canary-of-this-host');
  const args = ['--free-space-floor', '0', '--import-allow', '127.0.0.1'];
  [server, files] = await Promise.all([
    startServer({ args: [...args, '--max-virtual-size', String(maxBytes)] }),
    startFileServer(),
    makeImages(),
  ]);
  tus = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
  tracer = await attach(server.pid);
});
afterAll(async () => {
  if (!canTrace) return;
  tracer.kill('SIGINT');
  await once(tracer, 'exit');
  await Promise.all([server.close(), files.close()]);
  home.remove();
});

async function attach(pid: number): Promise<ChildProcess> {
  const calls = ['-f', '-s', '4000', '-o', at('trace'), '-e', 'trace=open,openat,openat2', '-p', String(pid)];
  const child = spawn('strace', calls, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  await until(() => output.includes('attached'), { what: () => `strace to attach: ${output}` });
  return child;
}

async function patch(path: string, offset: number, digits: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.from(digits, 'hex'), 0, undefined, offset);
  await file.close();
}

async function makeImages(): Promise<void> {
  const create = (...args: string[]): Promise<unknown> => run('qemu-img', ['create', '-q', ...args]);
  await makeRandomImage(at('disk.raw'), 4 * MiB);
  await makeQcow2(at('good'), at('disk.raw'));
  await create('-f', 'qcow2', '-o', `data_file=${canary},data_file_raw=on`, at('data'), '1M');
  writeFileSync(canary, 'a secret of this host'.padEnd(MiB, '.'));
  await create('-f', 'qcow2', '-b', canary, '-F', 'raw', at('backing'));
  const extents = `# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2048 FLAT "${canary}" 0\n`;
  writeFileSync(at('vmdk'), extents);
  copyFileSync(at('good'), at('l1'));
  await patch(at('l1'), 36, 'ffffffff');
  writeFileSync(at('bomb'), gzipSync(Buffer.alloc(64 * MiB)));
  copyFileSync(at('good'), at('cut'));
  truncateSync(at('cut'), 2 * MiB);
  const iso = Buffer.alloc(MiB);
  iso.write('\u0001CD001\u0001', 0x8000, 'latin1');
  writeFileSync(at('iso'), iso);
  await create('-f', 'qcow2', at('wide'), '16M');
}

/** Uploads a whole file in one request. */
async function upload(
  name: string,
  from: string,
  more: Record<string, string> = {},
): Promise<TusResponse & { id: string }> {
  const bytes = readFileSync(at(from));
  const path = await tus.create(name, bytes.length, more);
  return { ...(await tus.patch(path, 0, bytes)), id: uploadId(path) };
}

async function importImage(name: string, from: string): Promise<Operation> {
  const url = files.serve(`/${from}`, fileHandler(readFileSync(at(from))));
  const { operation } = await server.api.importImage({ url, name });
  return waitForState(server, operation.id, { states: ['failed'] });
}

/** Expects that the refused image left no file and no record. */
async function expectNoImage(name: string): Promise<void> {
  await expectNoOrphans(server.poolDir);
  expect(readdirSync(server.poolDir)).not.toContain(name);
  expect(await findImage(server, name)).toBeUndefined();
}

const refusals = [
  ['backing', 'hostile_image', /needs a backing file/],
  ['data', 'hostile_image', /has its data in another file/],
  ['vmdk', 'unsupported_format', /This is a VMDK/],
  ['l1', 'damaged_image', /L1 table of 4294967295 entries/],
  ['bomb', 'compressed_file', /This is a gzip file/],
  ['cut', 'damaged_image', /truncated|damaged|cannot read/],
] as const;

describe.skipIf(!canTrace)('an upload of a hostile image', () => {
  it.each(refusals)('the upload of a %s image is refused as %s', async (from, code, message) => {
    const name = `${from}.qcow2`;
    const answer = await upload(name, from);
    expect(answer).toMatchObject({ status: 422, code });
    const { error, state } = await server.api.operation(answer.id);
    expect([state, error?.code]).toEqual(['failed', code]);
    expect(error?.message).toMatch(message);
    expect(error?.hint).not.toBe('');
    // An answer never repeats the name or content of a host file.
    expect(answer.text).not.toContain(canary);
    await expectNoImage(name);
  });

  it.each(refusals.slice(0, 2))('the import of a %s image is refused as %s', async (from, code, message) => {
    const { error } = await importImage(`imported-${from}.qcow2`, from);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    await expectNoImage(`imported-${from}.qcow2`);
  });

  it('an ISO with a qcow2 name is accepted as an ISO, and refused when the request says qcow2', async () => {
    expect(await upload('really.qcow2', 'iso')).toMatchObject({ status: 204 });
    expect(await findImage(server, 'really.qcow2')).toMatchObject({ format: 'iso', virtualSizeBytes: MiB });
    const insisting = await upload('insisting.qcow2', 'iso', { format: 'qcow2' });
    expect(insisting).toMatchObject({ status: 422, code: 'unsupported_format' });
    await expectNoImage('insisting.qcow2');
  });

  it('qemu-img runs on valid images only, and no process opens the host file', async () => {
    expect(await upload('good.qcow2', 'good')).toMatchObject({ status: 204 });
    expect(await findImage(server, 'good.qcow2')).toMatchObject({ format: 'qcow2' });
    // A trace without the files that the server and its tools open would prove nothing.
    await until(() => /\.partial"/.test(trace()) && trace().includes('"/dev/fd/3"'), {
      what: 'the trace to contain the opened files',
    });
    expect(trace()).not.toContain('canary-of-this-host');
  });
});

describe.skipIf(!canTrace)('an upload larger than the limit', () => {
  const refusal = (has: string): object => ({
    code: 'image_too_large',
    message: `The image has ${has}; the limit is 8.0 MiB.`,
    hint: expect.stringContaining('--max-virtual-size') as string,
  });

  it('an upload beyond the limit is refused as soon as its length is known', async () => {
    await expect(tus.create('long.raw', maxBytes + 1)).rejects.toThrow(/413.*payload_too_large/);
    const long = randomBytes(9 * MiB);
    const withLength = files.serve('/with-length.raw', fileHandler(long));
    const withoutLength = files.serve('/without-length.raw', (response) => void response.end(long));
    for (const [url, name, has] of [
      [withLength, 'with-length.raw', '9.0 MiB'],
      [withoutLength, 'without-length.raw', expect.any(String)],
    ] as const) {
      const { operation } = await server.api.importImage({ url, name });
      const { error } = await waitForState(server, operation.id, { states: ['failed'] });
      expect(error?.code).toBe('image_too_large');
      if (has === '9.0 MiB') expect(error).toMatchObject(refusal(has));
      await expectNoImage(name);
    }
    writeFileSync(at('limit'), long.subarray(0, maxBytes));
    expect(await upload('limit.raw', 'limit')).toMatchObject({ status: 204 });
  });

  it('an upload is refused when its header claims a virtual disk beyond the limit', async () => {
    const answer = await upload('wide.qcow2', 'wide');
    expect(answer).toMatchObject({ status: 422, code: 'image_too_large' });
    expect((await server.api.operation(answer.id)).error).toMatchObject(refusal('16.0 MiB'));
    await expectNoImage('wide.qcow2');
  });
});
