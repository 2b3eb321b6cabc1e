import { describe, expect, it, vi } from 'vitest';
import { createLookGate } from './look-gate.ts';

/** A call that ends when the test says so. */
function hang(): { call: () => Promise<string>; end: () => void; count: () => number } {
  let calls = 0;
  const ends: (() => void)[] = [];
  return {
    call() {
      calls += 1;
      return new Promise<string>((resolve) => ends.push(() => resolve('answer')));
    },
    end: () => ends.splice(0).forEach((end) => end()),
    count: () => calls,
  };
}

describe('D14: calls to a disk that hangs', () => {
  it('D14: keep at most two threads, however many callers wait', async () => {
    vi.useFakeTimers();
    try {
      const gate = createLookGate({ maxRunning: 2, deadlineMs: 1_000 });
      const disk = hang();
      const callers = Array.from({ length: 20 }, () => gate.run(disk.call).catch((error: unknown) => error));
      await vi.advanceTimersByTimeAsync(999);
      expect([disk.count(), gate.isStuck()]).toEqual([2, false]);
      await vi.advanceTimersByTimeAsync(1);
      const answers = await Promise.all(callers);
      expect(answers).toEqual(answers.map(() => expect.objectContaining({ reason: 'not_responding' })));
      await expect(gate.run(disk.call)).rejects.toMatchObject({
        code: 'pool_unavailable',
        reason: 'not_responding',
      });
      expect([disk.count(), gate.isStuck()]).toEqual([2, true]);
      disk.end();
      await vi.advanceTimersByTimeAsync(0);
      expect(gate.isStuck()).toBe(false);
      expect(await gate.run(() => Promise.resolve('quick'))).toBe('quick');
    } finally {
      vi.useRealTimers();
    }
  });

  it('D14: pass their results and errors on while the disk responds', async () => {
    const gate = createLookGate({ maxRunning: 1 });
    const results = [1, 2, 3].map((value) => gate.run(async () => value));
    expect(await Promise.all(results)).toEqual([1, 2, 3]);
    await expect(gate.run(() => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
    expect(await gate.run(async () => 'next')).toBe('next');
  });
});
