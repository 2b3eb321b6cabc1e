import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-trial-'));
});
afterEach(() => rm(home, { recursive: true }));

/** Polls a condition; the timeout of the test limits it. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await sleep(20);
}

it('findAcceleration leaves no trial guest after a SIGKILL of its process', async () => {
  const [program, pidFile] = [join(home, 'guest-that-hangs'), join(home, 'pid')];
  await writeFile(program, `#!/bin/sh\necho $$ > '${pidFile}'\nexec sleep 120\n`, { mode: 0o755 });
  const module = new URL('../../../dist/machines/hypervisor/acceleration.js', import.meta.url).href;
  const script = `const { findAcceleration } = await import('${module}');
    await findAcceleration('${program}', '${home}');`;
  const trying = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  await until(async () => (await readFile(pidFile, 'utf8').catch(() => '')).endsWith('\n'));
  const guest = `/proc/${(await readFile(pidFile, 'utf8')).trim()}`;
  expect(existsSync(guest)).toBe(true);
  trying.kill('SIGKILL');
  await once(trying, 'exit');
  await until(() => !existsSync(guest));
});
