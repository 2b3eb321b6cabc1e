import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCopy } from '@wcc/copy';
import type { CopyOptions } from '@wcc/copy';
import {
  expectFailure,
  kib,
  mib,
  hiddenFilesIn,
  useDirectory,
  waitFor,
  waitUntilTransferring,
  writeRandom,
} from './files.testkit.ts';
import type { TestEnvironment } from './files.testkit.ts';

/** Each refused copy rejects with its own code and leaves no file. */
export function describeRefusals(environment: TestEnvironment): void {
  describe('refusals', () => {
    const dir = useDirectory(environment.directory);
    const at = (name: string): string => join(dir(), name);
    const start = (from: string, to: string, more: CopyOptions = {}) =>
      startCopy(from, to, { ...environment.options, ...more });

    it('rejects every source that is not a regular file, without hanging', async () => {
      const socket = createServer().listen(at('socket'));
      await new Promise((resolve) => socket.once('listening', resolve));
      execFileSync('mkfifo', [at('fifo')]);
      symlinkSync('/etc/passwd', at('symlink'));
      symlinkSync(at('nowhere'), at('dangling'));
      mkdirSync(at('directory'));
      for (const name of ['socket', 'fifo', 'symlink', 'dangling', 'directory']) {
        const error = await expectFailure(start(at(name), at('out')), 'not_regular');
        expect(error.path).toBe(at(name));
      }
      await expectFailure(start('/dev/zero', at('out')), 'not_regular');
      await new Promise((resolve) => socket.close(resolve));
      expect(hiddenFilesIn(dir())).toEqual([]);
    });

    it('rejects a destination that already exists as a file or symlink', async () => {
      writeRandom(at('source'), 10);
      writeFileSync(at('taken'), 'mine');
      symlinkSync(at('nothing-there'), at('taken-link'));
      await expectFailure(start(at('source'), at('taken')), 'exists');
      await expectFailure(start(at('source'), at('taken-link')), 'exists');
      await expectFailure(start(at('source'), at('taken-link'), { overwrite: true }), 'not_regular');
      expect(readFileSync(at('taken'), 'utf8')).toBe('mine');
    });

    it('rejects copying a file onto itself, also by a hard link', async () => {
      writeRandom(at('self'), 10);
      linkSync(at('self'), at('self-link'));
      await expectFailure(start(at('self'), at('self'), { overwrite: true }), 'same_file');
      await expectFailure(start(at('self'), at('self-link'), { overwrite: true }), 'same_file');
    });

    it('reports a missing source or directory, and a name that is too long', async () => {
      writeRandom(at('there'), 10);
      await expectFailure(start(at('missing'), at('out')), 'not_found');
      const error = await expectFailure(start(at('there'), at('no-directory/out')), 'not_found');
      expect(error.path).toBe(at('no-directory'));
      await expectFailure(start(at('there'), at('x'.repeat(256))), 'name_too_long');
    });

    it('rejects invalid options instead of throwing', async () => {
      const source = at('there');
      const bad: CopyOptions[] = [
        { id: '../up' },
        { id: '' },
        { bytesPerSecond: 0 },
        { bytesPerSecond: Number.NaN },
        { checkpoint: { bytes: -1 } },
        { minFreeBytes: Number.POSITIVE_INFINITY },
      ];
      for (const options of bad) await expectFailure(start(source, at('out'), options), 'invalid_option');
      await expectFailure(start(source, `${dir()}/`.repeat(1).concat('\0')), 'invalid_option');
      await expectFailure(start('', at('out')), 'invalid_option');
    });

    it('does not replace a file that appears at the destination during the copy', async () => {
      writeRandom(at('late'), 2 * mib);
      const job = start(at('late'), at('late-copy'), { method: 'copy', bytesPerSecond: mib });
      await waitUntilTransferring(job);
      expect(readdirSync(dir())).not.toContain('late-copy');
      writeFileSync(at('late-copy'), 'put there by hand');
      job.setLimit(null);
      await expectFailure(job, 'exists');
      expect(readFileSync(at('late-copy'), 'utf8')).toBe('put there by hand');
      expect(hiddenFilesIn(dir())).toEqual([]);
    });

    it('publishes nothing when the source changes during the copy', async () => {
      for (const change of ['rewritten', 'cut', 'grown'] as const) {
        const source = at(`source-${change}`);
        writeRandom(source, 2 * mib);
        const job = start(source, at(`${change}-copy`), { method: 'copy', bytesPerSecond: mib });
        await waitUntilTransferring(job);
        if (change === 'rewritten')
          execFileSync('dd', [
            'if=/dev/urandom',
            `of=${source}`,
            'bs=4k',
            'count=1',
            'conv=notrunc',
            'status=none',
          ]);
        if (change === 'cut') execFileSync('truncate', ['-s', String(100 * kib), source]);
        if (change === 'grown') execFileSync('truncate', ['-s', '+1M', source]);
        job.setLimit(null);
        await expectFailure(job, 'source_changed');
        expect(readdirSync(dir())).not.toContain(`${change}-copy`);
        expect(hiddenFilesIn(dir())).toEqual([]);
      }
    });

    it('rejects a second copy on the same partial with partial_in_use', async () => {
      writeRandom(at('shared'), 2 * mib);
      const options = { id: 'same-id', method: 'copy', bytesPerSecond: mib } as const;
      const first = start(at('shared'), at('shared-copy'), options);
      await waitFor('the partial is there', () => hiddenFilesIn(dir()).length > 0);
      await expectFailure(start(at('shared'), at('shared-copy'), options), 'partial_in_use');
      first.setLimit(null);
      await first.done;
    });
  });
}
