import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertTool, findTool, toolDirectories } from './find-tool.ts';
import { runTool } from './run-tool.ts';
import type { ToolLimits } from './spawn-tool.ts';

const MiB = 1024 ** 2;
const limits: ToolLimits = { cpuSeconds: 1, addressSpaceBytes: 1024 * MiB, fileBytes: MiB };

/** Test programs with the name of a known tool. */
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-tools-'));
  for (const tool of ['setpriv', 'prlimit'] as const) await symlink(assertTool(tool), join(home, tool));
  await writeFile(join(home, 'qemu-img'), '#!/bin/sh\neval "$1"\n', { mode: 0o755 });
});
afterAll(() => rm(home, { recursive: true }));

const script = (
  text: string,
  more: { limits?: ToolLimits | null; environment?: Record<string, string> } = {},
) => ({ tool: 'qemu-img', args: [text], limits: null, directories: [home], ...more }) as const;

describe('runTool', () => {
  it('returns the exit code and both outputs of a program', async () => {
    expect(await runTool(script('echo out; echo err >&2; exit 3'))).toEqual({
      code: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
      isTimedOut: false,
    });
  });

  it('does not pass the environment of the server to a program', async () => {
    process.env['WCC_TEST_SECRET'] = 'ours';
    const { stdout } = await runTool(script('env; pwd', { environment: { HOME: '/nowhere' } }));
    delete process.env['WCC_TEST_SECRET'];
    expect(stdout).not.toContain('ours');
    expect(stdout).toMatch(/^HOME=\/nowhere$/m);
    expect(stdout).toMatch(/^LC_ALL=C$/m);
    expect(stdout.trim().endsWith('\n/')).toBe(true);
  });

  it('limits address space, file length and CPU of a program', async () => {
    const { stdout } = await runTool(script('cat /proc/self/limits', { limits }));
    expect(stdout).toMatch(/^Max cpu time +1 /m);
    expect(stdout).toMatch(/^Max file size +1048576 /m);
    expect(stdout).toMatch(/^Max address space +1073741824 /m);
    expect(stdout).toMatch(/^Max core file size +0 /m);
    const busy = await runTool(script('while :; do :; done', { limits }));
    expect([busy.code, busy.isTimedOut]).toEqual([null, false]);
  });

  it('reads all output of a program and keeps only a part', async () => {
    const { code, stdout } = await runTool(script('head -c 3000000 /dev/zero | tr "\\0" x'), {
      outputBytes: 1000,
    });
    expect([code, stdout.length]).toEqual([0, 1000]);
  });

  it('kills a program after its timeout, also if a daemon keeps its output open', async () => {
    const run = await runTool(script('sleep 20 & exec sleep 20'), { timeoutMs: 200 });
    expect(run).toMatchObject({ code: null, signal: 'SIGKILL', isTimedOut: true });
  });

  it('kills a program when its signal aborts, and rejects with the reason', async () => {
    const giveUp = new AbortController();
    const running = runTool(script('exec sleep 20'), { signal: giveUp.signal });
    giveUp.abort(new Error('given up'));
    await expect(running).rejects.toThrow('given up');
  });
});

it('finds a program in the directories of distributions, and names the package of a missing program', () => {
  expect(findTool('setpriv')).toMatch(/^\/.*\/setpriv$/);
  expect(findTool('virsh', ['/nonexistent'])).toBeNull();
  expect(toolDirectories.every((directory) => directory.startsWith('/'))).toBe(true);
  expect(() => assertTool('qemu-img', ['/nonexistent'])).toThrow(
    expect.objectContaining({ code: 'tool_missing', hint: 'Install the Debian package qemu-utils.' }),
  );
});
