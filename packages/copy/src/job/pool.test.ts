import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { copyFile, warmUp } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { expectEqualFiles, mib, useDirectory, waitFor, writeRandom } from '../testkit/files.testkit.ts';

describe('worker threads', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  it('a worker completes a copy while the main loop is blocked', async () => {
    writeRandom(at('source'), 8 * mib);
    await warmUp();
    const job = copyFile(at('source'), at('copy'), { bytesPerSecond: 32 * mib });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    // This thread has read no message since the start, so the worker has needed no help.
    expect(existsSync(at('copy'))).toBe(true);
    expect(job.progress()).toMatchObject({ phase: 'publish', writtenBytes: 8 * mib });
    await job.done;
    expectEqualFiles(at('source'), at('copy'));
  });

  it('a worker starts while the main loop is blocked from the first moment', async () => {
    writeRandom(at('cold'), mib);
    const script = `
      const job = copy.copyFile(${JSON.stringify(at('cold'))}, ${JSON.stringify(at('cold-copy'))});
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
      console.log(job.progress().phase, job.progress().writtenBytes);`;
    const { stdout, code } = await startChild(script).ended;
    expect(stdout.trim()).toBe(`publish ${mib}`);
    expect(code).toBe(0);
  });

  it('a copy keeps the process alive while it runs, and the process exits after it', async () => {
    writeRandom(at('alive'), 4 * mib);
    const script = `
      const job = copy.copyFile(${JSON.stringify(at('alive'))}, ${JSON.stringify(at('alive-copy'))}, { bytesPerSecond: 8388608 });
      job.done.then(() => console.log(Date.now()));`;
    const { stdout, code } = await startChild(script).ended;
    expect(code).toBe(0);
    expect(statSync(at('alive-copy')).size).toBe(4 * mib);
    expect(Date.now() - Number(stdout)).toBeLessThan(2000);
  });

  it('a failed copy that is never awaited does not end the process', async () => {
    const { code, stderr } = await startChild(`copy.copyFile('/nowhere/a', '/nowhere/b');`).ended;
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('worker threads run many copies at once', async () => {
    writeRandom(at('many'), mib);
    const jobs = Array.from({ length: 8 }, (_, index) => copyFile(at('many'), at(`many-${index}`)));
    await Promise.all(jobs.map(({ done }) => done));
    for (const index of jobs.keys()) expectEqualFiles(at('many'), at(`many-${index}`));
  });

  it('a SIGTERM handler interrupts a copy and keeps it resumable', async () => {
    writeRandom(at('term'), 4 * mib);
    const options = { id: 'term', bytesPerSecond: mib };
    const values = JSON.stringify([at('term'), at('term-copy'), options]);
    const child = startChild(`
      const job = copy.copyFile(...${values});
      process.once('SIGTERM', () => job.interrupt());
      job.done.catch((error) => console.log(error.code, error.resumable));
      console.log('started');`);
    await child.firstOutput;
    const partial = at('.wcc-term.partial');
    await waitFor('bytes have moved', () => existsSync(partial) && statSync(partial).blocks > 0);
    child.process.kill('SIGTERM');
    const { stdout, code } = await child.ended;
    expect(stdout).toContain('interrupted true');
    expect(code).toBe(0);
    const again = copyFile(at('term'), at('term-copy'), { id: 'term' });
    expect((await again.done).resumed).toBe(true);
  });
});
