import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCopy, support } from '@wcc/copy';
import * as recovery from '@wcc/copy/recovery';
import { describe, expect, it } from 'vitest';
import { killInMidCopy } from '../testkit/child.testkit.ts';
import { expectEqualFiles, mib, hiddenFilesIn, useDirectory, writeRandom } from '../testkit/files.testkit.ts';

const rounds = Number(process.env['WCC_CRASH_ROUNDS'] ?? 10);
const paths = support().available ? (['auto', 'off'] as const) : (['off'] as const);
const sizeBytes = 24 * mib;
const checkpointBytes = 2 * mib;
/** Approximate time of a whole copy of this size at the limit set below. */
const lifetimeMs = 180;

describe('a process killed in the middle of a copy', () => {
  const dir = useDirectory();

  it(
    `a kill at a random moment of a copy leaves a whole file or a resumable copy, ${rounds} times`,
    { timeout: 30_000 + rounds * 3000 },
    async () => {
      const source = join(dir(), 'source');
      writeRandom(source, sizeBytes);
      const seen = { published: 0, resumable: 0, not_published: 0, nothing: 0 };
      for (let round = 0; round < rounds; round += 1) {
        const id = `crash-${round}`;
        const target = join(dir(), `copy-${round}`);
        const options = {
          id,
          native: paths[round % paths.length] ?? 'off',
          keepSidecar: true,
          checkpoint: { bytes: checkpointBytes },
          bytesPerSecond: 200 * mib,
        };
        await killInMidCopy({ source, target, options }, Math.random() * lifetimeMs);

        // The final name has a whole file or no file.
        if (existsSync(target)) expectEqualFiles(source, target);
        const state = await recovery.settle(dir(), id, `copy-${round}`);
        seen[state] += 1;
        expect(existsSync(target)).toBe(state === 'published');
        const checkpoint = await recovery.readCheckpoint(dir(), id);
        const job = startCopy(source, target, { ...options, bytesPerSecond: null });
        await job.done;
        expectEqualFiles(source, target);
        if (state === 'resumable') expect(job.facts().resumedAtBytes).toBe(Number(checkpoint?.doneBytes));
        await recovery.remove(dir(), id);
        expect(hiddenFilesIn(dir())).toEqual([]);
        rmSync(target);
      }
      expect(readdirSync(dir())).toEqual(['source']);
      // If every kill came too early or too late, the test would prove nothing.
      expect(seen.resumable, JSON.stringify(seen)).toBeGreaterThan(0);
    },
  );
});
