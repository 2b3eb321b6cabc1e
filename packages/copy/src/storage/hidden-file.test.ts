import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { support } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { useDirectory, writeRandom } from '../testkit/files.testkit.ts';

const natives = support().available ? (['auto', 'off'] as const) : (['off'] as const);

/** A write beyond the limit is cut, as on a disk that becomes full in the middle of it. */
const limited = ['sh', '-c', 'trap "" XFSZ; exec prlimit --fsize=200 "$@"', 'sh'];

describe('D21: a sidecar that can be written only in part', () => {
  const dir = useDirectory();

  it.each(natives)('ends the copy of a tree, kernel calls %s', async (native) => {
    const paths = [join(dir(), 'tree'), join(dir(), 'copy')] as const;
    mkdirSync(paths[0], { recursive: true });
    writeFileSync(join(paths[0], 'file'), 'short');
    const script = `
      const end = await copy.copyTree(...${JSON.stringify([...paths, { native }])}).catch((error) => error);
      console.log(end.code);`;
    const { stdout, stderr } = await startChild(script, limited).ended;
    expect(stdout.trim(), stderr).toBe('too_large');
    expect(readdirSync(dir())).not.toContain('copy');
  });

  it.each(natives)('ends the copy of a file, kernel calls %s', async (native) => {
    // The copy checks the limit for the size of its source.
    writeRandom(join(dir(), 'source'), 100);
    const options = { native, keepPartial: true };
    const script = `
      const end = await copy.copyFile(...${JSON.stringify([join(dir(), 'source'), join(dir(), 'file'), options])})
        .catch((error) => error);
      console.log(end.code);`;
    const { stdout, stderr } = await startChild(script, limited).ended;
    expect(stdout.trim(), stderr).toBe('too_large');
    expect(readdirSync(dir())).not.toContain('file');
  });
});
