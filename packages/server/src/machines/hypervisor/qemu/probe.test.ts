import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { machineFiles } from './arguments.ts';
import type { Monitors } from './monitors.ts';
import { probeMachine } from './probe.ts';

it('V10k: a QEMU with an internal error has crashed, and its process is still there', async () => {
  const uuid = '3f0b4f6c-2d0e-4b43-9a53-0d0c8f5a1f11';
  const directory = await mkdtemp(join(tmpdir(), 'wcc-probe-'));
  const args = ['-e', 'setInterval(() => {}, 1000)', '--', '-uuid', uuid, machineFiles.pid];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    await once(child, 'spawn');
    await writeFile(join(directory, machineFiles.pid), String(child.pid));
    const monitors = { of: async () => ({ execute: async () => ({ status: 'internal-error' }) }) };
    const found = await probeMachine(uuid, directory, monitors as unknown as Monitors);
    expect(found).toMatchObject({ state: 'crashed', reason: 'internal_error' });
    expect(found.process?.pid).toBe(child.pid);
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true });
  }
});
