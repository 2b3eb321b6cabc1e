import { describe, expect, it } from 'vitest';
import { createKeyedMutex } from './mutex.ts';

describe('a keyed mutex', () => {
  it('forgets a key when its last work has ended, also by a failure', async () => {
    const mutexOf = createKeyedMutex();
    let finish = (): void => {};
    const first = mutexOf('a')(() => new Promise<void>((resolve) => (finish = resolve)));
    const second = mutexOf('a')(() => Promise.reject(new Error('disk')));
    await Promise.all(Array.from({ length: 100 }, (_, key) => mutexOf(`${key}`)(() => Promise.resolve())));
    expect(mutexOf.size()).toBe(1);
    finish();
    await first;
    await expect(second).rejects.toThrow('disk');
    expect(mutexOf.size()).toBe(0);
  });

  it('runs the work of one key in turn, also when the key is taken again at the end of the last work', async () => {
    const mutexOf = createKeyedMutex();
    const running = { now: 0, most: 0 };
    const work = async (): Promise<void> => {
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await Promise.resolve();
      running.now -= 1;
    };
    const kept = mutexOf('a');
    await Promise.all(Array.from({ length: 20 }, () => kept(work).then(() => mutexOf('a')(work))));
    expect(running).toEqual({ now: 0, most: 1 });
    expect(mutexOf.size()).toBe(0);
  });
});
