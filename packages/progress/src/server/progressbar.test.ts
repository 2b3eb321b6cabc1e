import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { createHub } from './hub.ts';
import type { Hub } from './hub.ts';
import { progressbar } from './progressbar.ts';
import type { ProgressbarOptions } from './progressbar.ts';

const options: ProgressbarOptions = {
  action: 'count_sheep',
  subject: { kind: 'flock', id: 7, name: 'merino' },
  owner: 'u1',
  total: 3,
};

describe('progressbar', () => {
  let hub: Hub;
  const onError = (error: unknown): never => {
    throw error instanceof Error ? error : new Error(String(error));
  };
  const start = (): Hub => (hub = createHub({ tickMs: 10, onError }));

  afterEach(() => hub.close());

  const only = (): Snapshot => [...hub.list()][0]!;

  it('shows the work as an operation until its end', async () => {
    start();
    const seen: Snapshot[] = [];
    hub.onChange((ids) => seen.push(...[...ids].map((id) => hub.get(id)!)));
    const result = await progressbar(hub, options, async (op) => {
      for (let sheep = 0; sheep < 3; sheep += 1) {
        await sleep(25);
        op.add(1);
      }
      op.phase('sleep');
      await sleep(25);
      return op.id;
    });
    hub.flush();
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen[0]).toMatchObject({ id: result, label: 'count_sheep_7', state: 'running', ownerName: 'u1' });
    expect(only()).toMatchObject({
      state: 'succeeded',
      phaseIndex: 1,
      phases: [
        { name: 'work', state: 'done' },
        { name: 'sleep', state: 'done', total: null },
      ],
    });
    expect(only().elapsedMs).toBeGreaterThan(90);
    expect(Date.parse(only().endedAt ?? '')).toBeLessThanOrEqual(Date.now());
  });

  it('ends as failed with the error of the work', async () => {
    start();
    const error = Object.assign(new Error('wolf'), { code: 'wolf_came' });
    await expect(progressbar(hub, options, () => Promise.reject(error))).rejects.toBe(error);
    expect(only()).toMatchObject({ state: 'failed', error: { code: 'wolf_came', message: 'wolf' } });
  });

  it('ends as cancelled when its signal is aborted', async () => {
    start();
    const controller = new AbortController();
    const work = progressbar(hub, { ...options, signal: controller.signal }, ({ signal }) =>
      sleep(5000, null, { signal }),
    );
    controller.abort();
    await expect(work).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(only()).toMatchObject({ state: 'cancelled', error: null });
  });
});
