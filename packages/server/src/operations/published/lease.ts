import { errorRegistry } from '@wcc/api';
import type { StateReasonCode } from '@wcc/api';
import type { Engine } from '../engine.ts';
import { commit } from '../commit.ts';
import { currentRecord } from '../active-operation.ts';
import { withState } from '../record.ts';
import { end } from './end.ts';
import { withDurableNumbers, stopClock, publishRecord } from './publication.ts';
import type { PublishedInput } from './input.ts';
import type { Publication } from './publication.ts';

/** Interval of the lease checks, and so the maximum delay of the end of a lease. */
const leaseCheckMs = 1000;
/** An interrupted operation fails after this time without a report. */
export const lostAfterMs: number = 24 * 3_600_000;

/**
 * Checks all leases regularly, and publishes the elapsed time of operations without a report. The hub polls wcc's
 * own operations ten times a second, but published operations only here, so that a thousand silent programs cost
 * little.
 *
 * @returns a function that stops the checks
 */
export function watchLeases(engine: Engine, publications: ReadonlyMap<string, Publication>): () => void {
  let checkedAtMs = engine.clock.monotonicMs();
  const timer = setInterval(() => {
    const nowMs = engine.clock.monotonicMs();
    const lateMs = nowMs - checkedAtMs - leaseCheckMs;
    checkedAtMs = nowMs;
    for (const publication of publications.values()) {
      // While this process was suspended, no report could arrive.
      if (lateMs > leaseCheckMs) publication.lastReportAtMs += lateMs;
      if (publication.work !== null) publishRecord(engine, publication);
      if (!isExpired(engine, publication, nowMs)) continue;
      expire(engine, publication).catch((error: unknown) =>
        engine.onError(error, { stage: `operation ${publication.id}: lease` }),
      );
    }
  }, leaseCheckMs).unref();
  return () => clearInterval(timer);
}

async function expire(engine: Engine, publication: Publication): Promise<void> {
  await publication.exclusive(async () => {
    // A report may have arrived while this call waited for `exclusive`.
    if (engine.isStopping || !isExpired(engine, publication, engine.clock.monotonicMs())) return;
    const { state } = publication.record;
    if (state === 'cancelling') await endSilent(engine, publication, 'cancelled');
    else if (state === 'interrupted') await endSilent(engine, publication, 'failed');
    else await interrupt(engine, publication, 'publisher_silent');
  });
}

function isExpired(engine: Engine, publication: Publication, nowMs: number): boolean {
  const { state } = publication.record;
  if (state === 'interrupted') {
    const since = publication.interruptedAtMs;
    return since !== null && engine.retention.nowMs() - since > lostAfterMs;
  }
  const isActive = state === 'running' || state === 'cancelling';
  return isActive && nowMs - publication.lastReportAtMs > publication.leaseMs;
}

/** Interrupts a running operation, durably. Call it inside `exclusive`. */
export async function interrupt(
  engine: Engine,
  publication: Publication,
  code: StateReasonCode,
): Promise<void> {
  if (publication.record.state !== 'running') return;
  const interruptedAtMs = engine.retention.nowMs();
  const { db } = engine.store;
  const input: PublishedInput = { published: { leaseS: publication.leaseMs / 1000, interruptedAtMs } };
  const update = db.updateTable('operations').set({ input: JSON.stringify(input) });
  const record = withState(currentRecord(publication, engine.clock.monotonicMs()), 'interrupted', { code });
  await commit(engine, publication, {
    record: withDurableNumbers(record),
    log: [{ kind: 'state', text: `interrupted: ${code}` }],
    statements: [{ query: update.where('id', '=', publication.id) }],
  });
  publication.interruptedAtMs = interruptedAtMs;
  stopClock(publication);
}

async function endSilent(
  engine: Engine,
  publication: Publication,
  state: 'cancelled' | 'failed',
): Promise<void> {
  const { message, hint } = errorRegistry.publisher_lost;
  const error = { code: 'publisher_lost', message, hint, detail: null };
  await end(engine, publication, {
    state,
    ...(state === 'failed' ? { error } : {}),
    result: null,
    who: 'wcc',
    address: 'wcc',
    log: [{ kind: 'note', text: 'its program stopped reporting' }],
  });
}
