import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';

/** A kernel call cannot be stopped; beyond this the process ends without its word. */
const patienceMs = 9_000;

/** Lets all work checkpoint and waits until its records say so. */
export async function stopAll(engine: Engine): Promise<void> {
  engine.isStopping = true;
  const working = [...engine.active.values()].filter(
    (operation) => operation.work !== null || operation.hasSlot,
  );
  for (const { work } of working) work?.interrupt();
  const stopped = Promise.all(
    working.map(async (operation) => {
      // Just being started: the work appears when its turn has been recorded.
      await operation.exclusive(async () => operation.work?.interrupt());
      await operation.work?.done.catch(() => {});
      await operation.exclusive(async () => {});
    }),
  );
  await Promise.race([stopped, sleep(patienceMs, undefined, { ref: false })]);
}
