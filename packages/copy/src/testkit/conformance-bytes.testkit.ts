import {
  chmodSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startCopy, inspectFile } from '@wcc/copy';
import {
  expectEqualFiles,
  kib,
  mib,
  hiddenFilesIn,
  useDirectory,
  writeLayout,
  writeRandom,
} from './files.testkit.ts';
import type { TestEnvironment } from './files.testkit.ts';

const page = 4 * kib;

/** Layouts of up to 12 extents, some of odd length, with holes before, between and after. */
const layouts = fc.record({
  pieces: fc.array(
    fc.record({
      gapBytes: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 1, max: 64 }).map((pages) => pages * page),
      ),
      dataBytes: fc.oneof(
        fc.integer({ min: 1, max: 32 }).map((pages) => pages * page),
        fc.integer({ min: 1, max: 70_000 }),
      ),
    }),
    { maxLength: 12 },
  ),
  tailGapBytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300_000 })),
});

/** The copy equals its source. */
export function describeBytes(environment: TestEnvironment): void {
  describe('bytes', () => {
    const dir = useDirectory(environment.directory);
    const copy = (from: string | Buffer, to: string | Buffer, more = {}) =>
      startCopy(from, to, { ...environment.options, ...more });

    it('copies any layout of extents, byte for byte', async () => {
      let round = 0;
      const property = fc.asyncProperty(layouts, fc.boolean(), async ({ pieces, tailGapBytes }, verify) => {
        const source = join(dir(), 'layout');
        const target = join(dir(), `layout-${(round += 1)}`);
        writeLayout(source, pieces, tailGapBytes);
        const { bytes } = await copy(source, target, { verify }).done;
        expectEqualFiles(source, target);
        expect(bytes.virtual).toBe(statSync(source).size);
        expect(bytes.data + bytes.skipped).toBe(bytes.virtual);
        expect(bytes.shared + bytes.written).toBe(bytes.data);
        unlinkSync(target);
      });
      await fc.assert(property, { numRuns: 20 });
    });

    it('copies an empty file and a file that is one hole', async () => {
      for (const size of [0, 5 * mib]) {
        const source = join(dir(), `hole-${size}`);
        writeLayout(source, [], size);
        const { bytes } = await copy(source, `${source}-copy`).done;
        expectEqualFiles(source, `${source}-copy`);
        expect(bytes).toEqual({ virtual: size, data: 0, skipped: size, shared: 0, written: 0 });
      }
    });

    it('keeps holes: the copy has the same extents and occupies no more', async () => {
      const source = join(dir(), 'sparse');
      const piece = { gapBytes: 3 * mib, dataBytes: 256 * kib };
      writeLayout(source, [piece, piece, piece], 2 * mib);
      const job = copy(source, `${source}-copy`);
      const result = await job.done;
      const [before, after] = await Promise.all([inspectFile(source), inspectFile(`${source}-copy`)]);
      expect(after.extentCount).toBe(before.extentCount);
      expect(after.dataBytes).toBe(3 * 256 * kib);
      expect(result.bytes.skipped).toBe(11 * mib);
      expect(job.progress().skippedBytes).toBe(11 * mib);
      expectEqualFiles(source, `${source}-copy`);
    });

    it('keeps the permission bits', async () => {
      const source = join(dir(), 'mode');
      writeRandom(source, 10);
      for (const mode of [0o640, 0o444, 0o755]) {
        chmodSync(source, mode);
        await copy(source, `${source}-${mode}`).done;
        expect(statSync(`${source}-${mode}`).mode & 0o7777).toBe(mode);
      }
    });

    it('copies files with a newline in the name or a name that is not UTF-8', async () => {
      for (const name of [Buffer.from('two\nlines'), Buffer.from([0x66, 0xff, 0xfe, 0x6f])]) {
        const source = Buffer.concat([Buffer.from(`${dir()}/`), name]);
        const target = Buffer.concat([source, Buffer.from([0xfd])]);
        writeRandom(source, 100 * kib);
        await copy(source, target).done;
        expectEqualFiles(source, target);
      }
    });

    it('replaces a file with overwrite, leaving no hidden file', async () => {
      const source = join(dir(), 'new');
      const target = join(dir(), 'old');
      writeRandom(source, 2 * mib);
      writeFileSync(target, 'old content');
      await copy(source, target, { overwrite: true }).done;
      expectEqualFiles(source, target);
      expect(hiddenFilesIn(dir())).toEqual([]);
    });

    it('copies with durable: false and returns the inode of the copy', async () => {
      const source = join(dir(), 'scratch');
      writeRandom(source, 3 * mib);
      const result = await copy(source, `${source}-copy`, { durable: false }).done;
      expectEqualFiles(source, `${source}-copy`);
      expect(result.inode).toBe(String(statSync(`${source}-copy`, { bigint: true }).ino));
      expect(result.phases.at(-1)?.name).toBe('publish');
    });

    it('completes when the source is renamed during the copy', async () => {
      const source = join(dir(), 'moved');
      const target = join(dir(), 'moved-copy');
      writeRandom(source, 2 * mib);
      const job = copy(source, target, { method: 'copy', bytesPerSecond: mib });
      while (!readdirSync(dir()).some((name) => name.endsWith('.partial'))) await new Promise(setImmediate);
      renameSync(source, `${source}-elsewhere`);
      job.setLimit(null);
      await job.done;
      expect(readFileSync(target).equals(readFileSync(`${source}-elsewhere`))).toBe(true);
    });
  });
}
