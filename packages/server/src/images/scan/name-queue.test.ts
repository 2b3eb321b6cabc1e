import { describe, expect, it } from 'vitest';
import { createNameQueue } from './name-queue.ts';
import type { NameQueue } from './name-queue.ts';

interface Look {
  atMs: number;
  name: string;
}

/** A queue at a clock that the test moves. */
function start(): { queue: NameQueue; looks: Look[]; pass: (ms: number, onTick?: () => void) => void } {
  let now = 0;
  const queue = createNameQueue({ nowMs: () => now });
  const looks: Look[] = [];
  const tickMs = 250;
  return {
    queue,
    looks,
    pass(ms, onTick = () => {}) {
      for (const endMs = now + ms; now < endMs;) {
        onTick();
        now += tickMs;
        looks.push(...queue.takeDue().map((name) => ({ atMs: now, name })));
      }
    },
  };
}

describe('D10: the time of a look at a name', () => {
  it('D10: a file that is written all the time is looked at once in 30 s', () => {
    const { queue, looks, pass } = start();
    pass(300_000, () => queue.add('disk.raw', 'change'));
    expect(looks[0]).toEqual({ atMs: 1_000, name: 'disk.raw' });
    const pauses = looks.slice(1).map(({ atMs }, at) => atMs - (looks[at]?.atMs ?? 0));
    expect(pauses).toEqual(pauses.map(() => 30_000));
    expect(looks).toHaveLength(10);
  });

  it('D10: a file that is quiet after its writes is looked at after 5 s', () => {
    const { queue, looks, pass } = start();
    pass(3_000, () => queue.add('disk.raw', 'change'));
    pass(30_000);
    expect(looks.map(({ atMs }) => atMs)).toEqual([1_000, 2_750 + 5_000]);
  });

  it('D10: a file that is renamed while it is written is looked at within a second', () => {
    const { queue, looks, pass } = start();
    const write = (): void => queue.add('disk.raw', 'change');
    pass(10_000, write);
    queue.add('disk.raw', 'rename');
    pass(2_000, write);
    expect(looks.map(({ atMs }) => atMs)).toEqual([1_000, 11_000]);
  });

  it('D10: an event during a look causes another look', () => {
    const { queue, looks, pass } = start();
    queue.add('a.raw', 'rename');
    pass(1_000);
    queue.add('a.raw', 'rename');
    // The look ends: the file was incomplete.
    queue.again(['a.raw']);
    pass(30_000);
    expect(looks.map(({ atMs }) => atMs)).toEqual([1_000, 2_000]);
  });

  it('D10: a look that found an incomplete file is repeated after 5 s', () => {
    const { queue, looks, pass } = start();
    queue.add('a.raw', 'rename');
    pass(1_000);
    queue.again(['a.raw']);
    pass(30_000);
    expect(looks.map(({ atMs }) => atMs)).toEqual([1_000, 6_000]);
  });
});
