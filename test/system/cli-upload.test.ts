import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Operation } from '@wcc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startCli } from '../kit/cli.ts';
import type { RunningCli } from '../kit/cli.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import type { FaultProxy } from '../kit/network/fault-proxy.ts';
import { currentPhase, findImage, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { createRandom, seedOfRun } from '../kit/random.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

const mebibyte = 1_048_576;
const seed = seedOfRun();
const random = createRandom(seed);
let server: TestServer;
/** A proxy between the command and the server that simulates a network. */
let proxy: FaultProxy;
let workspace: Workspace;

beforeAll(async () => {
  console.log(`WCC_SEED=${seed}`);
  const port = await findFreePort();
  proxy = await createFaultProxy(port);
  // The server accepts the address of the proxy as its own.
  server = await startServer({ port, args: ['--public-url', `http://127.0.0.1:${proxy.port}`] });
  workspace = makeWorkspace('upload');
});
afterAll(async () => {
  await server.close();
  await proxy.close();
  workspace.remove();
});

/** A file of random data and holes, in no known format. */
function makeFile(name: string, sizeBytes: number): { path: string; sha256: string } {
  const path = join(workspace.path, name);
  const file = openSync(path, 'w');
  const piece = Buffer.alloc(mebibyte);
  for (let at = 0; at < sizeBytes; at += mebibyte) {
    const isHole = at > 0 && random.next() < 0.2;
    for (let word = 0; word < piece.length; word += 4)
      piece.writeUInt32LE(isHole ? 0 : random.integer(0, 0xffff_ffff), word);
    writeSync(file, piece, 0, Math.min(mebibyte, sizeBytes - at), at);
  }
  ftruncateSync(file, sizeBytes);
  closeSync(file);
  return { path, sha256: digestOf(path) };
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

const through = (): { baseUrl: string; token: string } => ({
  baseUrl: `http://127.0.0.1:${proxy.port}`,
  token: server.token,
});

const inPool = (name: string): string => join(server.poolDir, name);

/** Waits until this many bytes are durable. @returns the operation of the upload */
async function whenSafe(sending: RunningCli, name: string, bytes: number): Promise<Operation> {
  return until(
    async () => {
      // The killed server may have closed the kept-alive connection.
      const list = await server.api.operations({ action: 'upload_image' }).catch(() => null);
      const items = list?.items ?? [];
      const found = items.find(({ subject }) => subject.name === name);
      return found !== undefined && (currentPhase(found)?.durable ?? 0) >= bytes ? found : null;
    },
    { what: `${bytes} bytes of ${name} to be durable; the command printed ${sending.stderr}` },
  );
}

describe('wcc image upload', () => {
  it('sends a file under its name and compares the digest', async () => {
    const { path, sha256 } = makeFile('whole.bin', 5 * mebibyte + 321);
    const { code, stdout } = await runCli(['image', 'upload', path, '--name', 'whole.raw', '--sha256'], {
      server,
    });
    expect(stdout).toMatch(/^whole\.raw \(image \d+\): Done in /);
    expect(code).toBe(0);
    expect(digestOf(inPool('whole.raw'))).toBe(sha256);
    const wrong = await runCli(
      ['image', 'upload', path, '--name', 'other.raw', '--sha256', 'ab'.repeat(32)],
      { server },
    );
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('SHA-256');
    expect(existsSync(inPool('other.raw'))).toBe(false);
  });

  it('uploads an empty file and a file of one byte', async () => {
    for (const [name, text] of [
      ['one.raw', 'x'],
      ['none.raw', ''],
    ] as const) {
      const path = join(workspace.path, name);
      writeFileSync(path, text);
      const { code } = await runCli(['image', 'upload', path], { server });
      // The server decides whether an empty file is an image. The command must report that decision soon.
      expect([0, 1]).toContain(code);
      expect(existsSync(inPool(name))).toBe(code === 0);
    }
  });

  it('resumes after each of several server kills, and the file is equal', async () => {
    const { path, sha256 } = makeFile('killed.raw', 96 * mebibyte);
    const sending = startCli(['image', 'upload', path, '--limit', '16M'], { server });
    for (const safe of [8, 32, 60]) {
      await whenSafe(sending, 'killed.raw', safe * mebibyte);
      await server.kill();
      await server.start();
    }
    const end = await sending.result;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(digestOf(inPool('killed.raw'))).toBe(sha256);
    const { items } = await server.api.operations({ action: 'upload_image' });
    expect(items.filter(({ subject }) => subject.name === 'killed.raw')).toHaveLength(1);
  });

  it('resumes through cut and silent connections', async () => {
    const { path, sha256 } = makeFile('cut.raw', 48 * mebibyte);
    try {
      const sending = startCli(['image', 'upload', path, '--limit', '8M'], { server: through() });
      await whenSafe(sending, 'cut.raw', 4 * mebibyte);
      proxy.resetAll();
      await whenSafe(sending, 'cut.raw', 16 * mebibyte);
      proxy.setModeForNew('refuse');
      proxy.resetAll();
      await until(() => sending.stderr.includes('no connection to the server'), {
        what: 'the lost connection to be reported',
      });
      proxy.setModeForNew('pass');
      const end = await sending.result;
      expect(end, end.stderr).toMatchObject({ code: 0 });
    } finally {
      proxy.setModeForNew('pass');
      proxy.setBandwidth(null);
    }
    expect(digestOf(inPool('cut.raw'))).toBe(sha256);
  });

  it('stops at Ctrl-C, and the same command resumes at the server’s offset', async () => {
    const { path, sha256 } = makeFile('stopped.raw', 40 * mebibyte);
    const first = startCli(['image', 'upload', path, '--limit', '8M'], { server });
    const { id } = await whenSafe(first, 'stopped.raw', 8 * mebibyte);
    first.kill('SIGINT');
    const stopped = await first.result;
    expect(stopped).toMatchObject({ code: 130 });
    expect(stopped.stderr).toContain('The data on the server is safe.');
    await waitForState(server, id, { states: ['interrupted'] });
    const second = await runCli(['image', 'upload', path], { server });
    expect(second, second.stderr).toMatchObject({ code: 0 });
    const [, from = ''] = /Resuming at (\d+)\.\d MiB of 40\.0 MiB/.exec(second.stderr) ?? [];
    expect(Number(from)).toBeGreaterThanOrEqual(8);
    expect(digestOf(inPool('stopped.raw'))).toBe(sha256);
    expect((await server.api.operation(id)).state).toBe('succeeded');
  });

  it('refuses a different file of the same name, and restarts with --restart', async () => {
    const { path } = makeFile('twice.raw', 24 * mebibyte);
    const first = startCli(['image', 'upload', path, '--limit', '4M'], { server });
    const { id } = await whenSafe(first, 'twice.raw', 4 * mebibyte);
    first.kill('SIGTERM');
    expect(await first.result).toMatchObject({ code: 143 });
    const other = makeFile('twice.raw', 24 * mebibyte);
    const refused = await runCli(['image', 'upload', path, '--json'], { server });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'wrong_file' } });
    const again = await runCli(['image', 'upload', path, '--restart'], { server });
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(digestOf(inPool('twice.raw'))).toBe(other.sha256);
    expect((await server.api.operation(id)).state).toBe('cancelled');
  });

  it('publishes nothing when the file changes during the upload', async () => {
    const { path } = makeFile('changing.raw', 24 * mebibyte);
    const sending = startCli(['image', 'upload', path, '--limit', '8M'], { server });
    await whenSafe(sending, 'changing.raw', 4 * mebibyte);
    appendFileSync(path, 'more');
    const end = await sending.result;
    expect(end).toMatchObject({ code: 7 });
    expect(end.stderr).toContain('changed during the upload');
    expect(existsSync(inPool('changing.raw'))).toBe(false);
  });

  it('ends when another user cancels the operation', async () => {
    const { path } = makeFile('cancelled.raw', 24 * mebibyte);
    const sending = startCli(['image', 'upload', path, '--limit', '4M'], { server });
    const { id } = await whenSafe(sending, 'cancelled.raw', 4 * mebibyte);
    expect(await runCli(['op', 'cancel', id], { server })).toMatchObject({ code: 0 });
    expect(await sending.result).toMatchObject({ code: 6 });
  });

  it('stops after --give-up-after and prints how to resume', async () => {
    const { path } = makeFile('gone.raw', 24 * mebibyte);
    try {
      const sending = startCli(['image', 'upload', path, '--limit', '4M', '--give-up-after', '2s'], {
        server: through(),
      });
      const { id } = await whenSafe(sending, 'gone.raw', 4 * mebibyte);
      proxy.setModeForNew('refuse');
      proxy.resetAll();
      expect(await sending.result).toMatchObject({ code: 5 });
      await server.api.cancel(id);
    } finally {
      proxy.setModeForNew('pass');
      proxy.setBandwidth(null);
    }
  });

  it('reports a missing local file, and a path that is not a file', async () => {
    expect(await runCli(['image', 'upload', join(workspace.path, 'nothing')], { server })).toMatchObject({
      code: 7,
    });
    expect(await runCli(['image', 'upload', workspace.path, '--name', 'dir.raw'], { server })).toMatchObject({
      code: 7,
    });
  });
});

describe('wcc image download', () => {
  it('downloads a sparse image under its final name only when complete', async () => {
    const { path, sha256 } = makeFile('down.raw', 12 * mebibyte + 77);
    expect(await runCli(['image', 'upload', path], { server })).toMatchObject({ code: 0 });
    const target = join(workspace.path, 'fetched.raw');
    const end = await runCli(['image', 'download', 'down.raw', target], { server });
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(digestOf(target)).toBe(sha256);
    expect(existsSync(`${target}.part`)).toBe(false);
    expect(await runCli(['image', 'download', 'down.raw', target], { server })).toMatchObject({ code: 7 });
  });

  it('keeps holes, and resumes where an earlier try ended', async () => {
    const sizeBytes = 64 * mebibyte;
    const pool = inPool('holes.raw');
    const file = openSync(pool, 'w');
    for (const at of [0, 20, 50]) writeSync(file, Buffer.alloc(mebibyte, at + 1), 0, mebibyte, at * mebibyte);
    ftruncateSync(file, sizeBytes);
    closeSync(file);
    await registerImage(server, 'holes.raw');
    const target = join(workspace.path, 'holes.raw');
    try {
      proxy.setBandwidth(16 * mebibyte);
      const first = startCli(['image', 'download', 'holes.raw', target], { server: through() });
      const part = `${target}.part`;
      await until(() => existsSync(part) && statSync(part).size > mebibyte, { what: 'the first bytes' });
      first.kill('SIGINT');
      expect(await first.result).toMatchObject({ code: 130 });
      proxy.setBandwidth(null);
      const second = await runCli(['image', 'download', 'holes.raw', target], { server: through() });
      expect(second, second.stderr).toMatchObject({ code: 0 });
      expect(second.stderr).toContain('Resuming at');
    } finally {
      proxy.setModeForNew('pass');
      proxy.setBandwidth(null);
    }
    expect(digestOf(target)).toBe(digestOf(pool));
    expect(statSync(target).blocks * 512).toBeLessThan(8 * mebibyte);
  });
});

describe('wcc image', () => {
  it('converts, verifies and deletes an image', async () => {
    const { path, sha256 } = makeFile('acted.raw', 4 * mebibyte);
    expect(await runCli(['image', 'upload', path], { server })).toMatchObject({ code: 0 });
    const verified = await runCli(['image', 'verify', 'acted.raw', '--sha256', sha256], { server });
    expect(verified, verified.stderr).toMatchObject({ code: 0 });
    expect(verified.stdout).toContain(`sha256 ${sha256}`);
    expect(
      await runCli(['image', 'verify', 'acted.raw', '--sha256', 'ab'.repeat(32)], { server }),
    ).toMatchObject({ code: 1 });
    const converted = await runCli(['image', 'convert', 'acted.raw', 'acted.qcow2', '--format', 'qcow2'], {
      server,
    });
    expect(converted, converted.stderr).toMatchObject({ code: 0 });
    expect((await findImage(server, 'acted.qcow2'))?.format).toBe('qcow2');
    expect(await runCli(['image', 'rm', 'acted.qcow2'], { server })).toMatchObject({ code: 2 });
    const removed = await runCli(['image', 'rm', 'acted.qcow2', '--yes'], { server });
    expect(removed, removed.stderr).toMatchObject({ code: 0 });
    expect(existsSync(inPool('acted.qcow2'))).toBe(false);
  });

  it('wcc image import reports why the server refuses a URL', async () => {
    const refused = await runCli(['image', 'import', 'http://127.0.0.1:1/a.raw', '--json'], { server });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'import_refused' } });
  });
});
