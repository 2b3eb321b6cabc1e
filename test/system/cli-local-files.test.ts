import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../kit/cli.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { registerImage } from '../kit/operations.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

/** Local files and pipes of the command `wcc`. */
const bin = fileURLToPath(new URL('../../packages/cli/bin/wcc.js', import.meta.url));
let server: TestServer;
let workspace: Workspace;
let image: string;
const bytes = Buffer.alloc(300_000, 'wcc');

beforeAll(async () => {
  workspace = makeWorkspace('cli-files');
  server = await startServer({ args: ['--free-space-floor', '0'] });
  writeFileSync(join(server.poolDir, 'local.raw'), bytes);
  writeFileSync(join(workspace.path, 'afile'), '');
  symlinkSync('loop', join(workspace.path, 'loop'));
  image = String((await registerImage(server, 'local.raw')).id);
});
afterAll(async () => {
  await server.close();
  workspace.remove();
});

const download = (...args: string[]): ReturnType<typeof runCli> =>
  runCli(['image', 'download', image, ...args, '--json'], { server, cwd: workspace.path });

describe('F8: a download to a place that cannot be a file', () => {
  it.each([
    ['a name that is too long', 'x'.repeat(256), 'ENAMETOOLONG'],
    ['a place below a file', 'afile/x', 'ENOTDIR'],
    ['a loop of links', 'loop/x', 'ELOOP'],
    ['a directory that does not exist', 'none/x', 'ENOENT'],
  ])('fails at once by its own name: %s', async (_what, target, code) => {
    const { code: exit, stderr } = await download(target);
    expect([exit, (JSON.parse(stderr) as { error: { code: string } }).error.code]).toEqual([7, code]);
  });

  it('has a partial file that fits beside the longest name', async () => {
    const name = `${'ü'.repeat(120)}.raw.img.raw12`;
    const { code } = await download(name);
    expect(code).toBe(0);
    expect(readFileSync(join(workspace.path, name)).equals(bytes)).toBe(true);
  });
});

describe('F9, F10: special files', () => {
  it('F9: an upload of a FIFO, a device or a directory is refused before it is opened', async () => {
    const fifo = join(workspace.path, 'fifo');
    execFileSync('mkfifo', [fifo]);
    mkdirSync(join(workspace.path, 'dir'));
    for (const path of [fifo, '/dev/zero', '/dev/stdin', join(workspace.path, 'dir')]) {
      const { code, stderr } = await runCli(['image', 'upload', path, '--name', 'special.raw'], { server });
      expect([path, code, stderr]).toEqual([path, 7, expect.stringContaining('is not a regular file')]);
    }
  });

  it('F10: a download never replaces a FIFO or a device', async () => {
    const fifo = join(workspace.path, 'target');
    execFileSync('mkfifo', [fifo]);
    // A device of its own: without the check, the command would replace it.
    const device = join(workspace.path, 'null');
    if (process.getuid?.() === 0) execFileSync('mknod', [device, 'c', '1', '3']);
    else console.log('Skipped, a device as target: needs root.');
    for (const path of [fifo, device].filter((each) => existsSync(each))) {
      const before = lstatSync(path).ino;
      const { code, stderr } = await download(path, '--force');
      expect([path, code, stderr]).toEqual([path, 7, expect.stringContaining('is not a regular file')]);
      expect(lstatSync(path).ino).toBe(before);
    }
  });

  it('F10: a download to "-" with JSON is refused by a hint, and leaves no file of that name', async () => {
    const { code, stderr } = await download('-');
    expect([code, existsSync(join(workspace.path, '-'))]).toEqual([2, false]);
    expect(stderr).toContain('./-');
  });
});

describe('F10: "-" is standard input and standard output', () => {
  it('an image goes through a pipe from one name to another, and leaves no temporary file', async () => {
    const env = { PATH: process.env['PATH'] ?? '', WCC_URL: server.baseUrl, WCC_TOKEN: server.token };
    const wcc = `${process.execPath} ${bin} image`;
    const command = `${wcc} download ${image} - | ${wcc} upload - --name piped.raw`;
    const options = { env: { ...env, HOME: '/nonexistent', TMPDIR: workspace.path } };
    execFileSync('bash', ['-o', 'pipefail', '-c', command], options);
    expect(readFileSync(join(server.poolDir, 'piped.raw')).equals(bytes)).toBe(true);
    expect(readdirSync(workspace.path).filter((name) => name.startsWith('wcc-upload-'))).toEqual([]);
  });

  it('standard input needs a name, and is judged before a byte is sent', async () => {
    const options = { server, stdin: '<!doctype html><title>x</title>' };
    const nameless = await runCli(['image', 'upload', '-'], options);
    expect([nameless.code, nameless.stderr]).toEqual([2, expect.stringContaining('--name')]);
    const page = await runCli(['image', 'upload', '-', '--name', 'page.raw'], options);
    expect([page.code, page.stderr]).toEqual([1, expect.stringContaining('Nothing was sent.')]);
  });
});

describe('F12: output that nothing reads', () => {
  const env = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'] ?? '',
    WCC_URL: server.baseUrl,
    WCC_TOKEN: server.token,
    HOME: '/nonexistent',
  });

  it('ends quietly when the reader of a pipe has ended', async () => {
    const child = spawn(process.execPath, [bin, 'image', 'ls'], {
      env: env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, stderr]).toEqual([0, '']);
  });

  it('ends with code 7 and one line when the output is on a full disk', async () => {
    const command = `${process.execPath} ${bin} image ls > /dev/full`;
    const child = spawn('sh', ['-c', command], { env: env(), stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, stderr.trim().split('\n')]).toEqual([7, [expect.stringContaining('ENOSPC')]]);
  });
});
