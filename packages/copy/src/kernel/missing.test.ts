import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mib, useDirectory, writeRandom } from '../testkit/files.testkit.ts';

describe('without koffi', () => {
  const dir = useDirectory();

  it("without koffi, copies through Node's fs and reports kernel features as unavailable", () => {
    const build = fileURLToPath(new URL('../../dist', import.meta.url));
    // outside the repository, so that koffi cannot be resolved
    mkdirSync(join(dir(), 'package'));
    cpSync(build, join(dir(), 'package', 'dist'), { recursive: true });
    cpSync(
      fileURLToPath(new URL('../../package.json', import.meta.url)),
      join(dir(), 'package/package.json'),
    );
    writeRandom(join(dir(), 'source'), mib);
    const script = `
      import { startCopy, inspectFile, support, lockFile } from ${JSON.stringify(join(dir(), 'package/dist/index.js'))};
      const { method, bytes } = await startCopy('source', 'copy', { verify: true, id: 'plain' }).done;
      const { writers, extentCount } = await inspectFile('copy');
      let lock = 'taken';
      try { lockFile('lock'); } catch (error) { lock = error.code; }
      console.log(JSON.stringify({ ...support(), method, written: bytes.written, writers, extentCount, lock }));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: dir(),
      encoding: 'utf8',
    });
    expect(JSON.parse(output)).toEqual({
      available: false,
      why: expect.stringContaining('koffi') as unknown,
      method: 'read-write',
      written: mib,
      writers: 'unknown',
      extentCount: null,
      lock: 'unsupported',
    });
  });
});
