import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samplesOf } from './list.ts';
import { compareSamples } from './match.ts';

const received = randomBytes(300_000);
let home: string;
let path: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-match-'));
  path = join(home, 'partial');
  await writeFile(path, received);
});
afterAll(() => rm(home, { recursive: true }));

/** The digests that a client sends of its local file. */
function claimOf(local: Buffer, durableBytes: number): Parameters<typeof compareSamples>[1] {
  return samplesOf(durableBytes).map((sample) => {
    const part = local.subarray(sample.offsetBytes, sample.offsetBytes + sample.lengthBytes);
    return { ...sample, sha256: createHash('sha256').update(part).digest('hex') };
  });
}

describe('samples of an upload', () => {
  it('the samples are below the durable offset and cover the first and last bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 45 }), (offsetBytes) => {
        const samples = samplesOf(offsetBytes);
        const ends = samples.map((sample) => sample.offsetBytes + sample.lengthBytes);
        expect(samples.length).toBeLessThanOrEqual(3);
        expect(samples[0]?.offsetBytes).toBe(offsetBytes === 0 ? undefined : 0);
        expect(Math.max(0, ...ends)).toBe(offsetBytes);
        for (const { lengthBytes } of samples) {
          expect(lengthBytes).toBeGreaterThanOrEqual(1);
          expect(lengthBytes).toBeLessThanOrEqual(65_536);
        }
      }),
    );
  });

  it('the samples of the same file match at every offset', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: received.length }), async (durableBytes) => {
        await compareSamples(path, claimOf(received, durableBytes), durableBytes);
      }),
    );
  });

  it('compareSamples rejects a file that differs in any sampled byte, and names the offset', async () => {
    const ranges = samplesOf(received.length);
    const places = fc
      .tuple(fc.constantFrom(...ranges), fc.nat({ max: 65_535 }))
      .map(([{ offsetBytes }, at]) => offsetBytes + at);
    await fc.assert(
      fc.asyncProperty(places, async (place) => {
        const other = Buffer.from(received);
        other.writeUInt8(received.readUInt8(place) ^ 1, place);
        await expect(
          compareSamples(path, claimOf(other, received.length), received.length),
        ).rejects.toMatchObject({
          code: 'wrong_file',
          message: expect.stringMatching(/^Its content differs at byte \d+\.$/) as string,
        });
      }),
      { numRuns: 25 },
    );
  });
});

it('compareSamples rejects samples beyond the durable bytes, and a symlink', async () => {
  const claim = claimOf(received, 1000);
  await expect(compareSamples(path, claim, 999)).rejects.toMatchObject({
    code: 'invalid_input',
    field: 'samples',
  });
  await symlink(path, join(home, 'link'));
  await expect(compareSamples(join(home, 'link'), claim, 1000)).rejects.toMatchObject({ code: 'ELOOP' });
});
