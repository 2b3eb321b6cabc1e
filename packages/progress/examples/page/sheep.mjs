// The job of all three servers.
import { setTimeout as sleep } from 'node:timers/promises';

/** Counts 200 sheep. The button Cancel of the bar ends the wait for the next one. */
export function countSheep(hub, owner) {
  const subject = { kind: 'flock', id: 7, name: 'merino' };
  return hub.run(
    { action: 'count_sheep', title: 'Counting sheep', subject, owner, total: 200 },
    async (op) => {
      for (let sheep = 0; sheep < 200; sheep += 1) {
        await sleep(25, undefined, { signal: op.signal });
        op.add(1);
      }
    },
  );
}
