import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';

/** A kernel call cannot be stopped; beyond this the process ends without its word. */
const patienceMs = 9_000;

/** Lets all work checkpoint and waits until its records say so. */
export async function stopAll(engine: Engine): Promise<void> {
  engine.isStopping = true;
  const working = [...engine.active.values()].filter((live) => live.work !== null || live.hasSlot);
  for (const { work } of working) work?.interrupt();
  const settled = Promise.all(
    working.map(async (live) => {
      // Just being started: the work appears when its turn has been recorded.
      await live.exclusive(async () => live.work?.interrupt());
      await live.work?.done.catch(() => {});
      await live.exclusive(async () => {});
    }),
  );
  await Promise.race([settled, sleep(patienceMs, undefined, { ref: false })]);
}
