import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
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
    writeFileSync(join(dir(), 'package', 'package.json'), '{"type":"module"}');
    writeRandom(join(dir(), 'source'), mib);
    const script = `
      import { copyFile, inspectFile, kernelSupport, lockFile } from ${JSON.stringify(join(dir(), 'package/dist/index.js'))};
      const { method, bytes } = await copyFile('source', 'copy', { verify: true, id: 'plain' }).done;
      const { writers, extentCount } = await inspectFile('copy');
      let lock = 'taken';
      try { lockFile('lock'); } catch (error) { lock = error.code; }
      console.log(JSON.stringify({ ...kernelSupport(), method, written: bytes.written, writers, extentCount, lock }));`;
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
