import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { admin, makePrincipal, MiB, startDomain } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  domain = await startDomain();
});
afterEach(async () => {
  await domain.close();
});

async function make(sizeBytes: number, name = 'sample.raw'): Promise<string> {
  const order = { body: { name, sizeBytes }, idempotencyKey: null };
  return (await domain.images.makeSample(admin, order)).id;
}

describe('make_sample_image', () => {
  it('a sample image has data that neither compresses nor repeats', async () => {
    const id = await make(20 * MiB + 5);
    const ended = await domain.wait(id, 'succeeded');
    const image = await domain.image('sample.raw');
    expect(ended).toMatchObject({
      result: { kind: 'image', id: image.id },
      label: `make_sample_image_${image.id}`,
    });
    expect(image).toMatchObject({
      format: 'raw',
      sizeBytes: 20 * MiB + 5,
      state: 'ready',
      owner: admin.userId,
    });
    const bytes = await readFile(path('sample.raw'));
    expect(gzipSync(bytes).length).toBeGreaterThan(bytes.length * 0.4);
    const blocks = new Set(
      Array.from({ length: 5_120 }, (_, at) => bytes.toString('latin1', at * 4_096, at * 4_096 + 64)),
    );
    expect(blocks.size).toBe(5_120);
    expect(await domain.litter()).toEqual([]);
    expect((await stat(path('sample.raw'))).nlink).toBe(1);
    await domain.wait((await domain.copy('sample.raw', 'copy.raw')).id, 'succeeded');
    expect(domain.errors).toEqual([]);
  });

  it('writing a sample image does not block the event loop', async () => {
    const id = await make(256 * MiB);
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await domain.wait(id, 'succeeded');
    clearInterval(timer);
    // A blocking write would leave only a few turns of the loop, before and after it.
    expect(turns).toBeGreaterThan(20);
  });

  it('a sample image can be cancelled but not paused', async () => {
    const id = await make(4_096 * MiB);
    await domain.wait(id, 'running');
    await sleep(200);
    await expect(domain.operations.pause(id, admin)).rejects.toMatchObject({ code: 'invalid_state' });
    const askedAt = performance.now();
    await domain.operations.cancel(id, admin);
    await domain.wait(id, 'cancelled');
    expect(performance.now() - askedAt).toBeLessThan(15_000);
    expect(await domain.litter()).toEqual([]);
  });

  it('a sample image never replaces an existing file', async () => {
    const id = await make(128 * MiB);
    await domain.wait(id, 'running');
    await writeFile(path('sample.raw'), 'by hand');
    expect((await domain.wait(id, 'failed')).error).toMatchObject({ code: 'exists' });
    expect(await readFile(path('sample.raw'), 'utf8')).toBe('by hand');
    expect(await domain.litter()).toEqual([]);
  });

  it('a sample image starts from zero after a restart', async () => {
    const id = await make(512 * MiB);
    await domain.wait(id, 'running');
    await domain.stop();
    expect((await domain.operations.snapshot(id))?.state).toBe('interrupted');
    domain = await startDomain({ home: domain.home });
    await domain.wait(id, 'succeeded');
    expect((await stat(path('sample.raw'))).size).toBe(512 * MiB);
    expect(await domain.litter()).toEqual([]);
  });

  it('a sample image is refused for a taken name, without space, and for a viewer', async () => {
    await writeFile(path('sample.raw'), 'x');
    await expect(make(MiB)).rejects.toMatchObject({ code: 'exists', field: 'name' });
    await expect(make(2 ** 50, 'huge.raw')).rejects.toMatchObject({ code: 'no_space' });
    const order = { body: { name: 'v.raw', sizeBytes: MiB }, idempotencyKey: null };
    await expect(domain.images.makeSample(makePrincipal('eve', 'viewer'), order)).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});
