import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ulla, UploadsUnderTest } from './uploads.testkit.ts';

let test: UploadsUnderTest;
beforeEach(async () => {
  test = await UploadsUnderTest.start({ quota: { bytes: 1000 } });
});
afterEach(() => test.close());

describe('F25: a creation for the name of an own unfinished upload', () => {
  it('costs that upload no byte if it is refused, and does not count it otherwise', async () => {
    const { id } = await test.create('a.raw', 600);
    expect((await test.patch(id, 'x')).status).toBe(204);
    await test.domain.wait(id, 'interrupted');
    await expect(test.create('a.raw', 1001)).rejects.toThrow(/403.*Needs 1001 B; 0 B of 1000 B/);
    expect(await test.uploads.get(ulla, id)).toMatchObject({ offsetBytes: 1 });
    await test.create('a.raw', 1000);
    expect(await test.domain.operations.snapshot(id)).toMatchObject({ state: 'cancelled' });
  });

  it('ends no upload that another creation makes at the same time', async () => {
    const ends = await Promise.allSettled([test.create('a.raw', 10), test.create('a.raw', 10)]);
    const [made, ...others] = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value.id] : []));
    expect(others).toEqual([]);
    const snapshot = await test.domain.operations.snapshot(made ?? '');
    expect(['running', 'interrupted']).toContain(snapshot?.state);
  });

  it('leaves a paused upload alone if it is the same creation, sent again', async () => {
    test.idempotencyKey = 'one';
    const { id } = await test.create('a.raw', 10);
    await test.domain.operations.pause(id, ulla);
    await expect(test.create('a.raw', 10)).rejects.toThrow(/423/);
    expect(await test.domain.operations.snapshot(id)).toMatchObject({ state: 'paused' });
  });

  it('finds the upload again by its digest, also when the same creation is sent after its end', async () => {
    test.sha256 = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'; // of "x"
    const { id } = await test.create('a.raw', 1);
    await test.domain.wait(id, 'interrupted');
    test.idempotencyKey = 'two';
    expect((await test.create('a.raw', 1)).id).toBe(id);
    expect((await test.patch(id, 'x')).status).toBe(204);
    expect((await test.create('a.raw', 1)).id).toBe(id);
  });
});
