import { execFileSync } from 'node:child_process';
import { closeSync, openSync, statSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startCopy, inspectFile, support } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { expectFailure, kib, mib, useDirectory, writeLayout, writeRandom } from '../testkit/files.testkit.ts';
import { mountFresh, whyNoMounts } from '../testkit/mounts.testkit.ts';

const hasKernelCalls = support().available;
if (!hasKernelCalls) console.warn(`leases and extents skipped: ${support().why}`);

describe('inspectFile', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  it('returns the facts of a file, its first bytes and the requested samples', async () => {
    writeLayout(at('disk'), [{ gapBytes: 64 * kib, dataBytes: 128 * kib }], mib);
    const samples = [
      { offset: 64 * kib, lengthBytes: 5 },
      { offset: 10 * mib, lengthBytes: 5 },
    ];
    const facts = await inspectFile(at('disk'), { headBytes: 100, samples });
    const stat = statSync(at('disk'), { bigint: true });
    expect(facts).toMatchObject({
      kind: 'regular',
      sizeBytes: mib + 192 * kib,
      dataBytes: 128 * kib,
      inode: String(stat.ino),
      mtimeNs: String(stat.mtimeNs),
      ctimeNs: String(stat.ctimeNs),
      links: 1,
      head: new Uint8Array(100),
    });
    expect(facts.samples.map((sample) => sample.length)).toEqual([5, 0]);
    expect(facts.extentCount).toBe(hasKernelCalls ? 1 : null);
  });

  it('D11: without counting, returns the allocated blocks, and still knows the writers', async () => {
    writeLayout(at('blocks'), [{ gapBytes: 64 * kib, dataBytes: 128 * kib }], mib);
    const stat = statSync(at('blocks'));
    const facts = await inspectFile(at('blocks'), { extents: 'skip' });
    expect(facts).toMatchObject({ dataBytes: stat.blocks * 512, extentCount: null });
    const { writers, ctimeNs } = await inspectFile(at('blocks'));
    expect(facts).toMatchObject({ writers, ctimeNs });
  });

  it('rejects a FIFO without hanging and a symlink without following it', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    symlinkSync('/etc/shadow', at('link'));
    await expect(inspectFile(at('fifo'))).rejects.toMatchObject({ code: 'not_regular' });
    await expect(inspectFile(at('link'))).rejects.toMatchObject({ code: 'not_regular' });
    await expect(inspectFile('/dev/null')).rejects.toMatchObject({ code: 'not_regular' });
    await expect(inspectFile(at('missing'))).rejects.toMatchObject({ code: 'not_found' });
  });

  it.skipIf(!hasKernelCalls)('reports whether a program has the file open for writing', async () => {
    writeRandom(at('open'), kib);
    expect((await inspectFile(at('open'))).writers).toBe('none');
    const fd = openSync(at('open'), 'r+');
    expect((await inspectFile(at('open'))).writers).toBe('some');
    expect((await startCopy(at('open'), at('warned')).done).warnings).toEqual(['source_open_for_writing']);
    await expectFailure(startCopy(at('open'), at('refused'), { ifInUse: 'fail' }), 'source_in_use');
    closeSync(fd);
    expect((await inspectFile(at('open'), { native: 'off' })).writers).toBe('unknown');
  });

  it.skipIf(!hasKernelCalls)('survives a writer that opens the file while the lease is taken', async () => {
    writeRandom(at('contested'), kib);
    // A second process opens the file for writing again and again; each lease is held for microseconds only.
    const script = `
      import { spawn } from 'node:child_process';
      const path = ${JSON.stringify(at('contested'))};
      const writer = spawn('sh', ['-c', 'for i in $(seq 20000); do : >> "$0"; done', path]);
      let some = 0;
      for (let round = 0; round < 3000; round += 1) some += (await copy.inspectFile(path)).writers === 'some' ? 1 : 0;
      writer.kill();
      console.log('asked', some);`;
    const { stdout, code, signal } = await startChild(script).ended;
    expect(signal).toBeNull();
    expect(code).toBe(0);
    expect(stdout).toContain('asked');
  });
});

describe('copyFile of a huge sparse file', () => {
  const reason = hasKernelCalls ? whyNoMounts('xfs') : support().why;
  if (reason !== null) console.warn(`skipped: ${reason}`);

  it.skipIf(reason !== null)(
    `copyFile copies offsets beyond 2^53 correctly, cloned or not (${reason ?? 'xfs'})`,
    async () => {
      const mounted = mountFresh('xfs', 512);
      try {
        const source = join(mounted.directory, 'huge');
        // larger than 2^53, with data at both ends and just beyond 2^53
        const size = 9n * 2n ** 50n;
        makeHuge(source, size);
        for (const method of ['copy', 'clone'] as const) {
          const copy = `${source}-${method}`;
          const { bytes } = await startCopy(source, copy, { method, verify: true }).done;
          expect(bytes.data).toBe(12 * kib);
          expect(statSync(copy, { bigint: true }).size).toBe(size);
          expect(readTail(copy)).toEqual(readTail(source));
          expect(readTail(copy).toString()).toContain('the very end');
        }
      } finally {
        mounted.unmount();
      }
    },
  );
});

/** Written by dd, because Node cannot write beyond 2^53 bytes. */
function makeHuge(path: string, size: bigint): void {
  const fd = openSync(path, 'w');
  writeSync(fd, 'the very start');
  closeSync(fd);
  execFileSync('truncate', ['-s', String(size), path]);
  for (const [text, seek] of [
    ['in between', 2n ** 53n + 4096n],
    ['the very end', size - 4096n],
  ] as const) {
    execFileSync('dd', [`of=${path}`, 'bs=4096', `seek=${seek / 4096n}`, 'conv=notrunc', 'status=none'], {
      input: text.padEnd(4096, '.'),
    });
  }
}

function readTail(path: string): Buffer {
  const skip = String(9n * 2n ** 50n - 4096n);
  return execFileSync('dd', [`if=${path}`, 'bs=4096', 'iflag=skip_bytes', `skip=${skip}`, 'status=none']);
}
