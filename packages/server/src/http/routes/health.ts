import type { Health, HealthReason, HealthWarning } from '@wcc/api';
import { errorRegistry, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Store, StoreStatus } from '../../storage/store.ts';

/** Answers when the server is ready; else `registerPassingStates` answers. */
export function registerHealth(
  app: FastifyInstance,
  { version, store, warnings }: { version: string; store: Store; warnings: () => HealthWarning[] },
): void {
  app.get(routes.health(), async (_, reply): Promise<Health> => {
    const reasons = healthReasons(store.status());
    const found = warnings();
    const rest = { version, ...(found.length === 0 ? {} : { warnings: found }) };
    if (reasons.length === 0) return { status: 'ok', ...rest };
    if (reasons.some(({ code }) => code !== 'data_disk_low')) void reply.code(503);
    return { status: 'degraded', ...rest, reasons };
  });
}

/** The most severe reason is first. */
function healthReasons(status: StoreStatus): HealthReason[] {
  const found = (isFound: boolean, reason: () => HealthReason): HealthReason[] => (isFound ? [reason()] : []);
  return [
    ...found(status.isDamaged, () => fromRegistry('database_damaged')),
    ...found(status.heldBatches > 0, () => fromRegistry('database_full')),
    ...found(status.failure !== null, () => fromRegistry('database_unavailable')),
    ...found(isDiskLow(status), () => diskLow),
  ];
}

/** The database has used a part of its ballast, so other programs had filled the disk. */
function isDiskLow({ ballast }: StoreStatus): boolean {
  return ballast !== null && ballast.sizeBytes < ballast.targetBytes;
}

const diskLow: HealthReason = {
  code: 'data_disk_low',
  message: 'The disk of the data directory is full or was full; the database uses its own reserve.',
  hint: 'Free space on the disk of the data directory.',
};

function fromRegistry(code: Exclude<HealthReason['code'], 'data_disk_low'>): HealthReason {
  const { message, hint } = errorRegistry[code];
  return { code, message, hint };
}
