import type { EndOperationInput, PublishOperationInput, ReportProgressRequest } from '@wcc/api';
import { ApiError, operationActions } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId, isTerminal } from '@wcc/progress';
import { isOperationId } from '@wcc/progress/protocol';
import { audit } from '../../access/audit.ts';
import { auditName } from '../../access/principal.ts';
import type { Principal } from '../../access/principal.ts';
import { assertRight, can } from '../../access/rules.ts';
import { firstRows } from '../accept.ts';
import { commit } from '../commit.ts';
import type { Engine } from '../engine.ts';
import type { Idempotency, Remember } from '../idempotency.ts';
import { currentRecord } from '../active-operation.ts';
import { newRecord, withState } from '../record.ts';
import type { OperationRecord } from '../record.ts';
import { isPublished, readLogEnd, readRow, storedSnapshot } from '../rows.ts';
import type { OperationRow } from '../rows.ts';
import { end, hasEnded, assertSameEnd } from './end.ts';
import type { PublishedInput } from './input.ts';
import { interrupt, watchLeases } from './lease.ts';
import { createPublication, withDurableNumbers, startClock } from './publication.ts';
import type { Publication, PublicationOptions } from './publication.ts';
import { beginPhase, report } from './report.ts';

export interface PublishRequest {
  body: PublishOperationInput;
  idempotencyKey: string | null;
}

/** Operations that other programs run and report. Every call checks the right of its principal. */
export interface Publishing {
  /**
   * The operation is durable and running when this resolves.
   * @throws ApiError `forbidden`, `invalid_input`, `invalid_state` for too many unfinished operations
   */
  publish(principal: Principal, request: PublishRequest): Promise<Snapshot>;
  /** Applies a report and renews the lease. @throws ApiError `not_found`, `invalid_state`, `invalid_input` */
  report(principal: Principal, id: string, request: ReportProgressRequest): Promise<Snapshot>;
  /** Ends it; repeating the same end is allowed. @throws ApiError `not_found`, `invalid_state` */
  end(principal: Principal, id: string, wanted: EndOperationInput): Promise<Snapshot>;
  /** Null if it is not a published operation, or has ended. The caller has checked the right. */
  cancel(id: string, principal: Principal): Promise<Snapshot> | null;
  /** Restores the published operations of an earlier process. Each one resumes with its next report. */
  adopt(rows: readonly OperationRow<PublishedInput>[]): Promise<void>;
  /** Running operations become `interrupted`. */
  stop(): Promise<void>;
}

export function createPublishing(engine: Engine, idempotency: Idempotency): Publishing {
  const publications = new Map<string, Publication>();
  const stopLeases = watchLeases(engine, publications);
  const context: Context = { engine, publications };
  return {
    async publish(principal, { body, idempotencyKey: key }) {
      assertNotStopping(engine);
      assertRight(principal, 'operation.publish', { owner: principal.userId });
      const { userId } = principal;
      const request = { userId, route: 'POST /api/operations', key, body };
      return idempotency.once(request, (remember) => accept(context, { principal, body, remember }));
    },
    async report(principal, id, request) {
      const publication = await reportable(context, principal, id);
      if (!('exclusive' in publication)) throw hasEnded(publication.record);
      return publication.exclusive(async () => {
        assertNotStopping(engine);
        if (isTerminal(publication.record.state)) throw hasEnded(publication.record);
        publication.lastReportAtMs = engine.clock.monotonicMs();
        return report(engine, publication, request);
      });
    },
    async end(principal, id, wanted) {
      const found = await reportable(context, principal, id);
      if ('exclusive' in found) {
        const by = { who: auditName(principal), address: principal.address };
        return found.exclusive(async () => {
          assertNotStopping(engine);
          return end(engine, found, { ...wanted, ...by });
        });
      }
      assertSameEnd(found.record, wanted);
      return engine.hub.get(id) ?? storedSnapshot(found);
    },
    cancel(id, principal) {
      const publication = publications.get(id);
      return publication === undefined ? null : cancel(engine, publication, principal);
    },
    async adopt(rows) {
      for (const row of rows) await restore(context, row);
    },
    async stop() {
      stopLeases();
      await Promise.all([...publications.values()].map((one) => interruptOne(engine, one)));
    },
  };
}

interface Context {
  engine: Engine;
  /** Operations that have not ended, by id. */
  publications: Map<string, Publication>;
}

function assertNotStopping(engine: Engine): void {
  if (engine.isStopping) throw new ApiError('shutting_down', { retryAfterS: 5 });
}

/** A program that never ends its operations must not fill the memory. */
const unfinishedPerUser = 1000;
/** Names of own actions: a published operation must not look like one of them. */
const reservedActions: ReadonlySet<string> = new Set(operationActions);

async function accept(
  { engine, publications }: Context,
  { principal, body, remember }: { principal: Principal; body: PublishOperationInput; remember: Remember },
): Promise<Snapshot> {
  if (reservedActions.has(body.action)) {
    const message = `"${body.action}" is the name of an action of wcc.`;
    throw new ApiError('invalid_input', { message, hint: 'Choose another name.', field: 'action' });
  }
  const unfinished = [...publications.values()].filter(({ record }) => record.owner === principal.userId);
  if (unfinished.length >= unfinishedPerUser) {
    const message = `You have ${unfinishedPerUser} unfinished published operations.`;
    throw new ApiError('invalid_state', { message, hint: 'End or cancel some of them.' });
  }
  const record = firstRecord(engine, principal, body);
  const input: PublishedInput = { published: { leaseS: body.leaseS } };
  const rows = firstRows(engine, { record, input, principal, text: 'running', what: 'operation.publish' });
  await engine.store.write([...rows, ...remember(record.id)]);
  const nowMs = engine.clock.monotonicMs();
  const state = { record, rev: 1, logNumber: 1, nowMs };
  const publication = activate(publications, { ...state, leaseS: body.leaseS, interruptedAtMs: null });
  const snapshot = engine.hub.put(record);
  engine.onState(record);
  startClock(engine, publication);
  return snapshot;
}

function firstRecord(engine: Engine, principal: Principal, body: PublishOperationInput): OperationRecord {
  const { action, subject, target, phase: name, total, unit } = body;
  const createdAt = engine.clock.isoNow();
  const people = { owner: principal.userId, ownerName: principal.userName };
  const id = createOperationId();
  const record = newRecord({ id, action, subject, target, ...people, phases: [], createdAt });
  return {
    ...beginPhase(withState(record, 'running'), { name, total, unit }),
    startedAt: createdAt,
  };
}

/** Keeps it in memory until its end. */
function activate(
  publications: Map<string, Publication>,
  options: Omit<PublicationOptions, 'leave'>,
): Publication {
  const { id } = options.record;
  const publication = createPublication({ ...options, leave: () => void publications.delete(id) });
  publications.set(id, publication);
  return publication;
}

async function interruptOne(engine: Engine, publication: Publication): Promise<void> {
  await publication
    .exclusive(() => interrupt(engine, publication, 'server_stopped'))
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${publication.id}: stop` }));
}

/**
 * The publication, or its row if it has ended.
 * @throws ApiError `not_found` if it is unknown or belongs to another user, `invalid_state` if wcc itself runs it
 */
async function reportable(
  { engine, publications }: Context,
  principal: Principal,
  id: string,
): Promise<Publication | OperationRow<PublishedInput>> {
  const found = publications.get(id) ?? (isOperationId(id) ? await readRow(engine.store, id) : null);
  if (found === null || !can(principal, 'operation.publish', { owner: found.record.owner })) {
    throw new ApiError('not_found');
  }
  if ('exclusive' in found || isPublished(found)) return found;
  throw new ApiError('invalid_state', {
    message: 'wcc runs this operation itself; other programs cannot report on it.',
    hint: 'Report on operations that you published.',
  });
}

/** Requests a cancel. The program reads it in the answer to its next report. An interrupted operation ends at once. */
async function cancel(engine: Engine, publication: Publication, principal: Principal): Promise<Snapshot> {
  return publication.exclusive(async () => {
    const { state } = publication.record;
    if (state === 'cancelling' || state === 'cancelled') return currentSnapshot(engine, publication);
    if (isTerminal(state)) {
      const message = `Cannot cancel: the operation has already ended: ${state}.`;
      throw new ApiError('invalid_state', { message });
    }
    const line = { kind: 'state', text: `cancelling: requested by ${auditName(principal)}` } as const;
    const record = withState(currentRecord(publication, engine.clock.monotonicMs()), 'cancelling');
    const statements = [audit(principal, 'operation.cancel', `operation:${publication.id}`)];
    const change = { record: withDurableNumbers(record), log: [line], statements };
    const snapshot = await commit(engine, publication, change);
    if (state !== 'interrupted') return snapshot;
    const by = { who: auditName(principal), address: principal.address };
    return end(engine, publication, { state: 'cancelled', result: null, ...by });
  });
}

function currentSnapshot(engine: Engine, publication: Publication): Snapshot {
  return engine.hub.get(publication.id) ?? engine.hub.put(publication.record);
}

/**
 * Restores one operation. A running operation becomes interrupted. A cancelling operation keeps its state, and its
 * program has one lease to report the end.
 */
async function restore({ engine, publications }: Context, row: OperationRow<PublishedInput>): Promise<void> {
  const { logNumber } = await readLogEnd(engine.store, row.id);
  // Earlier releases stored no time, so the silence counts from this start.
  const { leaseS, interruptedAtMs = engine.retention.nowMs() } = row.input.published;
  const nowMs = engine.clock.monotonicMs();
  const publication = activate(publications, { ...row, logNumber, leaseS, interruptedAtMs, nowMs });
  if (row.record.state === 'running') {
    await publication.exclusive(() => interrupt(engine, publication, 'server_restarted'));
  } else engine.hub.put(publication.record);
  if (row.record.state === 'cancelling') startClock(engine, publication);
}
