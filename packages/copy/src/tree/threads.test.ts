import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { useDirectory } from '../testkit/files.testkit.ts';

describe('threads of a tree copy', () => {
  const dir = useDirectory();

  it('never has more than two threads beyond one for each processor, for 4,000 files and four trees at once', async () => {
    const source = join(dir(), 'source');
    // A request of 2,000 files takes far longer than the delay after which a further thread may start.
    for (let index = 0; index < 4000; index += 1) {
      const directory = join(source, `d${Math.floor(index / 400)}`);
      if (index % 400 === 0) mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, `f${index}`), Buffer.alloc(2000, index));
    }
    const script = `
      const { readdirSync } = await import('node:fs');
      const count = () => readdirSync('/proc/self/task').length;
      // Node's own pool of threads starts at its first use, which is not ours.
      const { readFile } = await import('node:fs/promises');
      await Promise.all(Array.from({ length: 8 }, () => readFile('/proc/self/status')));
      const before = count();
      let most = 0;
      const timer = setInterval(() => { most = Math.max(most, count() - before); }, 1);
      await copy.copyTree(${JSON.stringify(source)}, ${JSON.stringify(join(dir(), 'one'))}, { concurrency: 64, durable: false });
      const one = most;
      await Promise.all([1, 2, 3, 4].map((index) =>
        copy.copyTree(${JSON.stringify(source)}, ${JSON.stringify(join(dir(), 'several-'))} + index, { durable: false })));
      clearInterval(timer);
      console.log(JSON.stringify({ one, several: most }));`;
    const { stdout, stderr } = await startChild(script).ended;
    expect(stderr).toBe('');
    const { one, several } = JSON.parse(stdout) as { one: number; several: number };
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThanOrEqual(availableParallelism() + 2);
    expect(several).toBeLessThanOrEqual(Math.max(4, availableParallelism()) + 2);
    expect(readdirSync(join(dir(), 'several-4')).length).toBe(10);
  });
});
