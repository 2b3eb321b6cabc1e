import type { Engine } from './engine.ts';
import type { Idempotency } from './idempotency.ts';

const dayMs = 24 * 3_600_000;
/** How long ended operations are kept. */
export const keptForMs: number = 90 * dayMs;
const everyMs = 6 * 3_600_000;

/** Deletes old operations and idempotency keys regularly. @returns a function that stops it */
export function startPurge(engine: Engine, idempotency: Idempotency): () => void {
  const purge = (): void => {
    Promise.all([purgeOperations(engine), idempotency.purge()]).catch((error: unknown) =>
      engine.onError(error, { stage: 'operations: purge' }),
    );
  };
  purge();
  const timer = setInterval(purge, everyMs).unref();
  return () => clearInterval(timer);
}

async function purgeOperations({ store }: Engine): Promise<void> {
  const before = new Date(Date.now() - keptForMs).toISOString();
  await store.write([{ query: store.db.deleteFrom('operations').where('endedAt', '<', before) }]);
}
