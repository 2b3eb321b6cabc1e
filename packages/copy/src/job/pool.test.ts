import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { copyFile, preload, startCopy } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { expectEqualFiles, kib, mib, useDirectory, waitFor, writeRandom } from '../testkit/files.testkit.ts';

describe('worker threads', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  it('a worker completes a copy while the main loop is blocked', async () => {
    writeRandom(at('source'), 8 * mib);
    await preload();
    const job = startCopy(at('source'), at('copy'), { bytesPerSecond: 32 * mib });
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
      const job = copy.startCopy(${JSON.stringify(at('cold'))}, ${JSON.stringify(at('cold-copy'))});
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
      console.log(job.progress().phase, job.progress().writtenBytes);`;
    const { stdout, code } = await startChild(script).ended;
    expect(stdout.trim()).toBe(`publish ${mib}`);
    expect(code).toBe(0);
  });

  it('a copy keeps the process alive while it runs, and the process exits after it', async () => {
    writeRandom(at('alive'), 4 * mib);
    const script = `
      const job = copy.startCopy(${JSON.stringify(at('alive'))}, ${JSON.stringify(at('alive-copy'))}, { bytesPerSecond: 8388608 });
      job.done.then(() => console.log(Date.now()));`;
    const { stdout, code } = await startChild(script).ended;
    expect(code).toBe(0);
    expect(statSync(at('alive-copy')).size).toBe(4 * mib);
    expect(Date.now() - Number(stdout)).toBeLessThan(2000);
  });

  it.each([
    ['nothing awaits it', ''],
    ['a loop that was left early', 'for await (const _ of job) break;'],
  ])('a failed copy ends the process as an unhandled rejection: %s', async (_, handling) => {
    const script = `const job = copy.startCopy('/nowhere/a', '/nowhere/b'); ${handling}`;
    const { code, stderr } = await startChild(script).ended;
    expect(stderr).toContain('CopyError: no such file or directory');
    expect(code).toBe(1);
  });

  it.each([
    ['done is awaited', 'await job.done.catch((error) => console.log(error.code));'],
    [
      'done is awaited after a loop was left',
      'for await (const _ of job) break; await job.done.catch((error) => console.log(error.code));',
    ],
    [
      'a loop runs to its end',
      'try { for await (const _ of job); } catch (error) { console.log(error.code); }',
    ],
  ])('a failed copy does not end the process if %s', async (_, handling) => {
    const script = `const job = copy.startCopy('/nowhere/a', '/nowhere/b'); ${handling}`;
    const { code, stdout, stderr } = await startChild(script).ended;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'not_found\n', stderr: '' });
  });

  it.each([1, 4])(
    '1,000 short copies, %d at once, need one thread for each copy and a spare',
    async (limit) => {
      writeRandom(at('short'), 20 * kib);
      const script = `
      import { mkdtempSync, readdirSync } from 'node:fs';
      import { readFile } from 'node:fs/promises';
      const [source, directory, limit] = ${JSON.stringify([at('short'), dir(), limit])};
      // Node starts its own threads at the first use of its fs. They do not count.
      await Promise.all(Array.from({ length: 16 }, () => readFile(source)));
      const threads = () => readdirSync('/proc/self/task').length;
      const before = threads();
      const home = mkdtempSync(directory + '/short-');
      let started = 0;
      let most = 0;
      const copyRest = async () => {
        while (started < 1000) {
          await copy.copyFile(source, home + '/' + started++, { durable: false });
          most = Math.max(most, threads() - before);
        }
      };
      await Promise.all(Array.from({ length: limit }, copyRest));
      console.log(most, readdirSync(home).length);`;
      const { stdout, stderr } = await startChild(script).ended;
      expect(stderr).toBe('');
      const [most, copies] = stdout.trim().split(' ').map(Number);
      expect(copies).toBe(1000);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(limit + 1);
    },
  );

  it('1,000 inspections at once wait for workers instead of starting a thread each', async () => {
    writeRandom(at('inspected'), kib);
    const script = `
      import { readdirSync } from 'node:fs';
      const path = ${JSON.stringify(at('inspected'))};
      const found = await Promise.all(Array.from({ length: 1000 }, () => copy.inspectFile(path)));
      console.log(found.length, readdirSync('/proc/self/task').length);`;
    const { stdout, stderr } = await startChild(script).ended;
    expect(stderr).toBe('');
    const [inspections, threads] = stdout.trim().split(' ').map(Number);
    expect(inspections).toBe(1000);
    expect(threads).toBeLessThan(64);
  });

  it('worker threads end after a burst of copies, except for one', async () => {
    writeRandom(at('burst'), 20 * kib);
    const script = `
      import { readdirSync } from 'node:fs';
      import { readFile } from 'node:fs/promises';
      const source = ${JSON.stringify(at('burst'))};
      await Promise.all(Array.from({ length: 16 }, () => readFile(source)));
      const before = readdirSync('/proc/self/task').length;
      const copies = Array.from({ length: 12 }, (_, index) => copy.copyFile(source, source + '-' + index));
      await Promise.all(copies);
      const during = readdirSync('/proc/self/task').length - before;
      let after = during;
      while (after > 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        after = readdirSync('/proc/self/task').length - before;
      }
      console.log(during, after);`;
    const { stdout, stderr } = await startChild(script).ended;
    expect(stderr).toBe('');
    const [during, after] = stdout.trim().split(' ').map(Number);
    expect(during).toBeGreaterThan(1);
    expect(after).toBe(1);
  });

  it('a copy runs although as many copies are paused as start without a delay', async () => {
    writeRandom(at('held'), mib);
    const paused = Array.from({ length: availableParallelism() + 4 }, (_, index) => {
      const job = startCopy(at('held'), at(`held-${index}`));
      job.pause();
      return job;
    });
    await copyFile(at('held'), at('passed'));
    expect(existsSync(at('passed'))).toBe(true);
    for (const job of paused) job.resume();
    await Promise.all(paused.map(({ done }) => done));
  });

  it('preload starts as many workers as requested, and they do not keep the process alive', async () => {
    const script = `
      import { readdirSync } from 'node:fs';
      import { availableParallelism } from 'node:os';
      const threads = () => readdirSync('/proc/self/task').length;
      await copy.preload();
      const one = threads();
      await copy.preload({ count: 2 });
      console.log(threads() - one === Math.min(2, availableParallelism()) - 1);`;
    const { stdout, code } = await startChild(script).ended;
    expect(stdout.trim()).toBe('true');
    expect(code).toBe(0);
  });

  it('worker threads run many copies at once', async () => {
    writeRandom(at('many'), mib);
    const jobs = Array.from({ length: 8 }, (_, index) => startCopy(at('many'), at(`many-${index}`)));
    await Promise.all(jobs.map(({ done }) => done));
    for (const index of jobs.keys()) expectEqualFiles(at('many'), at(`many-${index}`));
  });

  it('a SIGTERM handler suspends a copy and keeps it resumable', async () => {
    writeRandom(at('term'), 4 * mib);
    const options = { id: 'term', bytesPerSecond: mib };
    const values = JSON.stringify([at('term'), at('term-copy'), options]);
    const child = startChild(`
      const job = copy.startCopy(...${values});
      process.once('SIGTERM', () => job.suspend());
      job.done.catch((error) => console.log(error.code, error.resumable));
      console.log('started');`);
    await child.firstOutput;
    const partial = at('.wcc-term.partial');
    await waitFor('bytes have moved', () => existsSync(partial) && statSync(partial).blocks > 0);
    child.process.kill('SIGTERM');
    const { stdout, code } = await child.ended;
    expect(stdout).toContain('suspended true');
    expect(code).toBe(0);
    const again = startCopy(at('term'), at('term-copy'), { id: 'term' });
    expect((await again.done).resumed).toBe(true);
  });
});
